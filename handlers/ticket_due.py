"""Story: the ticket of an incident, a storm or a plain ticket must change. It is made to show what is true now.

The only caller of the ticket system. What is done follows from what the row says (the table in model/delivery.py), not from the
message that came: every step may be repeated, and nobody owns a row.
"""

from handlers.model.delivery import DEFAULT_TARGET, LEASE, Post, Wait, attempted, change_of, next_step, not_posted
from handlers.model.document import Document
from handlers.records.reminders import DueRow, Reminder, done, on_delivery, remind, shown_by
from handlers.runbook.templates import message as text
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.event import event_of, in_plain_words
from handlers.tickets.posted_log import log_posted, log_refused
from handlers.tickets.posting import Away
from handlers.wiring import Tools


def update_ticket(row: DueRow, reminder: Reminder | None, tools: Tools) -> None:
    """Post what the row's ticket does not show yet. While something is left, the reminder comes back."""
    while row.needs_post and (step := next_step(row.delivery, DEFAULT_TARGET, tools.now())):
        seconds = step.seconds if isinstance(step, Wait) else tools.tickets.closed_for()
        if isinstance(step, Post) and not seconds:
            row, seconds = post_version(row, step, tools)
        if seconds:
            return remind(reminder, seconds, tools.queue)
    return done(reminder, tools.queue)


def post_version(row: DueRow, step: Post, tools: Tools) -> tuple[DueRow, float]:
    """Post one version; the row after it, and in how many seconds to go on (0: now)."""
    rows, document = tools.rows_of(row), tools.documents.read(row.id, step.version)
    if document is None:  # somebody is writing it, or the reminder finds that it is missing
        return row, LEASE.total_seconds()
    now = tools.now()
    begun = rows.change(row.key, on_delivery(row.id, lambda fresh: attempted(fresh, DEFAULT_TARGET, step, now)))
    if begun is None:  # somebody else was faster
        return rows.find(row.key) or row, 0
    try:
        posted = post_document(begun, step, document, tools)
    except Away as away:
        maybe = away.maybe_taken
        ended = on_delivery(row.id, lambda fresh: not_posted(fresh, DEFAULT_TARGET, step.version, maybe=maybe))
        return rows.change(row.key, ended) or begun, away.seconds
    return rows.change(row.key, shown_by(row.id, step.version, document, posted.id, posted.url)) or begun, 0


def post_document(row: DueRow, step: Post, document: Document, tools: Tools) -> Posted:
    """Post what a version's document says; in a few plain words if the page is refused for good. Raises Away."""
    shown, change_id = row.delivery.at(DEFAULT_TARGET), f"{row.id}.{step.version}"
    event = event_of(document, change_of(shown, document.status), shown, tools.now())
    try:
        posted = tools.tickets.post(event, change_id, may_exist=step.may_exist, parts=document.parts)
    except TicketNotPosted as refusal:
        log_refused(change_id)
        code, item = (event["data"]["error"] or {}).get("code") or "–", event["data"]["protected_item"]["name"]
        words = text(tools.settings.runbook_language, "refused", code=code, item=item, answer=refusal)
        try:
            posted = tools.tickets.post(in_plain_words(event, words), change_id, may_exist=True)
        except TicketNotPosted as again:
            tools.queue.keep_unposted(document.body.encode() or words.encode(), str(again))
            return Posted()
    log_posted(event, posted, document, tools.now())
    return posted
