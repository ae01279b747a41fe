"""Story: an alert has come through the queue. What each alert in the message is about decides which story goes on with it."""

import logging
from collections.abc import Iterator
from typing import Any

from handlers import alerts, backup_failed, backup_recovered, canary, last_resort, many_failed
from handlers.alerts.watched import watched
from handlers.model import Alert, Ignored, Unreadable
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def recorded_by_alerts(message: Message, tools: Tools) -> Iterator[Recorded[Any] | None]:
    """What each alert in a message leads to; one that is none of ours is logged with the reason."""
    for alert in alerts.read(alerts.decoded(message.content)):
        match watched(alert, tools.settings.watched_subscriptions):
            case Ignored(reason):
                log.info("alert ignored: %s", reason)
            case Unreadable():
                yield last_resort.record_unreadable(message, tools)
            case Alert(source="canary") as own:
                yield from canary.arrive(own, tools)
            case Alert(fired=False) as resolved:
                yield backup_recovered.record_alerted_recovery(resolved, tools)
            case Alert() as fired:
                yield backup_failed.record_failure(fired, message, tools)
    for note in tools.storms.overdue(tools.now()):  # the note itself may lie behind thousands of alerts
        yield many_failed.read_members(note, tools)
