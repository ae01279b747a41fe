"""What all alerts of one instance share: Azure's read budget, and answers that are the same for all of them for a moment.

Azure Resource Manager gives each subscription, principal and kind of operation a bucket of 250 reads, refilled by 25 a second.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

BUCKET_READS, READS_PER_SECOND = 200.0, 20.0
"""A fifth is left to others that use the same identity."""
RESERVE_READS = 100.0
"""What background work leaves to alerts that arrive meanwhile."""
LONGEST_WAIT_SECONDS = 8.0


class ReadBudget:
    """A token bucket per subscription. `now` is a monotonic clock in seconds; `sleep` waits."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        bucket: float = BUCKET_READS,
        per_second: float = READS_PER_SECOND,
    ) -> None:
        self._now, self._sleep, self._size, self._rate = now, sleep, bucket, per_second
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, subscription: str, longest_wait: float = LONGEST_WAIT_SECONDS) -> bool:
        """Take one read, waiting in line when the bucket is empty; False when the line is too long."""
        with self._lock:
            left = self._left(subscription)
            wait = max(0.0, (1 - left) / self._rate)
            if wait > longest_wait:
                return False
            self._buckets[subscription.lower()] = (left - 1, self._now())
        if wait:
            self._sleep(wait)
        return True

    def spare(self, subscription: str) -> float:
        """How many reads background work may make now."""
        with self._lock:
            return max(0.0, self._left(subscription) - RESERVE_READS * self._size / BUCKET_READS)

    def _left(self, subscription: str) -> float:
        left, at = self._buckets.get(subscription.lower(), (self._size, self._now()))
        return min(self._size, left + (self._now() - at) * self._rate)


class Shared:
    """Answers that many need within the same minutes: each is read once, by one of those that ask at the same time."""

    def __init__(self, now: Callable[[], float] = time.monotonic, *, keep_failures: bool = False) -> None:
        self._now, self._lock, self._keep_failures = now, threading.Lock(), keep_failures
        self._answers: dict[str, tuple[float, Future[Any]]] = {}

    def get[T](self, key: str, read: Callable[[], T], *, seconds: float) -> T:
        """The answer of `read`, at most so many seconds old. A failure is told to everybody who waits."""
        with self._lock:
            until, future = self._answers.get(key, (0.0, Future[T]()))
            mine = until <= self._now()
            if mine:
                future = Future[T]()
                self._answers = {name: kept for name, kept in self._answers.items() if kept[0] > self._now()}
                self._answers[key] = (self._now() + seconds, future)
        if mine:
            try:
                future.set_result(read())
            except BaseException as error:  # noqa: BLE001 - handed to every waiter, swallowed by none
                future.set_exception(error)
                if not self._keep_failures:
                    with self._lock:
                        self._answers.pop(key, None)
        answer: T = future.result()
        return answer
