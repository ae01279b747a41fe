"""Well-formed alerts that are about something else: service health, resource health, budgets, or a service yet unknown.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples
"""

from __future__ import annotations

from typing import Any

from handlers.alerts.envelope import essentials, is_common
from handlers.alerts.fields import text
from handlers.model import Ignored


def claims(body: dict[str, Any]) -> bool:
    return is_common(body) and bool(text(essentials(body), "monitoringService"))


def parse(body: dict[str, Any]) -> list[Ignored]:
    found = essentials(body)
    return [Ignored(f"an alert of {text(found, 'monitoringService'):.60}: {text(found, 'alertRule') or 'no rule':.100}")]
