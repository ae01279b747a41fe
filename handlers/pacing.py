"""What all alerts of one instance share: Azure's read budget, and answers that are the same for all of them for a moment.

Azure Resource Manager gives each subscription, principal and kind of operation a bucket of 250 reads, refilled by 25 a second.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

AZURES_BUCKET_READS = 250.0
BUCKET_READS, READS_PER_SECOND = 200.0, 20.0
"""A fifth is left to others that use the same identity."""
RESERVE_READS = 100.0
"""What background work leaves to alerts that arrive meanwhile."""
LONGEST_WAIT_SECONDS = 8.0
RUSH_ALERTS, RUSH_OF_ONE, RUSH_SECONDS = 10, 3, 20.0
"""So many alerts within so many seconds at one instance, and so many of them of one subscription, are a rush."""


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

    def told(self, subscription: str, remaining: float) -> None:
        """Azure's own count of the reads that are left: other instances and other programs take from the same bucket."""
        with self._lock:
            left = min(self._left(subscription), remaining - (AZURES_BUCKET_READS - self._size))
            self._buckets[subscription.lower()] = (left, self._now())

    def _left(self, subscription: str) -> float:
        left, at = self._buckets.get(subscription.lower(), (self._size, self._now()))
        return min(self._size, left + (self._now() - at) * self._rate)


class Rush:
    """Whether alerts come so fast that a storm may be under way: then each is read for cheaply, and looked at closer later.

    Many must come, and of them some from one subscription: it is a subscription's budget that they would use up.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._all: deque[float] = deque(maxlen=RUSH_ALERTS)
        self._of: dict[str, deque[float]] = {}

    def another(self, subscription: str) -> bool:
        """Count an alert; whether it is one of a rush."""
        with self._lock:
            self._all.append(self._now())
            self._of.setdefault(subscription.lower(), deque(maxlen=RUSH_OF_ONE)).append(self._now())
        return self.on(subscription)

    def on(self, subscription: str) -> bool:
        with self._lock:
            of_one = self._of.get(subscription.lower())
            return self._is_full(self._all) and of_one is not None and self._is_full(of_one)

    def _is_full(self, came: deque[float]) -> bool:
        return len(came) == came.maxlen and self._now() - came[0] <= RUSH_SECONDS


@dataclass(frozen=True, slots=True)
class _Kept:
    since: float
    until: float
    answer: Future[Any]


class Shared:
    """Answers that many need within the same minutes: each is read once, by one of those that ask at the same time."""

    def __init__(self, now: Callable[[], float] = time.monotonic, *, failures_seconds: float = 0.0) -> None:
        """`failures_seconds`: for how long a failure is kept and told again."""
        self._now, self._lock, self._failures_seconds = now, threading.Lock(), failures_seconds
        self._answers: dict[str, _Kept] = {}

    def peek(self, key: str) -> Any:
        """The answer that is kept, or None: nothing is read."""
        with self._lock:
            kept = self._answers.get(key)
            there = kept and kept.until > self._now() and kept.answer.done() and not kept.answer.exception()
            return kept.answer.result() if kept and there else None

    def get[T](self, key: str, read: Callable[[], T], *, seconds: float) -> T:
        """The answer of `read`, at most so many seconds old. A failure is told to everybody who waits."""
        with self._lock:
            now, kept = self._now(), self._answers.get(key)
            mine = kept is None or kept.until <= now or kept.since + seconds <= now
            if mine:
                self._answers = {name: other for name, other in self._answers.items() if other.until > now}
                kept = self._answers[key] = _Kept(now, now + seconds, Future())
        assert kept is not None
        future = kept.answer
        if mine:
            try:
                future.set_result(read())
            except BaseException as error:  # noqa: BLE001 - handed to every waiter, swallowed by none
                future.set_exception(error)
                with self._lock:
                    self._answers[key] = replace(kept, until=min(kept.until, self._now() + self._failures_seconds))
        answer: T = future.result()
        return answer
