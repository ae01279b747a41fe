"""The common alert schema's essentials. https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema"""

from __future__ import annotations

from typing import Any

from handlers.alerts.fields import fold, part, prose, severity, text, value
from handlers.model import parse_time


def is_common(body: dict[str, Any]) -> bool:
    return bool(part(body, "data", "essentials")) or fold(text(body, "schemaId")) == "azuremonitorcommonalertschema"


def essentials(body: dict[str, Any]) -> dict[str, Any]:
    return part(body, "data", "essentials")


def context(body: dict[str, Any]) -> dict[str, Any]:
    return part(body, "data", "alertContext")


def service(body: dict[str, Any]) -> str:
    """`monitoringService`, folded: `azurebackup`, `loganalytics`, `platform` …"""
    return fold(text(essentials(body), "monitoringService"))


def common(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Alert` that the essentials hold."""
    found = essentials(body)
    return {
        "id": text(found, "alertId", "originAlertId"),
        "fired": fold(text(found, "monitorCondition")) != "resolved",
        "fired_at": parse_time(value(found, "firedDateTime")),
        "rule": text(found, "alertRule"),
        "severity": severity(text(found, "severity")),
        "message": prose(found, "description"),
    }


def targets(body: dict[str, Any]) -> list[str]:
    found = value(essentials(body), "alertTargetIDs")
    return [target for target in found if isinstance(target, str)] if isinstance(found, list) else []


def vault_target(body: dict[str, Any]) -> str:
    """The Recovery Services vault among the alert's targets, else empty."""
    marks = "/providers/microsoft.recoveryservices/vaults/"
    return next((target for target in targets(body) if marks in target.lower()), "")
