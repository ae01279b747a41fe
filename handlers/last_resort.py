"""Story: an alert that nobody can read, or that failed again and again. A plain ticket attaches it, so that a person can act."""

import logging

from handlers.model.delivery import DEFAULT_TARGET, showing
from handlers.model.plain import GAVE_UP, UNREADABLE, PlainTicket, counted, tried_again
from handlers.records.alert_queue import ALERT, BodyIsGone, Message
from handlers.records.reminders import DUE, Recorded, Reminder, on_delivery, record
from handlers.records.rows import row_as_json
from handlers.records.write_up import write_plain_up
from handlers.wiring import Tools

log = logging.getLogger(__name__)

LAST_TRY = 5
"""`maxDequeueCount` in host.json: a message of the poison queue that fails so often has no other place to go."""


def record_unreadable(message: Message, tools: Tools) -> Recorded[PlainTicket] | None:
    """The plain ticket of the alert's shape; None when it need not change for one more alert."""
    now = tools.now()
    key = tools.plain_tickets.key_of_shape(message.content, now)
    new = PlainTicket.of(key, UNREADABLE, tools.queue.store_body(message.content), now)
    return written(record(tools.plain_tickets, new.key, lambda ticket: counted(ticket, new, now), tools.queue), tools)


def work_on_poison(queued: bytes, dequeue_count: int, tools: Tools) -> None:
    """Record a plain ticket for a message that failed too often; a reminder in the queue `alerts` gets it posted."""
    log.error("alert set aside: it failed too often")
    try:
        if content := content_of(queued, tools):
            record_given_up(content, "", tools)
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
    if message.kind == DUE:
        reminder = Reminder.of(message.fields)
        rows = tools.rows_of(reminder.partition)
        settled = on_delivery(reminder.id, lambda fresh: showing(fresh, DEFAULT_TARGET, reminder.version, "open"))
        row = rows.change(reminder.key, settled)
        return row_as_json(row) if row else b""
    return message.content if message.kind == ALERT else b""


def record_given_up(content: bytes, answer: str, tools: Tools) -> Recorded[PlainTicket] | None:
    """The plain ticket of one alert, to be posted, or to be posted again; `answer` is what refused it."""
    now, body = tools.now(), tools.queue.store_body(content)
    new = PlainTicket.of(f"{GAVE_UP} {body}", GAVE_UP, body, now, answer)
    return written(record(tools.plain_tickets, new.key, lambda ticket: tried_again(ticket, new, now), tools.queue), tools)


def written(recorded: Recorded[PlainTicket] | None, tools: Tools) -> Recorded[PlainTicket] | None:
    """The same, with what the newest version says kept if there is one to be posted."""
    if recorded and recorded.reminder:
        write_plain_up(recorded.row, tools)
    return recorded
