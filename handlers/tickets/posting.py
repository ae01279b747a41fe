"""Posting through the gate: what the ticket system does not take now is put back, what it will never take is said so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from handlers.model import NotNow
from handlers.model.parts import Part
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.gate import Gate, seconds_of

log = logging.getLogger(__name__)


class Target(Protocol):
    """A ticketing system."""

    def post(self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, parts: Sequence[Part] = ()) -> Posted:
        """Post one event. `change_id` is the same for a repeat; `may_exist`: an earlier try ended without an answer.

        Raises TicketNotPosted.
        """


class Tickets:
    """The one ticketing system that the settings name, as the stories see it."""

    def __init__(self, target: Target, gate: Gate, now: Callable[[], datetime]) -> None:
        self._target, self._gate, self._now = target, gate, now

    def check_open(self) -> None:
        """Raises NotNow while the ticket system is known to be down: then nothing need be read from Azure either."""
        if wait := self._gate.left():
            raise NotNow("the ticket system is down", wait)

    def post(self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, parts: Sequence[Part] = ()) -> Posted:
        """Post one event; `parts` are those of its page. Raises NotNow, or TicketNotPosted when the same event will never be taken."""
        if wait := self._gate.enter():
            raise NotNow("the ticket system is down", wait)
        try:
            posted = self._target.post(event, change_id, may_exist=may_exist, parts=parts)
        except TicketNotPosted as refusal:
            log.warning("ticket not posted: change %s: %s", change_id, refusal)
            if refusal.permanent:
                self._gate.worked()
                raise
            raise NotNow(str(refusal), self._gate.failed(seconds_of(refusal.retry_after, self._now()))) from None
        self._gate.worked()
        return posted
