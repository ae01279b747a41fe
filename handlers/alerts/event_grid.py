"""Event Grid: operations of Azure Resource Manager, and whole alerts on a topic of one's own, in both envelopes.

https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
https://learn.microsoft.com/azure/event-grid/event-schema (Event Grid's envelope)
https://learn.microsoft.com/azure/event-grid/cloud-event-schema (the CloudEvents envelope)

About backup is `Microsoft.Resources.ResourceActionFailure` of the request `Backup now`, and of the request to restore: Azure
Backup has no topic, and a scheduled backup that fails emits no event. An alert that an owner puts on a topic as the `data` of an event is read
like the alert itself. Every other event is something else: `Microsoft.Web.BackupOperationFailed` is App Service's, and
handshakes belong to `handshake`.
"""

from __future__ import annotations

from typing import Any, Protocol

from handlers.alerts import activity_log, azure_backup, log_search, metric
from handlers.alerts.fields import fold, ignored, part, short, text, value
from handlers.model import Alert, Ignored, parse_time

ORDER = 10
FAILURE = "microsoft.resources.resourceactionfailure"
CARRIED = (azure_backup, log_search, metric, activity_log)


def claims(body: object) -> bool:
    cloud = bool(text(body, "specversion") and text(body, "type"))
    own = bool(text(body, "eventType")) and value(body, "data", "subject", "topic") is not None
    return cloud or own or bool(text(body, "validationResponse"))


def parse(body: object) -> list[Alert | Ignored]:
    data = part(body, "data")
    for source in CARRIED:
        if source.claims(data):
            carried: list[Alert | Ignored] = source.parse(data)
            return carried
    return [_operation(body)]


def _operation(body: object) -> Alert | Ignored:
    kind, data = text(body, "eventType", "type"), part(body, "data")
    if fold(kind) != FAILURE:
        operation = text(data, "operationName")
        about = f" of the operation {short(operation)}" if operation else ""
        return ignored(f"The event {short(kind or 'SubscriptionValidation')}{about} is not about a failed backup or restore.")
    told = {"resourceUri": text(body, "subject"), "status": "Failed"}
    entry = told | {name: found for name, found in data.items() if found is not None}
    return activity_log.read_operation(entry, _alert(body, kind))


def _alert(body: object, kind: str) -> Alert:
    return Alert(
        source="event_grid",
        id=text(body, "id"),
        fired_at=parse_time(value(body, "eventTime", "time")),
        rule=kind,
    )


class TriggerEvent(Protocol):
    """`azure.functions.EventGridEvent` or `CloudEvent`, as far as it is used."""

    def to_dict(self) -> dict[str, Any]: ...


def body_of(event: TriggerEvent) -> dict[str, Any]:
    """The event as Event Grid sent it: the trigger spells the envelope's names in its own way."""
    return {_camel(name): value for name, value in event.to_dict().items()}


def _camel(name: str) -> str:
    """`event_type` -> `eventType`: the envelope's own spelling."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
