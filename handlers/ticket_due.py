"""Story: a ticket must change. It is made to show what the row says is true (model/delivery.py). The only caller of the ticket systems."""

from handlers.model.delivery import Wait, next_step
from handlers.model.document import Document
from handlers.records.outcomes import NOT_POSTED, Outcome, Try, not_posted_as, posted_as
from handlers.records.reminders import DueRow, Reminder, Stay
from handlers.records.routing import routed_row
from handlers.tickets.event import event_of
from handlers.tickets.posted_log import log_posted
from handlers.web.links import with_link
from handlers.wiring import Tools


def update_ticket(row: DueRow, reminder: Reminder | None, tools: Tools) -> None:
    """Post what the row's tickets do not show yet. While something is left, the reminder comes back."""
    row, stays = routed_row(row, tools)
    while row.needs_post and not stays:
        for target in row.delivery.tickets:
            row, stay = post_at(target, row, tools)
            stays += [stay] if stay else []
    tools.waiting.send_away(row, reminder, stays, tools.queue, tools.now())


def post_at(target: str, row: DueRow, tools: Tools) -> tuple[DueRow, Stay | None]:
    """Post what one ticket does not show yet; the row after it, and until when to stay away if something is left."""
    tickets = tools.tickets_at(target)
    while row.needs_post and (step := next_step(row.delivery, target, tools.now(), tickets.lease)):
        seconds = step.seconds if isinstance(step, Wait) else tickets.closed_for()
        if not isinstance(step, Wait) and not seconds:
            row, seconds = post_version(Try(row, target, step), tools)
        if seconds:
            return row, Stay(seconds, "" if isinstance(step, Wait) else target)
    return row, None


def post_version(new: Try, tools: Tools) -> tuple[DueRow, float]:
    """Post one version; the row after it, and in how many seconds to go on (0: now, as the row then says)."""
    row, lease = new.row, tools.tickets_at(new.target).lease
    rows, document = tools.rows_of(row), tools.documents.read(row.id, new.step.version)
    if document is None:  # somebody is writing it
        return row, lease.total_seconds()
    if (begun := rows.change(row.key, new.begin(tools.now(), lease), row)) is None:  # somebody else was faster
        fresh = new.overtaken_by(rows.find(row.key))
        return (fresh, 0) if fresh else (row, lease.total_seconds())
    outcome = post_document(Try(begun, new.target, new.step), document, tools)
    return rows.change(row.key, outcome.transition, begun) or begun, outcome.seconds


def post_document(tried: Try, document: Document, tools: Tools) -> Outcome:
    """Post what a version's document says, with the link to its page; what became of it."""
    document, tickets = with_link(document, tried.row.id, tools.settings), tools.tickets_at(tried.target)
    event = event_of(document, tried.change(document), tried.shown, tools.now())
    try:
        posted = tickets.post(event, tried.change_id, may_exist=tried.step.may_exist, past=tried.past, parts=document.parts)
    except NOT_POSTED as refusal:
        return not_posted_as(tried, document, refusal, tools.now())
    log_posted(event, posted, document, tools.now())
    tools.waiting.bring_back(tried.target, tools.queue)
    return posted_as(tried, document, posted)
