"""How many reads the app may make of each subscription, and how many queries: the app's share of Azure Resource Manager's token bucket.

Azure Resource Manager gives each subscription, principal and kind of operation a bucket of 250 reads, refilled by 25 a second.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
Azure Resource Graph counts queries (each page is one) by caller, whatever the subscriptions, and says how many are left.
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

AZURES_BUCKET_READS = 250.0
BUCKET_READS, READS_PER_SECOND = 200.0, 20.0
"""A fifth is left to others that use the same identity."""
RESERVE_READS = 100.0
"""What background work leaves to alerts that arrive meanwhile."""
LONGEST_WAIT_SECONDS = 8.0
GRAPH = "graph"
"""The bucket of queries to Azure Resource Graph, of all subscriptions."""
GRAPH_QUERIES, GRAPH_QUERIES_PER_SECOND = 4.0, 1.6
"""At most 12 of Azure's 15 in any five seconds: a fifth is left to others here too."""
OTHERS_QUERIES = 3.0


class ReadBudget:
    """A token bucket per subscription. `now` is a monotonic clock in seconds; `sleep` waits."""

    def __init__(self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        self._now, self._sleep = now, sleep
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, subscription: str, longest_wait: float = LONGEST_WAIT_SECONDS) -> bool:
        """Take one read, waiting in line when the bucket is empty; False when the line is too long."""
        with self._lock:
            left = self._left(subscription)
            wait = max(0.0, (1 - left) / _size_and_rate(subscription)[1])
            if wait > longest_wait:
                return False
            self._buckets[subscription.lower()] = (left - 1, self._now())
        if wait:
            self._sleep(wait)
        return True

    def spare(self, subscription: str) -> float:
        """How many reads background work may make now."""
        with self._lock:
            return max(0.0, self._left(subscription) - RESERVE_READS)

    def told(self, subscription: str, remaining: float) -> None:
        """Azure's own count of the reads that are left: other instances and other programs take from the same bucket."""
        with self._lock:
            left = min(self._left(subscription), remaining - (AZURES_BUCKET_READS - BUCKET_READS))
            self._buckets[subscription.lower()] = (left, self._now())

    def told_queries(self, remaining: float, resets_after: float) -> None:
        """Azure Resource Graph's own count of the queries that are left, and in how many seconds all of them are there again."""
        ours = remaining - OTHERS_QUERIES
        with self._lock:
            until_then = 1 - resets_after * GRAPH_QUERIES_PER_SECOND
            self._buckets[GRAPH] = (min(self._left(GRAPH), ours if ours >= 1 else until_then), self._now())

    def _left(self, subscription: str) -> float:
        size, rate = _size_and_rate(subscription)
        left, at = self._buckets.get(subscription.lower(), (size, self._now()))
        return min(size, left + (self._now() - at) * rate)


def _size_and_rate(bucket: str) -> tuple[float, float]:
    return (GRAPH_QUERIES, GRAPH_QUERIES_PER_SECOND) if bucket == GRAPH else (BUCKET_READS, READS_PER_SECOND)
