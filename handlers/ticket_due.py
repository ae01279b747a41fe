"""Story: a ticket must change. It is made to show what the row says is true (the table in model/delivery.py).

The only caller of the ticket system. Every step may be repeated; nobody owns a row.
"""

from handlers.model.delivery import DEFAULT_TARGET, Post, Wait, attempted, change_of, next_step
from handlers.model.document import Document
from handlers.model.refusal import RefusalKind
from handlers.records.outcomes import Outcome, given_up, looked_for_in_vain, posted_as, put_off, refused_alone
from handlers.records.reminders import DueRow, Reminder, done, on_delivery, remind
from handlers.tickets.answers import NotFoundYet, TicketNotPosted
from handlers.tickets.event import event_of
from handlers.tickets.posted_log import log_posted, log_waits
from handlers.tickets.posting import Away
from handlers.wiring import Tools


def update_ticket(row: DueRow, reminder: Reminder | None, tools: Tools) -> None:
    """Post what the row's ticket does not show yet. While something is left, the reminder comes back."""
    while row.needs_post and (step := next_step(row.delivery, DEFAULT_TARGET, tools.now(), tools.tickets.lease)):
        seconds = step.seconds if isinstance(step, Wait) else tools.tickets.closed_for()
        if isinstance(step, Post) and not seconds:
            row, seconds = post_version(row, step, tools)
        if seconds:
            log_waits(row.id, row.recorded_at, tools.now())
            return tools.waiting.add(remind(reminder, seconds, tools.queue), because_away=isinstance(step, Post))
    return done(reminder, tools.queue)


def post_version(row: DueRow, step: Post, tools: Tools) -> tuple[DueRow, float]:
    """Post one version; the row after it, and in how many seconds to go on (0: now, as the row then says)."""
    now, lease = tools.now(), tools.tickets.lease
    rows, document = tools.rows_of(row), tools.documents.read(row.id, step.version)
    if document is None:  # somebody is writing it
        return row, lease.total_seconds()
    begun = rows.change(row.key, on_delivery(row.id, lambda fresh: attempted(fresh, DEFAULT_TARGET, step, now, lease)), row)
    if begun is None:  # somebody else was faster
        fresh = rows.find(row.key)
        return (fresh, 0) if fresh else (row, lease.total_seconds())
    outcome = post_document(begun, step, document, tools)
    return rows.change(row.key, outcome.transition, begun) or begun, outcome.seconds


def post_document(row: DueRow, step: Post, document: Document, tools: Tools) -> Outcome:
    """Post what a version's document says; what became of it."""
    shown, change_id = row.delivery.at(DEFAULT_TARGET), f"{row.id}.{step.version}"
    event, past = event_of(document, change_of(shown, document.status), shown, tools.now()), shown.past_of(step.version)
    try:
        posted = tools.tickets.post(event, change_id, may_exist=step.may_exist, past=past, parts=document.parts)
    except Away as away:
        return put_off(row, step, away)
    except NotFoundYet as vain:
        return looked_for_in_vain(row, step, vain, tools.now())
    except TicketNotPosted as refusal:
        if refusal.kind is RefusalKind.TICKET and shown.is_given_up(step.version, tools.now()):
            return given_up(row, step, document, refusal)
        return refused_alone(row, step, refusal, tools.now())
    log_posted(event, posted, document, tools.now())
    tools.waiting.bring_back(tools.queue)
    return posted_as(row, step, document, posted)
