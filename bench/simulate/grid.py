"""The points of docs/scale.md: every estate, with one instance to forty and one subscription to two thousand, on both nights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bench.simulate.costs import Costs, measured_costs
from bench.simulate.model import play
from bench.simulate.night import BAD, BUSY, ORDINARY, Estate, Failure, Night, failures_of
from bench.simulate.outcome import Outcome, Setup

SEED = 20261126
ITEMS = (1_000, 10_000, 100_000, 1_000_000)
SIZES = ((1, 40), (20, 1), (20, 8), (20, 40), (2_000, 40))
"""Subscriptions, and the most instances that may be started."""
NIGHTS = (ORDINARY, BUSY, BAD)


@dataclass(frozen=True)
class Figures:
    """What docs/scale.md says of a point. Seconds and dollars of one night."""

    night: str
    items: int
    subscriptions: int
    instances: int
    failures: int
    alone: int
    storms: int
    posts: int
    lost: int
    late: tuple[float, ...]
    """The times from an alert to its ticket, shortest first: 201 of them, the longest among them."""
    complete: float
    """From the last ticket until the last fact was read, in second readings and background passes."""
    reads: float
    queries: float
    unread: int
    instances_used: int
    binds: str
    usd: float

    @property
    def half_told(self) -> float:
        """The median time from an alert to its ticket."""
        return self.late[len(self.late) // 2]

    @property
    def told(self) -> float:
        """The longest."""
        return self.late[-1]


@cache
def night_of(estate: Estate, night: Night, seed: int = SEED) -> list[Failure]:
    return failures_of(estate, night, seed)


def figures_of(setup: Setup, night: Night, costs: Costs, seed: int = SEED) -> Figures:
    outcome = play(night_of(setup.estate, night, seed), setup, costs)
    return summed_up(outcome, setup, night)


def summed_up(outcome: Outcome, setup: Setup, night: Night) -> Figures:
    late = outcome.late() or [0.0]
    return Figures(
        night.name, setup.estate.items, setup.estate.subscriptions, setup.instances, len(outcome.failures), outcome.alone,
        outcome.storms, outcome.posts, outcome.lost, tuple(late[(len(late) - 1) * part // 200] for part in range(201)),
        max(0.0, outcome.complete_at - max(outcome.told_at, default=0.0)), outcome.reads, outcome.queries, outcome.unread,
        outcome.instances, outcome.binds, outcome.usd,
    )  # fmt: skip


def points() -> Iterator[tuple[Night, Setup]]:
    for night in NIGHTS:
        for items in ITEMS:
            for subscriptions, instances in SIZES:
                if subscriptions <= items:
                    yield night, Setup(Estate(items, subscriptions), instances)


@cache
def grid() -> tuple[Figures, ...]:
    return tuple(figures_of(setup, night, measured_costs()) for night, setup in points())
