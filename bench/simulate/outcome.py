"""What is played, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.simulate.limits import Limits, Prices
from bench.simulate.night import Estate, Failure

READS, QUERIES, ROWS, ACCOUNT, QUEUE = "reads", "queries", "rows", "account", "queue"
TICKETS, INSTANCES = "tickets", "instances"
BOUNDS = (READS, QUERIES, ROWS, ACCOUNT, QUEUE, TICKETS, INSTANCES)


@dataclass(frozen=True)
class Setup:
    """One deployment and one estate."""

    estate: Estate
    instances: int = 40
    """The most that the platform may start."""
    started: int = 1
    """How many run before the first alert."""
    threshold: int = 20
    window_minutes: float = 15
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)


@dataclass
class Outcome:
    """What came of a night. Times are seconds of the virtual clock."""

    failures: list[Failure]
    told_at: list[float]
    """When each failure's ticket was out: its own, or its storm's with it as a member; -1: never."""
    alone: int = 0
    storms: int = 0
    posts: int = 0
    reads: float = 0.0
    queries: float = 0.0
    unread: int = 0
    """Tickets that say of some facts that they could not be read, because a limit was reached; they are read later."""
    never_read: int = 0
    """Those of them for which that has not worked after the last repetition."""
    rows: float = 0.0
    messages: float = 0.0
    executions: int = 0
    cpu: float = 0.0
    """Seconds of all instances' processors."""
    blobs: float = 0.0
    given_up: dict[str, float] = field(default_factory=lambda: {READS: 0.0, QUERIES: 0.0})
    """Reads and queries that were not made at first, by what they would have waited for."""
    complete_at: float = 0.0
    """When the last fact was read: second readings and background passes too."""
    instance_seconds: float = 0.0
    instances: int = 0
    held_slots: float = 0.0
    """Seconds in which messages were worked on."""
    waits: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BOUNDS, 0.0))
    """Seconds that messages on the way to a ticket waited for a bound."""
    usd: float = 0.0

    @property
    def lost(self) -> int:
        return sum(at < 0 for at in self.told_at)

    def late(self) -> list[float]:
        """Seconds from each alert to its ticket, shortest first."""
        return sorted(told - failure.at for told, failure in zip(self.told_at, self.failures, strict=True))

    @property
    def last_ticket(self) -> float:
        """Seconds from the first alert to the last ticket."""
        return max(self.told_at) - self.failures[0].at if self.failures else 0.0

    def blamed(self) -> dict[str, float]:
        """The waits, where waiting for an instance is put down to what the instances themselves waited for.

        An instance whose processor is always at work waits for nothing else.
        """
        blocked = {bound: seconds for bound, seconds in self.waits.items() if bound != INSTANCES}
        idle = 1 - min(1.0, self.cpu / self.instance_seconds) if self.instance_seconds else 1.0
        part = min(idle, sum(blocked.values()) / self.held_slots) if self.held_slots else 0.0
        total, queued = sum(blocked.values()) or 1.0, self.waits[INSTANCES]
        shares = {bound: seconds + queued * part * seconds / total for bound, seconds in blocked.items()}
        return shares | {INSTANCES: queued * (1 - part)}

    @property
    def binds(self) -> str:
        """What tickets waited for most, or left facts out for; empty where neither is so.

        Tickets wait for something if it costs them a second on average.
        """
        bound, seconds = max(self.blamed().items(), key=lambda pair: pair[1])
        missing = max(self.given_up, key=self.given_up.__getitem__)
        return bound if seconds >= len(self.failures) else missing if self.unread else ""
