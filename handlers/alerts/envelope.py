"""The common alert schema: the essentials that every alert has, around a context that differs by source.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
"""

from __future__ import annotations

from typing import Any

from handlers.alerts.fields import fold, items, line, part, prose, severity, text, value
from handlers.alerts.ids import vault_of
from handlers.model import Alert, parse_time


def is_common(body: object) -> bool:
    """Whether the body has the common schema's form; the context may also come bare, as some documents show it."""
    return bool(essentials(body) or context(body)) or fold(text(body, "schemaId")) == "azuremonitorcommonalertschema"


def essentials(body: object) -> dict[str, Any]:
    return part(body, "data", "essentials")


def context(body: object) -> dict[str, Any]:
    return part(body, "data", "alertContext") or part(body, "alertContext")


def service(body: object) -> str:
    """`monitoringService`, folded: `azurebackup`, `loganalytics`, `platform` …"""
    return fold(text(essentials(body), "monitoringService"))


def condition_type(body: object) -> str:
    return fold(text(context(body), "conditionType"))


def alert_of(body: object, source: str) -> Alert:
    """The alert as far as the essentials tell it."""
    found = essentials(body)
    return Alert(
        source=source,
        id=text(found, "alertId", "originAlertId"),
        fired=is_fired(text(found, "monitorCondition")),
        fired_at=parse_time(value(found, "firedDateTime")),
        rule=text(found, "alertRule"),
        severity=severity(text(found, "severity")),
        message=prose(found, "description"),
    )


def is_fired(condition: str) -> bool:
    """False for `Resolved`, and for `Deactivated`, its word in the older schemas."""
    return fold(condition) not in ("resolved", "deactivated")


def targets(body: object) -> list[str]:
    """The ids of what the alert is about."""
    return [line(target) for target in items(essentials(body), "alertTargetIDs")]


def target_vault(body: object) -> str:
    """The vault among the targets, else empty."""
    return next(filter(None, map(vault_of, targets(body))), "")
