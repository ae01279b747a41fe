"""A change of a ticket that is known: it is read first, and what it refuses concerns it alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from handlers.model.parts import Part
from handlers.model.refusal import REFUSALS_TO_SUCCEED, REFUSALS_TO_TELL, Past, RefusalKind
from handlers.model.text import one_line
from handlers.runbook.markup import code_span
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.course import State, Way, state_of, way_of
from handlers.tickets.engine.definition import Definition, Step

log = logging.getLogger(__name__)
type Names = dict[str, Any]


class Client(Protocol):
    """What of a target is used here."""

    system: Definition
    on_closed: str

    def run(self, steps: Sequence[Step], names: Names) -> Names: ...
    def opened(self, names: Names) -> Posted: ...
    def attach(self, names: Names) -> None: ...
    def found(self, names: Names, other_than: str = "") -> Posted | None: ...
    def posted(self, names: Names) -> Posted: ...
    def as_read(self, names: Names) -> Names: ...
    def with_words(self, names: Names, name: str, parts: Sequence[Part], **values: Any) -> Names: ...


class KnownTicket(Struct, frozen=True):
    """`names`: what is known of the change, its ticket among it."""

    client: Client
    names: Names
    operation: str
    may_exist: bool
    past: Past

    @property
    def ticket(self) -> Posted:
        return Posted(self.names["ticket"]["id"] or "", self.names["ticket"]["url"] or "")

    def changed(self) -> Posted:
        """The ticket after the change, or the one that follows it. Raises TicketNotPosted."""
        names = self.names | {"existing": True}
        try:
            names, state = self._read(names)
            way = way_of(self.operation, state, self.client.on_closed)
            after = self._made(way, names, state)
        except TicketNotPosted as refusal:
            if refusal.kind is not RefusalKind.TICKET:
                raise
            return self._after(refusal, names)
        return after

    def _made(self, way: Way, names: Names, state: State) -> Posted:
        if way is Way.SUCCEED:
            return self._succeeded(f"is {state}")
        if way is Way.NOTHING:
            log.info("ticket %s is %s: nothing is done", one_line(self.ticket.id, 60), state)
            return self.ticket
        after = self.client.run(getattr(self.client.system, way) or self.client.system.update, names)
        if self.operation != "resolve":
            self.client.attach(after)
        return self.ticket if self.ticket.id else self.client.posted(after)

    def _read(self, names: Names) -> tuple[Names, State]:
        """What is known after reading, and how the ticket stands. One that cannot be read is taken to be as the app left it."""
        system = self.client.system
        if not system.read:
            return names, State.CLOSED if self.operation == "reopen" else State.OPEN
        try:
            names = self.client.run(system.read, names | {"reading": True}) | {"reading": False}
        except TicketNotPosted as refusal:
            if not refusal.gone:
                raise
            return names, State.GONE
        state = state_of(system.ticket, {"one": names.get("answer"), **names}, self.operation)
        return names if state is State.GONE else self.client.as_read(names), state

    def _after(self, refusal: TicketNotPosted, names: Names) -> Posted:
        """What one ticket refuses: another ticket for a further failure, a note for a state that cannot be set. Raises the refusal."""
        refusals, ends = self.past.refusals + 1, self.operation == "resolve"
        if ends and refusal.gone:
            log.warning("ticket %s is gone: there is nothing to resolve", one_line(self.ticket.id, 60))
            return self.ticket
        can_succeed = not ends and not self.client.system.ticket.known_by_key
        if can_succeed and (refusal.gone or refusals >= REFUSALS_TO_SUCCEED):
            return self._succeeded("is gone" if refusal.gone else "cannot be changed")
        if ends and refusals >= REFUSALS_TO_TELL and not refusal.told and self._closed_without_a_word(names):
            return self.ticket
        if self.operation != "update" and refusals == REFUSALS_TO_TELL:
            refusal.told = self._told(refusal, names) or refusal.told
        raise refusal

    def _closed_without_a_word(self, names: Names) -> bool:
        """Whether a ticket that takes no note, because its discussion is locked, could be closed without one."""
        steps = self.client.system.resolve
        if self.past.told or not any("told" in step.when for step in steps):
            return False
        try:
            self.client.run(steps, names | {"told": True})
        except TicketNotPosted:
            return False
        return True

    def _succeeded(self, why: str) -> Posted:
        """Open another ticket, which names the one that it follows."""
        if self.may_exist and (found := self.client.found(self.names, other_than=self.ticket.id)):
            return found
        log.warning("ticket %s %s: another one is opened", one_line(self.ticket.id, 60), why)
        words = self.client.with_words(self.names, "successor", self.names["parts"], ticket=reference(self.names["ticket"]))
        return self.client.opened(words)

    def _told(self, refusal: TicketNotPosted, names: Names) -> bool:
        """Whether a note was taken that says why the ticket is not closed, or not opened again."""
        parts = () if self.past.told or refusal.told else names["parts"]
        name = {"resolve": "not_resolved", "reopen": "not_reopened"}[self.operation]
        try:
            words = self.client.with_words(names, name, parts, answer=code_span(refusal))
            self.client.run(self.client.system.update, words)
        except TicketNotPosted as error:
            log.info("nor is a note taken: %s", error)
            return False
        return True


def reference(ticket: Mapping[str, Any]) -> str:
    """A ticket's id as Markdown, a link to it if its address is a plain one."""
    url = str(ticket.get("url") or "")
    named = code_span(ticket["id"])
    return f"[{named}](<{url}>)" if re.fullmatch(r"https?://[^\s<>`]+", url) else named
