"""Story: a message lies in the queue. What it is decides which story gets it; then the tickets that are due are updated."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from handlers import alerts, backup_failed, backup_recovered, canary, last_resort, many_failed, members_diagnosed, read_again
from handlers.alerts.watched import watched
from handlers.model import Alert, Ignored, Incident, Storm, Unreadable
from handlers.model.delivery import OPEN
from handlers.model.plain import PlainTicket
from handlers.records.alert_queue import Message
from handlers.records.reminders import DueRow, Recorded, Reminder
from handlers.records.write_up import write_plain_up
from handlers.ticket_due import update_ticket
from handlers.wiring import Tools

log = logging.getLogger(__name__)
type Records = Iterator[Recorded[Any] | None]


def work_on(queued: bytes, tools: Tools, came_at: datetime | None = None) -> None:
    """Work on one message. Whatever escapes lets it come again through the host, and after five times into the poison queue."""
    message = tools.queue.open(queued)
    for recorded in recorded_by(replace(message, since=message.since or came_at or tools.now()), tools):
        if recorded:
            update_ticket(recorded.row, recorded.reminder, tools)


def recorded_by(message: Message, tools: Tools) -> Records:
    """What the story of a message writes down. Each ticket is updated before the story goes on."""
    match message.kind:
        case "alert":
            yield from recorded_by_alerts(message, tools)
        case "due":
            yield brought_back(message, tools)
        case "second_reading":
            yield read_again.diagnose_again(message, tools)
        case "storm_reading":
            yield many_failed.read_members(message, tools)
        case "members_pass":
            members_diagnosed.diagnose_members(message, tools)
        case "canary_arrival":
            canary.log_arrival(message, tools)
        case _:
            log.error("a note of an unknown kind was dropped")


def recorded_by_alerts(message: Message, tools: Tools) -> Records:
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


def brought_back(message: Message, tools: Tools) -> Recorded[Any] | None:
    """The row that a reminder is about, what it says written if whoever was to write it is gone; None when nothing is left."""
    reminder = Reminder.of(message.fields)
    rows = tools.rows_of(reminder.partition)
    row = rows.find(reminder.key)
    if row is None or not reminder.is_about(row) or not row.needs_post:
        return None
    if not reminder.documented and tools.documents.read(row.id, reminder.version) is None:
        write_late(row, message, tools)
        row = rows.find(reminder.key)
    return Recorded(row, replace(reminder, documented=True)) if row else None


def write_late(row: DueRow, message: Message, tools: Tools) -> None:
    """Write what a row's newest version says."""
    match row:
        case Incident(status=status) if status == OPEN:
            backup_failed.diagnose_late(row, message, tools)
        case Incident():
            backup_recovered.write_late_end(row, tools)
        case Storm():
            many_failed.write_late(row, tools)
        case PlainTicket():
            write_plain_up(row, tools)
