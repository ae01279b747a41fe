"""What became of a try to post a version: the transition of its row, and how long to stay away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handlers.model.delivery import DEFAULT_TARGET, Post, looked_for, not_posted, refused
from handlers.model.document import Document
from handlers.records.reminders import DueRow, on_delivery, shown_by
from handlers.tickets.answers import NotFoundYet, Posted, TicketNotPosted
from handlers.tickets.posted_log import log_given_up, log_refused
from handlers.tickets.posting import Away


@dataclass(frozen=True, slots=True)
class Outcome:
    """`seconds`: until the next try; 0: at once, or when the row says."""

    transition: Callable[[Any], Any]
    seconds: float = 0


def posted_as(row: DueRow, step: Post, document: Document, posted: Posted) -> Outcome:
    """The ticket shows the version."""
    return Outcome(shown_by(row.id, step.version, document, posted.id, posted.url))


def put_off(row: DueRow, step: Post, away: Away) -> Outcome:
    """The ticket system takes nothing now."""
    maybe, version = away.maybe_taken, step.version
    return Outcome(
        on_delivery(row.id, lambda fresh: not_posted(fresh, DEFAULT_TARGET, version, maybe=maybe)), seconds=away.seconds
    )


def looked_for_in_vain(row: DueRow, step: Post, vain: NotFoundYet, now: datetime) -> Outcome:
    """A ticket whose answer was lost is looked for once more before it is opened again."""
    again_at = now + timedelta(seconds=vain.seconds)
    return Outcome(on_delivery(row.id, lambda fresh: looked_for(fresh, DEFAULT_TARGET, step.version, again_at)))


def refused_alone(row: DueRow, step: Post, refusal: TicketNotPosted, now: datetime) -> Outcome:
    """This change is refused, and others are not: it waits alone."""
    version, kind, maybe, told = step.version, refusal.kind, refusal.maybe_taken, refusal.told
    log_refused(f"{row.id}.{version}", kind, str(refusal))
    return Outcome(on_delivery(row.id, lambda fresh: refused(fresh, DEFAULT_TARGET, version, now, kind, maybe=maybe, told=told)))


def given_up(row: DueRow, step: Post, document: Document, refusal: TicketNotPosted) -> Outcome:
    """One ticket has refused the change for a week: nobody tries it again."""
    log_given_up(f"{row.id}.{step.version}", str(refusal))
    return Outcome(shown_by(row.id, step.version, document, "", ""))
