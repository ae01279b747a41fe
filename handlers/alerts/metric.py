"""Metric alerts on BackupHealthEvent of a vault, common and legacy form. They name the VM and its health, no job and no code.

https://learn.microsoft.com/azure/backup/metrics-overview
Health is anything but `Healthy`: `TransientUnhealthy`, `PersistentDegraded` …, with or without spaces.
"""

from __future__ import annotations

from typing import Any

from handlers.alerts.envelope import common, context, is_common, vault_target
from handlers.alerts.fields import (
    fold,
    item_of,
    objects,
    part,
    prose,
    severity,
    text,
    value,
    vault_of,
    vm_of,
    workload_of,
)
from handlers.model import Alert, Ignored, parse_time

METRIC = "backuphealthevent"


def claims(body: dict[str, Any]) -> bool:
    if fold(text(body, "schemaId")) == "azuremonitormetricalert":
        return True
    return is_common(body) and bool(_criteria(context(body)) and text(_criteria(context(body))[0], "metricName"))


def parse(body: dict[str, Any]) -> list[Alert | Ignored]:
    legacy = not is_common(body)
    found = part(body, "data", "context") if legacy else context(body)
    head = _legacy_head(body, found) if legacy else common(body)
    vault_id = text(found, "resourceId") if legacy else vault_target(body)
    criteria = [item for item in _criteria(found) if fold(text(item, "metricName")) == METRIC]
    if not criteria:
        names = ", ".join(text(item, "metricName") for item in _criteria(found)) or "no metric"
        return [Ignored(f"a metric alert about something else ({names:.80}): {head['rule']:.100}")]
    return [_alert(_dimensions(item), head, vault_id) for item in criteria]


def _alert(dimensions: dict[str, str], head: dict[str, Any], vault_id: str) -> Alert | Ignored:
    if head["fired"] and fold(dimensions.get("healthstatus", "")) == "healthy":
        return Ignored("a backup that is healthy")
    item_id = item_of(dimensions.get("backupinstanceurl", ""))
    source = dimensions.get("datasourceurl", "")
    return Alert(
        source="metric",
        **head,
        item_id=item_id,
        item_name=dimensions.get("backupinstancename", "").rpartition(";")[2] or source.rpartition("/")[2],
        vault_id=vault_of(item_id) or vault_id,
        vm_id=source if "/virtualmachines/" in source.lower() else vm_of(item_id),
        workload=workload_of(item_id, dimensions.get("datasourcetype", "")) if item_id else "AzureIaasVM",
    )


def _criteria(found: dict[str, Any]) -> list[dict[str, Any]]:
    return objects(found, "condition", "allOf")


def _dimensions(item: dict[str, Any]) -> dict[str, str]:
    return {text(pair, "name").lower(): text(pair, "value") for pair in objects(item, "dimensions")}


def _legacy_head(body: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    status = fold(text(part(body, "data"), "status"))
    return {
        "id": text(found, "id"),
        "fired": status not in ("deactivated", "resolved"),
        "fired_at": parse_time(value(found, "timestamp")),
        "rule": text(found, "name"),
        "severity": severity(text(found, "severity")),
        "message": prose(found, "description"),
    }
