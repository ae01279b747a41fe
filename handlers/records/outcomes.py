"""What became of a try to post a version: the transition of its row, and how long to stay away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from handlers.model.delivery import Post, Shown, attempted, change_of, looked_for, not_posted, refused, routed
from handlers.model.document import Document
from handlers.model.refusal import Past, RefusalKind
from handlers.records.reminders import DueRow, on_delivery, shown_by
from handlers.tickets.answers import NotFoundYet, Posted, TicketNotPosted
from handlers.tickets.posted_log import log_given_up, log_refused
from handlers.tickets.posting import Away

type NotPosted = Away | NotFoundYet | TicketNotPosted
NOT_POSTED = (Away, NotFoundYet, TicketNotPosted)


class Try(Struct, frozen=True):
    """A version of a row that is posted at one target."""

    row: DueRow
    target: str
    step: Post

    @property
    def shown(self) -> Shown:
        """What the ticket there shows."""
        return self.row.delivery.at(self.target)

    @property
    def change_id(self) -> str:
        return f"{self.row.id}.{self.step.version}"

    def change(self, document: Document) -> str:
        """What posting the version does to the ticket."""
        return change_of(self.shown, document.status)

    def begin(self, now: datetime, lease: timedelta) -> Callable[[Any], Any]:
        """The transition to a row that says that somebody posts it now; its targets are decided from then on."""
        targets = self.row.delivery.tickets
        return on_delivery(self.row.id, lambda fresh: attempted(routed(fresh, targets), self.target, self.step, now, lease))

    def overtaken_by(self, fresh: DueRow | None) -> DueRow | None:
        """The row as somebody else has made it meanwhile; None when it is another one by now."""
        after = on_delivery(self.row.id, lambda delivery: routed(delivery, self.row.delivery.tickets))(fresh)
        return after

    @property
    def past(self) -> Past:
        """What came of the earlier tries."""
        return self.shown.past_of(self.step.version)


class Outcome(Struct, frozen=True):
    """`seconds`: until the next try; 0: at once, or when the row says."""

    transition: Callable[[Any], Any]
    seconds: float = 0


def posted_as(tried: Try, document: Document, posted: Posted) -> Outcome:
    """The ticket shows the version."""
    return Outcome(shown_by(tried.row.id, tried.target, tried.step.version, document, posted.id, posted.url))


def not_posted_as(tried: Try, document: Document, refusal: NotPosted, now: datetime) -> Outcome:
    """Why the version is not posted, and what that means for the next try."""
    if isinstance(refusal, Away):
        return put_off(tried, refusal)
    if isinstance(refusal, NotFoundYet):
        return looked_for_in_vain(tried, refusal, now)
    if refusal.kind is RefusalKind.TICKET and tried.shown.is_given_up(tried.step.version, now):
        return given_up(tried, document, refusal)
    return refused_alone(tried, refusal, now)


def put_off(tried: Try, away: Away) -> Outcome:
    """The ticket system takes nothing now."""
    maybe, version = away.maybe_taken, tried.step.version
    ended = on_delivery(tried.row.id, lambda fresh: not_posted(fresh, tried.target, version, maybe=maybe))
    return Outcome(ended, seconds=away.seconds)


def looked_for_in_vain(tried: Try, vain: NotFoundYet, now: datetime) -> Outcome:
    """A ticket whose answer was lost is looked for once more before it is opened again."""
    again_at = now + timedelta(seconds=vain.seconds)
    return Outcome(on_delivery(tried.row.id, lambda fresh: looked_for(fresh, tried.target, tried.step.version, again_at)))


def refused_alone(tried: Try, refusal: TicketNotPosted, now: datetime) -> Outcome:
    """This change is refused, and others are not: it waits alone."""
    version, kind, maybe, told = tried.step.version, refusal.kind, refusal.maybe_taken, refusal.told
    log_refused(tried.change_id, kind, str(refusal))
    return Outcome(
        on_delivery(tried.row.id, lambda fresh: refused(fresh, tried.target, version, now, kind, maybe=maybe, told=told))
    )


def given_up(tried: Try, document: Document, refusal: TicketNotPosted) -> Outcome:
    """One ticket has refused the change for a week: nobody tries it again."""
    log_given_up(tried.change_id, str(refusal))
    return Outcome(shown_by(tried.row.id, tried.target, tried.step.version, document, "", ""))
