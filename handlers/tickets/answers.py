"""How a ticketing system's answer is told to the rest of the app."""

from __future__ import annotations

from dataclasses import dataclass


class TicketNotPosted(Exception):
    """The target did not take the ticket. `retry_after` is what it asked for, `permanent` means: the same again is useless.

    `maybe_taken`: the ticket may be there all the same, because an answer was lost or an earlier request of the same change was taken.
    """

    def __init__(
        self, why: str, *, retry_after: str = "", permanent: bool = False, status: int = 0, maybe_taken: bool = True
    ) -> None:
        super().__init__(why)
        self.retry_after, self.permanent, self.status, self.maybe_taken = retry_after, permanent, status, maybe_taken


@dataclass(frozen=True, slots=True)
class Posted:
    """The ticket as the target names it; both empty when its answer does not say."""

    id: str = ""
    url: str = ""
