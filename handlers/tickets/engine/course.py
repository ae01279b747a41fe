"""What is done with a known ticket, by what is due and by what is read of it. The table is `way_of`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from handlers.model.refusal import RefusalKind
from handlers.tickets.engine.definition import Definition, Ticket
from handlers.tickets.engine.expressions import holds

ON_CLOSED = ("reopen", "new", "note")
"""What a further failure does to a ticket that a person has closed: the option `on_closed`."""
AWAY = (401, 407, 408, 425, 429)
"""Statuses that are no word about the request itself; so is every one but 400 to 499."""


class State(StrEnum):
    """A ticket as it is read, or as it is taken to be where it cannot be read."""

    OPEN = "open"
    CLOSED = "closed"
    FINAL = "final"
    """Closed, and nothing opens it again."""
    SILENCED = "silenced"
    """Closed with a word that means: this will not be mended."""
    MERGED = "merged"
    """An open ticket that another one was merged into: that one's end is not ours."""
    GONE = "gone"


class Way(StrEnum):
    """The steps that are made; `SUCCEED` opens another ticket, which names the first."""

    UPDATE = "update"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    SUCCEED = "open"
    NOTHING = ""


def state_of(ticket: Ticket, names: Mapping[str, Any], operation: str) -> State:
    """By the first of the file's expressions that holds. A word that silences does so until the next good backup."""
    told = (
        (ticket.gone, State.GONE), (ticket.silenced if operation == "update" else "", State.SILENCED), (ticket.final, State.FINAL),
        (ticket.closed, State.CLOSED), (ticket.merged, State.MERGED),
    )  # fmt: skip
    return next((state for expression, state in told if expression and holds(expression, names)), State.OPEN)


def way_of(operation: str, state: State, on_closed: str) -> Way:
    """
    | read | further failure | good backup | failure after a good backup |
    |---|---|---|---|
    | open | note | resolved | note |
    | merged | note | note | note |
    | closed | `on_closed` | nothing | reopened |
    | closed for good | `on_closed`, another ticket instead of reopening | nothing | another ticket |
    | closed as *will not be mended* | nothing | nothing | as closed |
    | gone | another ticket | nothing | another ticket |
    """
    is_closed = state not in (State.OPEN, State.MERGED)
    if operation == "resolve":
        return Way.NOTHING if is_closed else Way.UPDATE if state is State.MERGED else Way.RESOLVE
    if not is_closed:
        return Way.UPDATE
    if state is State.GONE:
        return Way.SUCCEED
    if operation == "update" and (state is State.SILENCED or on_closed != "reopen"):
        return Way.NOTHING if state is State.SILENCED else Way.UPDATE if on_closed == "note" else Way.SUCCEED
    return Way.SUCCEED if state is State.FINAL else Way.REOPEN


def kind_of(status: int, wait: str, *, existing: bool, system: Definition) -> RefusalKind:
    """Whom a refusal concerns. `existing`: the request was about a known ticket. `wait`: how long the system asks to stay away.

    Of a system that knows its tickets by our key every request goes to one address: it is the file that says what concerns one ticket.
    """
    answers = system.answers
    if (
        (wait and status not in answers.permanent)
        or status in AWAY
        or not (400 <= status < 500 or (existing and status in answers.gone))
    ):
        return RefusalKind.SYSTEM
    if not system.ticket.known_by_key:
        return RefusalKind.TICKET if existing else RefusalKind.CONFIGURATION
    if existing and status in answers.ticket:
        return RefusalKind.TICKET
    return RefusalKind.CONFIGURATION if status in answers.permanent else RefusalKind.SYSTEM
