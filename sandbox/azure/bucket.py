"""Azure Resource Manager's limit on reads: a token bucket for each subscription.

250 reads at once, refilled by 25 a second, counted for each subscription, caller and kind of operation; here all calls are
one caller's reads. https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

BUCKET_READS, READS_PER_SECOND = 250.0, 25.0
LEFT_HEADER = "x-ms-ratelimit-remaining-subscription-reads"
"""On every answer below a subscription, but those of a service with limits of its own: they have the second instead."""
LEFT_OF_SERVICE_HEADER = "x-ms-ratelimit-remaining-subscription-resource-requests"


def left_header(path: str) -> str:
    """Recorded of Recovery Services: https://github.com/Azure/azure-cli (command_modules/backup/tests/latest/recordings)."""
    below_vault = "/providers/microsoft.recoveryservices/vaults/" in path.lower()
    return LEFT_OF_SERVICE_HEADER if below_vault else LEFT_HEADER


@dataclass(frozen=True)
class Taken:
    """Whether a read may pass, how many more may follow at once, and in how many seconds the next one may when it may not."""

    passes: bool
    left: int
    retry_after: int = 0


class ReadBuckets:
    """The buckets of all subscriptions, full at first. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, subscription: str) -> Taken:
        """One read, if there is one left; a refused read costs nothing."""
        key = subscription.lower()
        with self._lock:
            now = self._now()
            left, at = self._buckets.get(key, (BUCKET_READS, now))
            left = min(BUCKET_READS, left + (now - at) * READS_PER_SECOND)
            passes = left >= 1
            self._buckets[key] = (left - 1 if passes else left, now)
        if passes:
            return Taken(True, int(left - 1))
        return Taken(False, 0, max(1, math.ceil((1 - left) / READS_PER_SECOND)))
