"""What the failed items of a storm share that those which succeed beside them do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

type Things = Mapping[str, frozenset[str] | None]
"""Of one VM, by kind (`lock`, `network_security_group` …): the ids or values; None when it is not known."""


class SharedThing(Struct, frozen=True):
    """A thing, on how many of the failed it is, and on how many of those that succeed."""

    kind: str
    value: str
    """Its id, or what it is: `1.0.113.0`."""
    failed_with: int
    failed: int
    """Of how many failed items it is known."""
    healthy_with: int
    healthy: int
    p: float
    """Of the exact test, times the number of things that were tested."""
    also: tuple[tuple[str, str], ...] = ()
    """Other things, by kind and value, that the very same items share."""
    changed_at: datetime | None = None
    """When it was made or changed last before the first failure, as far as Azure tells."""

    @property
    def name(self) -> str:
        return self.value.rstrip("/").rpartition("/")[2]

    @property
    def odds(self) -> int:
        """Once in how many times chance alone would do it; 0: more seldom than once in a million."""
        return int(1 / self.p) if self.p >= 1e-6 else 0

    @property
    def with_it(self) -> int:
        """On how many of those that were tried it is at all."""
        return self.failed_with + self.healthy_with


class Comparison(Struct, frozen=True):
    """The failed and the healthy items of a storm's scope, compared."""

    failed: int = 0
    healthy: int = 0
    unread: int = 0
    """Failed items of which nothing could be read."""
    shared: SharedThing | None = None
    """The likely common cause."""
    why_none: str = ""
    """`few_failed`, `no_neighbours`, `unread` or `nothing_shared`; empty when there is one."""
