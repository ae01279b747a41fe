"""Event Grid: `ResourceActionFailure` of `Backup now`, in the Event Grid and the CloudEvents envelope, and alerts in CloudEvents.

https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
Azure Backup has no topic of its own: a failed scheduled backup emits no event. An owner's custom topic may carry whole alerts as
the `data` of a CloudEvent; these are read like the alert itself.
"""

from __future__ import annotations

from typing import Any

from handlers.alerts import activity_log, azure_backup, log_search, metric
from handlers.alerts.activity_log import operation_alert
from handlers.alerts.fields import part, text, value
from handlers.model import Alert, Ignored, parse_time


def claims(body: dict[str, Any]) -> bool:
    cloud = bool(text(body, "specversion")) and bool(text(body, "type"))
    return cloud or (bool(text(body, "eventType")) and value(body, "data", "subject", "topic") is not None)


def parse(body: dict[str, Any]) -> list[Alert | Ignored]:
    kind, data = text(body, "eventType", "type"), part(body, "data")
    for source in (azure_backup, log_search, metric, activity_log):
        if source.claims(data):
            found: list[Alert | Ignored] = source.parse(data)
            return found
    if kind.lower() != "microsoft.resources.resourceactionfailure":
        return [Ignored(f"an event about something else: {kind:.100}")]
    head = {
        "id": text(body, "id"),
        "fired": True,
        "fired_at": parse_time(value(body, "eventTime", "time")),
        "rule": kind,
        "severity": "",
        "message": "",
    }
    entry = {"resourceUri": text(body, "subject"), "status": "Failed"} | {k: v for k, v in data.items() if v is not None}
    return [operation_alert(entry, head, "event_grid")]
