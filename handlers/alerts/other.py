"""Well-formed alerts of every other service: budgets, service health, resource health, Prometheus, or one yet unknown.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples
None of them is about backup. What the common schema wraps is an alert, whatever else is in it.
"""

from __future__ import annotations

from handlers.alerts.envelope import essentials, is_common
from handlers.alerts.fields import ignored, short, text
from handlers.model import Alert, Ignored


def claims(body: object) -> bool:
    return is_common(body)


def parse(body: object) -> list[Alert | Ignored]:
    found = essentials(body)
    service, rule = text(found, "monitoringService"), text(found, "alertRule")
    return [ignored(f"The alert rule {short(rule)} of the service {short(service)} is not about a failed backup.")]
