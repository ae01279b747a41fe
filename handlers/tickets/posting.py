"""Posting through the gate: what the ticket system does not take now, and what it will never take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from handlers.model.parts import Part
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.event import in_plain_words
from handlers.tickets.gate import Gate, seconds_of
from handlers.tickets.posted_log import log_refused

log = logging.getLogger(__name__)


class Away(Exception):
    """The ticket system takes nothing now. `seconds`: try again after so many; `maybe_taken`: the change may be there all the same."""

    def __init__(self, why: str, seconds: float, *, maybe_taken: bool = False) -> None:
        super().__init__(why)
        self.seconds, self.maybe_taken = seconds, maybe_taken


class Target(Protocol):
    """A ticketing system."""

    def post(self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, parts: Sequence[Part] = ()) -> Posted:
        """Post one event. `change_id` is the same for a repeat; `may_exist`: an earlier try ended without an answer.

        Raises TicketNotPosted.
        """


class Tickets:
    """One ticketing system behind its gate."""

    def __init__(self, target: Target, gate: Gate, now: Callable[[], datetime]) -> None:
        self._target, self._gate, self._now = target, gate, now

    def closed_for(self) -> float:
        """For how many seconds nobody should try, because the ticket system is known to be down; 0: it takes tickets."""
        return self._gate.wait_of_others()

    def post(self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, parts: Sequence[Part] = ()) -> Posted:
        """Post one event, whose page has these parts; in a few plain words if the page is refused for good.

        A target may refuse a long page and take a short one. Both are one change and have one id: whichever was taken, a repeat of
        either is recognised. Raises Away, or TicketNotPosted when not even plain words will ever be taken.
        """
        try:
            return self._post(event, change_id, may_exist, parts)
        except TicketNotPosted as refusal:
            log_refused(change_id)
            return self._post(in_plain_words(event, str(refusal)), change_id, True, ())

    def _post(self, event: dict[str, Any], change_id: str, may_exist: bool, parts: Sequence[Part]) -> Posted:
        if not self._gate.enter():
            raise Away("the ticket system is down", self._gate.wait_of_others())
        try:
            posted = self._target.post(event, change_id, may_exist=may_exist, parts=parts)
        except TicketNotPosted as refusal:
            log.warning("ticket not posted: change %s: %s", change_id, refusal)
            if refusal.permanent:
                self._gate.worked()
                raise
            self._gate.failed(seconds_of(refusal.retry_after, self._now()))
            raise Away(str(refusal), self._gate.wait_of_failed(), maybe_taken=refusal.maybe_taken) from None
        self._gate.worked()
        return posted
