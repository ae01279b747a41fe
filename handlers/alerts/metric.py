"""Metric alerts on a vault's `BackupHealthEvent` or `RestoreHealthEvent`, common and legacy schema: an item and its health.

https://learn.microsoft.com/azure/backup/metrics-overview
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples#sample-metric-alerts
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-non-common-schema-definitions (`AzureMonitorMetricAlert`)

They tell no job and no code. About backup is a criterion on one of these two; any other metric is something else. What it says
depends on the health that is counted and on the operator. Many events of any health but `Healthy` (`Transient Unhealthy`,
`PersistentDegraded` …) are failures, and so are too few healthy ones. Many healthy events, or too few of the others (a rule that
the documentation suggests), are good news. Without `healthStatus` it is taken for a failure.
"""

from __future__ import annotations

from copy import replace
from typing import Any

from handlers.alerts.envelope import alert_of, condition_type, context, is_fired, service, target_vault
from handlers.alerts.fields import fold, ignored, joined_id, line, objects, part, prose, severity, short, text, value
from handlers.alerts.ids import item_name, item_of, vault_of, vm_guess, vm_of, workload
from handlers.model import Alert, Ignored, parse_time
from handlers.model.failure import RESTORE

ORDER = 40
METRICS = {"backuphealthevent": "", "restorehealthevent": RESTORE}
"""Folded, and the operation that each is about, where it says one."""


def claims(body: object) -> bool:
    other_criteria = condition_type(body) in ("logquerycriteria", "promqlcriteria")
    named = any(text(item, "metricName") for item in _criteria(body))
    return not other_criteria and (_is_legacy(body) or service(body) == "platform" or named)


def parse(body: object) -> list[Alert | Ignored]:
    head = _legacy_alert(body) if _is_legacy(body) else alert_of(body, "metric")
    names = [text(item, "metricName") for item in _criteria(body)]
    about_backup = [item for item in _criteria(body) if fold(text(item, "metricName")) in METRICS]
    if not about_backup:
        metrics = short(", ".join(filter(None, names)))
        return [
            ignored(f"The metric alert rule {short(head.rule)} watches the metric {metrics}, not failed backups or restores.")
        ]
    failing = next(filter(_tells_failure, about_backup), None)
    if failing is None:
        return [ignored(f"The metric alert rule {short(head.rule)} says that all is healthy.")]
    operation = METRICS[fold(text(failing, "metricName"))]
    return [replace(_alert(head, _dimensions(failing), _vault_id(body)), operation=operation)]


def _tells_failure(criterion: dict[str, Any]) -> bool:
    health = fold(_dimensions(criterion).get("healthstatus", ""))
    too_few = fold(text(criterion, "operator")).startswith("lessthan")
    return not health or (health == "healthy") == too_few


def _alert(head: Alert, dimensions: dict[str, str], vault_id: str) -> Alert:
    item_id, datasource = item_of(dimensions.get("backupinstanceurl", "")), dimensions.get("datasourceurl", "")
    vault_id = vault_of(item_id) or vault_id
    said = dimensions.get("backupinstancename", "").rpartition(";")[2] or vm_of(datasource).rpartition("/")[2]
    told = "VM" if datasource and vm_of(datasource) == datasource else ""
    return replace(
        head,
        item_id=item_id,
        item_name=item_name(item_id, said),
        vault_id=vault_id,
        vm_id=vm_of(datasource) or vm_guess(vault_id, item_id),
        workload=workload(item_id, dimensions.get("datasourcetype", "") or told),
    )


def _is_legacy(body: object) -> bool:
    return fold(text(body, "schemaId")) == "azuremonitormetricalert"


def _found(body: object) -> dict[str, Any]:
    return part(body, "data", "context") if _is_legacy(body) else context(body)


def _criteria(body: object) -> list[dict[str, Any]]:
    return objects(part(_found(body), "condition"), "allOf")


def _dimensions(criterion: dict[str, Any]) -> dict[str, str]:
    return {fold(text(pair, "name")): text(pair, "value") for pair in objects(criterion, "dimensions")}


def _vault_id(body: object) -> str:
    return vault_of(line(value(_found(body), "resourceId"))) or target_vault(body)


def _legacy_alert(body: object) -> Alert:
    found = _found(body)
    return Alert(
        source="metric",
        id=joined_id(text(found, "id"), text(found, "timestamp")),
        fired=is_fired(text(part(body, "data"), "status")),
        fired_at=parse_time(value(found, "timestamp")),
        rule=text(found, "name"),
        severity=severity(text(found, "severity")),
        message=prose(found, "description"),
    )
