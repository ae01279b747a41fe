"""Whether the ticket system takes tickets now. When it is down, one try in a while finds out; nobody else tries, nobody sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 60.0
"""A ticket system that is back after an hour has its tickets a minute later; one try a minute hurts none."""
PROBE_SECONDS = 60.0
"""How long nobody else tries while one does."""
PROBED_SECONDS = 10.0
"""When the others ask again whether it has ended."""
MOST_RETRY_AFTER_SECONDS = 6 * 3600.0
FAILURES_TO_CLOSE = 2


class Gate:
    """Shared by the threads of one instance. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._lock = now, threading.Lock()
        self._closed_until = 0.0
        self._failures = 0
        self._wait = FIRST_WAIT_SECONDS
        self._trying = False

    def left(self) -> float:
        """How many seconds the gate stays closed; 0 when it is open."""
        with self._lock:
            return self._left()

    def enter(self) -> float:
        """0: try. Otherwise how many seconds to stay away. After a closure the first to ask is the one that tries."""
        with self._lock:
            if left := self._left():
                return left
            if self._closed_until:
                self._closed_until, self._trying = self._now() + PROBE_SECONDS, True
            return 0.0

    def _left(self) -> float:
        left = max(0.0, self._closed_until - self._now())
        return min(left, PROBED_SECONDS) if self._trying else left

    def worked(self) -> None:
        with self._lock:
            self._closed_until, self._failures, self._wait, self._trying = 0.0, 0, FIRST_WAIT_SECONDS, False

    def failed(self, retry_after: float | None) -> float:
        """How many seconds this try's message should wait. An answer that names a time closes the gate for as long."""
        with self._lock:
            left = self._closed_until - self._now()
            if retry_after is None and left > 0 and not self._trying:
                return left  # was under way when the gate closed: says nothing new
            self._failures, self._trying = self._failures + 1, False
            wait = self._wait
            if retry_after is not None:
                wait = min(max(retry_after, 1.0), MOST_RETRY_AFTER_SECONDS)
            else:
                self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)
            if retry_after is not None or self._failures >= FAILURES_TO_CLOSE:
                self._closed_until = self._now() + wait
            return wait


def seconds_of(retry_after: str, now: datetime) -> float | None:
    """`Retry-After` in seconds: a number or an HTTP date; None when it says nothing usable.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    text = retry_after.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError):
        return None
