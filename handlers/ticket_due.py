"""Story: a ticket must change. It is made to show what the row says is true (the table in model/delivery.py).

The only caller of the ticket system. Every step may be repeated; nobody owns a row.
"""

from functools import partial

from handlers.model.delivery import DEFAULT_TARGET, LEASE, Post, Wait, attempted, change_of, next_step, not_posted
from handlers.model.document import Document
from handlers.model.parts import joined
from handlers.records.reminders import DueRow, Reminder, done, on_delivery, remind, shown_by
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.event import event_of
from handlers.tickets.posted_log import log_kept, log_posted, log_waits
from handlers.tickets.posting import Away
from handlers.wiring import Tools


def update_ticket(row: DueRow, reminder: Reminder | None, tools: Tools) -> None:
    """Post what the row's ticket does not show yet. While something is left, the reminder comes back."""
    while row.needs_post and (step := next_step(row.delivery, DEFAULT_TARGET, tools.now())):
        seconds = step.seconds if isinstance(step, Wait) else tools.tickets.closed_for()
        if isinstance(step, Post) and not seconds:
            row, seconds = post_version(row, step, tools)
        if seconds:
            log_waits(row.id, row.recorded_at, tools.now())
            return tools.waiting.add(remind(reminder, seconds, tools.queue), because_away=isinstance(step, Post))
    return done(reminder, tools.queue)


def post_version(row: DueRow, step: Post, tools: Tools) -> tuple[DueRow, float]:
    """Post one version; the row after it, and in how many seconds to go on (0: now)."""
    rows, document = tools.rows_of(row), tools.documents.read(row.id, step.version)
    if document is None:  # somebody is writing it
        return row, LEASE.total_seconds()
    begun = rows.change(row.key, on_delivery(row.id, lambda fresh: attempted(fresh, DEFAULT_TARGET, step, tools.now())))
    if begun is None:  # somebody else was faster
        fresh = rows.find(row.key)
        return (fresh, 0) if fresh else (row, LEASE.total_seconds())
    try:
        posted = post_document(begun, step, document, tools)
    except Away as away:
        ended = partial(not_posted, target=DEFAULT_TARGET, version=step.version, maybe=away.maybe_taken)
        return rows.change(row.key, on_delivery(row.id, ended)) or begun, away.seconds
    tools.waiting.bring_back(tools.queue)
    return rows.change(row.key, shown_by(row.id, step.version, document, posted.id, posted.url)) or begun, 0


def post_document(row: DueRow, step: Post, document: Document, tools: Tools) -> Posted:
    """Post what a version's document says, or keep it if it is refused for good. Raises Away."""
    shown, change_id = row.delivery.at(DEFAULT_TARGET), f"{row.id}.{step.version}"
    event = event_of(document, change_of(shown, document.status), shown, tools.now())
    try:
        posted = tools.tickets.post(event, change_id, may_exist=step.may_exist, parts=document.parts)
    except TicketNotPosted as refusal:
        log_kept(change_id)
        tools.queue.keep_unposted(document.body.encode() or joined(document.parts).encode(), str(refusal))
        return Posted()
    log_posted(event, posted, document, tools.now())
    return posted
