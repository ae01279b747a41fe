"""Story: a reminder has come. Its row is brought back to ticket_due, what it says written if whoever was to write it is gone."""

from copy import replace
from typing import Any

from handlers import backup_failed, backup_recovered, many_failed
from handlers.model import Incident, Storm
from handlers.model.delivery import OPEN
from handlers.model.plain import PlainTicket
from handlers.records.alert_queue import Message
from handlers.records.reminders import DueRow, Recorded, Reminder
from handlers.records.write_up import write_plain_up
from handlers.wiring import Tools


def bring_back(message: Message, tools: Tools) -> Recorded[Any] | None:
    """The row that a reminder is about; None when it is overtaken, or nothing is left to post."""
    reminder = Reminder.of(message.fields)
    row = tools.rows_of(reminder.partition).find(reminder.key)
    if row is None or not reminder.is_about(row) or not row.needs_post:
        return None
    if not reminder.documented and tools.documents.read(row.id, reminder.version) is None:
        write_late(row, message, tools)
        row = tools.rows_of(reminder.partition).find(reminder.key)
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
