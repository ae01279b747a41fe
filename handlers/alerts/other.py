"""Well-formed alerts of every other service: budgets, service health, resource health, Prometheus, or one yet unknown.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples
None of them is about backup. An alert that does not even name its service is left for a person.
"""

from __future__ import annotations

from handlers.alerts.envelope import essentials, service
from handlers.alerts.fields import ignored, short, text
from handlers.model import Alert, Ignored

ORDER = 100


def claims(body: object) -> bool:
    return bool(service(body))


def parse(body: object) -> list[Alert | Ignored]:
    found = essentials(body)
    rule, sender = short(text(found, "alertRule")), short(text(found, "monitoringService"))
    return [ignored(f"The alert rule {rule} of the service {sender} is not about a failed backup.")]
