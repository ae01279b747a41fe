"""Story: an alert that nobody can read, or that failed again and again. A plain ticket attaches it, so that a person can act."""

import logging

from handlers.model.delivery import settled
from handlers.model.plain import GAVE_UP, UNREADABLE, PlainTicket, Transition, counted, tried_again
from handlers.records.alert_queue import BodyIsGone, Message
from handlers.records.reminders import DUE, Recorded, Reminder, on_delivery, record, remind
from handlers.records.write_up import row_as_json, write_plain_up
from handlers.wiring import Tools

log = logging.getLogger(__name__)
LAST_TRY = 5  # maxDequeueCount in host.json


def record_unreadable(message: Message, tools: Tools) -> Recorded[PlainTicket] | None:
    """The plain ticket of the alert's shape; None when it need not change for one more alert."""
    key = tools.plain_tickets.key_of_shape(message.content, tools.now())
    return record_plain(PlainTicket.of(key, UNREADABLE, tools.queue.store_body(message.content), tools.now()), counted, tools)


def record_given_up(content: bytes, answer: str, tools: Tools) -> Recorded[PlainTicket] | None:
    """The plain ticket of one alert, to be posted, or to be posted again; `answer` is what refused it."""
    body = tools.queue.store_body(content)
    return record_plain(PlainTicket.of(f"{GAVE_UP} {body}", GAVE_UP, body, tools.now(), answer), tried_again, tools)


def record_plain(new: PlainTicket, transition: Transition, tools: Tools) -> Recorded[PlainTicket] | None:
    """The ticket after a transition, written up."""
    recorded = record(tools.plain_tickets, new.key, lambda ticket: transition(ticket, new, tools.now()), tools.queue)
    if recorded and recorded.reminder:
        write_plain_up(recorded.row, tools)
    return recorded


def work_on_poison(queued: bytes, dequeue_count: int, tools: Tools) -> None:
    """Record a plain ticket for a message that failed too often; a reminder in the queue `alerts` gets it posted."""
    log.error("alert set aside: it failed too often")
    try:
        if (content := content_of(queued, tools)) and (recorded := record_given_up(content, "", tools)):
            remind(recorded.reminder, 0, tools.queue)
    except Exception:
        log.exception("no plain ticket for a poison message")
        if dequeue_count < LAST_TRY:
            raise
        tools.queue.keep_unposted(queued, "it failed too often")


def content_of(queued: bytes, tools: Tools) -> bytes:
    """What a person must see of a poison message: the alert, or the row whose ticket could not be updated. Empty: nothing."""
    try:
        message = tools.queue.open(queued)
    except BodyIsGone:
        return queued
    if message.kind != DUE:
        return message.content
    reminder = Reminder.of(message.fields)
    told = on_delivery(reminder.id, lambda delivery: settled(delivery, reminder.version))
    row = tools.rows_of(reminder.partition).change(reminder.key, told)
    return row_as_json(row) if row else b""
