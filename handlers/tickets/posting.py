"""Posting through the gate: what the ticket system does not take now, and what it will never take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from handlers.model.delivery import LEASE
from handlers.model.parts import Part
from handlers.model.refusal import Past, RefusalKind
from handlers.tickets.answers import NotFoundYet, Posted, TicketNotPosted
from handlers.tickets.event import in_plain_words
from handlers.tickets.gate import Gate, seconds_of
from handlers.tickets.posted_log import log_shortened

log = logging.getLogger(__name__)

NO_PAST = Past()


class Away(Exception):
    """The ticket system takes nothing now. `seconds`: try again after so many; `maybe_taken`: the change may be there all the same."""

    def __init__(self, why: str, seconds: float, *, maybe_taken: bool = False) -> None:
        super().__init__(why)
        self.seconds, self.maybe_taken = seconds, maybe_taken


class Target(Protocol):
    """A ticketing system."""

    def post(
        self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST, parts: Sequence[Part] = ()
    ) -> Posted:
        """Post one event. `change_id` is the same for a repeat; `may_exist`: an earlier try ended without an answer.

        Raises TicketNotPosted, NotFoundYet.
        """


class Tickets:
    """One ticketing system behind its gate."""

    def __init__(self, target: Target, gate: Gate, now: Callable[[], datetime], lease: timedelta = LEASE, name: str = "") -> None:
        """`lease`: how long a try may take before somebody else repeats it. `name`: what the log calls it, if there are several."""
        self._target, self._gate, self._now, self.lease = target, gate, now, lease
        self._at = f" at {name}" if name else ""

    def closed_for(self) -> float:
        """For how many seconds nobody should try, because the ticket system is known to be down; 0: it takes tickets."""
        return self._gate.wait_of_others()

    def post(
        self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST, parts: Sequence[Part] = ()
    ) -> Posted:
        """Post one event, whose page has these parts; in a few plain words if the page itself may be what is refused.

        A target may refuse a long page and take a short one. Both are one change and have one id: whichever was taken, a repeat of
        either is recognised. Raises Away for a refusal of the system, TicketNotPosted for the other kinds, and NotFoundYet.
        """
        try:
            return self._post(event, change_id, may_exist, past, parts)
        except TicketNotPosted as refusal:
            if not is_the_pages(refusal, event, past):
                raise
            plain = in_plain_words(event, str(refusal))
            after = Past(past.searches + 1, told=past.told or refusal.told)
            posted = self._post(plain, change_id, may_exist or refusal.maybe_taken, after, ())
            log_shortened(change_id, str(refusal))
            return posted

    def _post(self, event: dict[str, Any], change_id: str, may_exist: bool, past: Past, parts: Sequence[Part]) -> Posted:
        if not self._gate.enter():
            raise Away("the ticket system is down", self._gate.wait_of_others())
        try:
            posted = self._target.post(event, change_id, may_exist=may_exist, past=past, parts=parts)
        except NotFoundYet:
            self._gate.worked()
            raise
        except TicketNotPosted as refusal:
            log.warning("ticket not posted: change %s%s: %s", change_id, self._at, refusal)
            if refusal.kind is not RefusalKind.SYSTEM:
                self._gate.answered()
                raise
            self._gate.failed(seconds_of(refusal.retry_after, self._now()))
            raise Away(str(refusal), self._gate.wait_of_failed(), maybe_taken=refusal.maybe_taken) from None
        self._gate.worked()
        return posted


def is_the_pages(refusal: TicketNotPosted, event: dict[str, Any], past: Past) -> bool:
    """Whether a few plain words may be taken: asked once of a ticket that refuses, and never for a recovery, whose page is short."""
    alone = refusal.kind is RefusalKind.TICKET
    return refusal.permanent and not (alone and (past.refusals or event["type"].endswith(".resolved")))


class TicketsByName(Mapping[str, Tickets]):
    """Ticketing systems by the name of their target. Each is made when it is first needed, once."""

    def __init__(self, makers: Mapping[str, Callable[[], Tickets]]) -> None:
        self._makers, self._made, self._lock = makers, dict[str, Tickets](), threading.Lock()

    def __getitem__(self, name: str) -> Tickets:
        with self._lock:
            if name not in self._made:
                self._made[name] = self._makers[name]()
            return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers
