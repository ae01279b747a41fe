"""Which thing the failed items of a storm share and their healthy neighbours do not: Fisher's exact test, one-sided.

Nothing is claimed of fewer than three failed and five healthy items, nor of what is likely enough by chance when so many things
are looked at (Bonferroni). Made of the standard library: https://docs.python.org/3/library/math.html#math.lgamma
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from copy import replace
from math import exp, lgamma

from msgspec import Struct

from handlers.model.comparison import Comparison, SharedThing, Things

LEAST_FAILED, LEAST_HEALTHY = 3, 5
MOST_P = 0.01
KNOWN, COVERAGE, PEERS, LIFT = 0.8, 0.8, 0.2, 3.0
"""Of the failed it must be known of so many and be on so many, on at most so many of the healthy, and be so much more frequent."""
KINDS = (
    "lock", "network_security_group", "route_table", "key_vault", "encryption_set", "subnet", "extension", "policy", "image", "os_version",
    "size", "zone", "network", "restore_point_group", "vault",
)  # fmt: skip
"""What can be put right first: of things that the same items share, the first one is named."""


class Table(Struct, frozen=True):
    """Failed with and without a thing, healthy with and without it."""

    failed_with: int
    failed_without: int
    healthy_with: int
    healthy_without: int

    @property
    def p(self) -> float:
        """The chance that so many or more of the failed have it, if having it made no difference."""
        a, failed = self.failed_with, self.failed_with + self.failed_without
        having, every = a + self.healthy_with, failed + self.healthy_with + self.healthy_without
        whole = _log_choose(every, failed)
        return min(1.0, sum(
            exp(_log_choose(having, k) + _log_choose(every - having, failed - k) - whole)
            for k in range(max(a, failed - (every - having)), min(failed, having) + 1)
        ))  # fmt: skip

    @property
    def is_telling(self) -> bool:
        """Whether nearly all failed have it, and few of the healthy."""
        failed, healthy = self.failed_with + self.failed_without, self.healthy_with + self.healthy_without
        enough = self.failed_with >= LEAST_FAILED and healthy >= LEAST_HEALTHY
        lift = ((self.failed_with + 0.5) / (failed + 1)) / ((self.healthy_with + 0.5) / (healthy + 1))
        return enough and self.failed_with / failed >= COVERAGE and self.healthy_with / healthy <= PEERS and lift >= LIFT


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def compare(failed: Mapping[str, Things], healthy: Mapping[str, Things]) -> Comparison:
    """What the failed share, each by its VM. Who is in both counts as failed."""
    beside = {vm: things for vm, things in healthy.items() if vm not in failed}
    read = [things for things in failed.values() if any(values is not None for values in things.values())]
    compared = Comparison(len(failed), len(beside), len(failed) - len(read))
    if len(failed) < LEAST_FAILED:
        return replace(compared, why_none="few_failed")
    if len(beside) < LEAST_HEALTHY:
        return replace(compared, why_none="no_neighbours")
    if len(read) < KNOWN * len(failed):
        return replace(compared, why_none="unread")
    shared = _likely(list(failed.values()), list(beside.values()))
    return replace(compared, shared=shared, why_none="" if shared else "nothing_shared")


def _likely(failed: Collection[Things], healthy: Collection[Things]) -> SharedThing | None:
    """The thing that explains most of the failed with the fewest others; those that the same items share are named beside it."""
    tables = {key: table for kind in KINDS for key, table in _tables(kind, failed, healthy).items()}
    telling = {key: table for key, table in tables.items() if table.is_telling and table.p * len(tables) <= MOST_P}
    if not telling:
        return None
    ranked = sorted(telling, key=lambda key: (-telling[key].failed_with, telling[key].healthy_with, KINDS.index(key[0]), key[1]))
    best, table = ranked[0], telling[ranked[0]]
    return SharedThing(
        *best, table.failed_with, table.failed_with + table.failed_without, table.healthy_with,
        table.healthy_with + table.healthy_without, table.p * len(tables),
        also=tuple(key for key in ranked[1:] if telling[key] == table),
    )  # fmt: skip


def _tables(kind: str, failed: Collection[Things], healthy: Collection[Things]) -> dict[tuple[str, str], Table]:
    """Of each value of a kind that at least two of the failed have. What is not known of an item counts nowhere."""
    known = [values for things in failed if (values := things.get(kind)) is not None]
    peers = [values for things in healthy if (values := things.get(kind)) is not None]
    if len(known) < KNOWN * len(failed):
        return {}
    with_it, beside = (Counter(value for values in items for value in values) for items in (known, peers))
    return {
        (kind, value): Table(count, len(known) - count, beside[value], len(peers) - beside[value])
        for value, count in with_it.items()
        if count >= 2
    }
