"""Story: an alert body, from parsing to tickets: one per incident, however often and from wherever its failure is told."""

from __future__ import annotations

import json
import logging

from handlers import alerts, backup_recovered, last_resort
from handlers.alert_queue import Message
from handlers.alert_received import watched
from handlers.model import Alert, Ignored, Unreadable
from handlers.tell import failure_of, look, look_again_later, tell
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(message: Message, tools: Tools) -> None:
    """Every alert in a queue message becomes a ticket, or is logged as ignored with its reason."""
    try:
        body: object = json.loads(message.content)
    except (ValueError, RecursionError):
        body = message.content.decode("utf-8", "replace")
    for alert in alerts.read(body):
        match watched(alert, tools.settings):
            case Ignored(reason):
                log.info("alert ignored: %s", reason)
            case Unreadable(unread):
                last_resort.post_plain(unread, "unreadable", message, tools)
            case Alert(fired=False) as resolved:
                backup_recovered.handle(resolved, message, tools)
            case Alert() as fired:
                open_ticket(fired, message, tools)


def open_ticket(alert: Alert, message: Message, tools: Tools) -> None:
    """Find the job and classify the error, claim the incident, look at the VM, tell it."""
    tools.tickets.check_open()
    failure, error = failure_of(alert, tools)
    if begun := tools.incidents.begin(failure, error.code, message.id, tools.now()):
        diagnosis = look(failure, error, tools)
        tell(begun, diagnosis, message, tools)
        look_again_later(begun.incident, diagnosis, 0, tools)
