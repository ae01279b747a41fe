"""An estate of protected items, and the failures of one night in it: the same seed gives the same night."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

CODES = (0.40, 0.25, 0.15, 0.12, 0.08)
"""Assumed: how the failures fall on five error codes."""
ITEMS_A_REGION = 50_000


@dataclass(frozen=True)
class Estate:
    items: int
    subscriptions: int = 1
    vault_items: int = 500

    @property
    def regions(self) -> int:
        """Assumed: two, and one more for each 50,000 items."""
        return 2 + self.items // ITEMS_A_REGION

    @property
    def vaults_a_region(self) -> int:
        return max(1, self.items // self.vault_items // self.regions)


@dataclass(frozen=True)
class Night:
    """Which share of the items fails, and within how many minutes."""

    name: str
    share: float
    minutes: float


ORDINARY = Night("ordinary", 0.01, 360)
"""One backup in a hundred fails, over the six hours of the backup window."""
BUSY = Night("busy", 0.01, 60)
"""The same within an hour: nearly everything is told alone, and all at once."""
BAD = Night("bad", 0.05, 15)
"""One in twenty fails within a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Failure:
    at: float
    """Seconds after the first alert may come."""
    item: int
    subscription: int
    region: int
    code: int

    @property
    def key(self) -> tuple[int, int]:
        """What a storm is counted by."""
        return self.region, self.code


def failures_of(estate: Estate, night: Night, seed: int) -> list[Failure]:
    """In the order of their alerts. Subscriptions take no part in the dice: the same night falls on fewer or more of them."""
    return sorted(_failures(estate, night, random.Random(seed)), key=lambda failure: failure.at)


def _failures(estate: Estate, night: Night, dice: random.Random) -> Iterator[Failure]:
    for item in dice.sample(range(estate.items), round(estate.items * night.share)):
        at = dice.random() * night.minutes * 60
        code = dice.choices(range(len(CODES)), CODES)[0]
        yield Failure(at, item, item // estate.regions % estate.subscriptions, item % estate.regions, code)
