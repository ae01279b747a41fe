"""What a refusal of the ticket system means: one of three kinds, each with its own waits. Only the first concerns other tickets."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct


class RefusalKind(StrEnum):
    """Who must do something before the same change can be taken."""

    SYSTEM = "system"
    """The ticket system is away or asks to wait: nobody posts anything (tickets/gate.py)."""
    TICKET = "ticket"
    """This ticket may not be touched: it was moved, locked, deleted, or something blocks its change. It waits alone."""
    CONFIGURATION = "configuration"
    """A field, a right or an option is wrong: the change stays due until somebody has put it right."""


WAITS = {
    RefusalKind.TICKET: (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1)),
    RefusalKind.CONFIGURATION: (timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)),
}
"""How long a refused change waits after the first, second … refusal in a row; somebody else's edit is over within a minute."""
GIVEN_UP_AFTER = timedelta(days=7)
"""For so long a change is tried that one ticket refuses."""
REFUSALS_TO_SUCCEED = 3
"""From this refusal on a further failure gets another ticket, which names the one that refuses."""
REFUSALS_TO_TELL = 2
"""At this refusal a note on the ticket says that it cannot be closed, or opened again."""


class Past(Struct, frozen=True):
    """What came of the earlier tries of a change."""

    searches: int = 0
    """How often a ticket was looked for in vain after its answer was lost."""
    refusals: int = 0
    """How often it was refused."""
    told: bool = False
    """The text of the change stands on the ticket already, only its state is missing."""


def wait_after(kind: RefusalKind, refusals: int) -> timedelta:
    """How long to wait after so many refusals in a row."""
    waits = WAITS[kind]
    return waits[min(refusals, len(waits)) - 1]
