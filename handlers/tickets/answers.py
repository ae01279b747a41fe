"""How a ticketing system's answer is told to the rest of the app."""

from __future__ import annotations

from dataclasses import dataclass


class TicketNotPosted(Exception):
    """The target did not take the ticket. `retry_after` is what it asked for, `permanent` means: the same again is useless."""

    def __init__(self, why: str, *, retry_after: str = "", permanent: bool = False, status: int = 0) -> None:
        super().__init__(why)
        self.retry_after, self.permanent, self.status = retry_after, permanent, status


@dataclass(frozen=True, slots=True)
class Posted:
    """The ticket as the target names it; both empty when its answer does not say."""

    id: str = ""
    url: str = ""
