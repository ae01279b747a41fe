"""How a ticketing system's answer is told to the rest of the app."""

from __future__ import annotations

from msgspec import Struct

from handlers.model.refusal import RefusalKind


class TicketNotPosted(Exception):
    """The target did not take the ticket.

    `kind`: who must do something. `retry_after`: what it asked for. `permanent`: this page again is useless, plain words may do.
    `maybe_taken`: the ticket may be there all the same, because an answer was lost or an earlier request of the same change was
    taken. `told`: the text of the change stands on the known ticket. `gone`: the known ticket is not there any more.
    """

    def __init__(
        self, why: str, *, kind: RefusalKind = RefusalKind.SYSTEM, retry_after: str = "", permanent: bool = False,
        status: int = 0, maybe_taken: bool = True, told: bool = False, gone: bool = False, said: str = "",
    ) -> None:  # fmt: skip
        """`said`: the answer as it came, to see which fields it names. It never reaches a log or a ticket."""
        super().__init__(why)
        self.kind, self.retry_after, self.permanent, self.status = kind, retry_after, permanent, status
        self.maybe_taken, self.told, self.gone, self.said = maybe_taken, told, gone, said


class NotFoundYet(Exception):
    """A ticket whose answer was lost is not found. It is looked for once more after so many seconds, then opened again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"looked for again in {seconds:.0f} seconds")
        self.seconds = seconds


class Posted(Struct, frozen=True):
    """The ticket as the target names it; both empty when its answer does not say."""

    id: str = ""
    url: str = ""
