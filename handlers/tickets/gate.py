"""Whether the ticket system takes tickets now. While it is down one try a minute finds out; nobody else tries, nobody sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 60.0
"""A ticket system that is back after an hour has its first ticket a minute later; one try a minute hurts none."""
PROBE_SECONDS = 60.0
"""How long nobody else tries while one does; longer than an ordinary answer takes."""
PROBED_SECONDS = 10.0
"""When the others ask again whether it has ended."""
MOST_RETRY_AFTER_SECONDS = 6 * 3600.0
FAILURES_TO_CLOSE = 2
AWAY_SECONDS = (5.0, 10.0, 30.0, 60.0, 300.0)
"""For how long a waiting change stays away after the first, second … failure in a row: in an outage a row read and a queue message
in five minutes. When a ticket is taken again, those that this instance sent away come at once."""


class Gate:
    """Shared by the threads of one instance. `now` is a monotonic clock in seconds, `probe_seconds` longer than the slowest answer."""

    def __init__(self, now: Callable[[], float], probe_seconds: float = PROBE_SECONDS) -> None:
        self._now, self._lock, self._probe_seconds = now, threading.Lock(), probe_seconds
        self._closed_until = 0.0
        self._failures = 0
        self._wait = FIRST_WAIT_SECONDS
        self._trying = False

    def wait_of_others(self) -> float:
        """How many seconds a change should stay away: 0 when the gate is open, longer the more tries have failed."""
        with self._lock:
            left = max(0.0, self._closed_until - self._now())
            if not left:
                return 0.0
            return PROBED_SECONDS if self._trying else self._away(left)

    def wait_of_failed(self) -> float:
        """How many seconds a change should wait whose try has just failed."""
        with self._lock:
            return self._away(max(FIRST_WAIT_SECONDS, self._closed_until - self._now()))

    def _away(self, least: float) -> float:
        usual = AWAY_SECONDS[min(max(self._failures, 1), len(AWAY_SECONDS)) - 1]
        return min(max(least, usual), AWAY_SECONDS[-1])

    def enter(self) -> bool:
        """Whether to try. After a closure the first to ask is the one that does."""
        with self._lock:
            if self._closed_until > self._now():
                return False
            if self._closed_until:
                self._closed_until, self._trying = self._now() + self._probe_seconds, True
            return True

    def worked(self) -> None:
        with self._lock:
            self._closed_until, self._failures, self._wait, self._trying = 0.0, 0, FIRST_WAIT_SECONDS, False

    def answered(self) -> None:
        """A try was refused for a reason of its own: the system is there, so a probe has found it. Nothing else is known of it."""
        if self._trying:
            self.worked()

    def failed(self, retry_after: float | None) -> None:
        """A try has failed. An answer that names a time closes the gate for as long."""
        with self._lock:
            closed = self._closed_until > self._now()
            if retry_after is None and closed and not self._trying:
                return  # was under way when the gate closed: says nothing new
            self._failures, self._trying = self._failures + 1, False
            wait = self._wait
            if retry_after is not None:
                wait = min(max(retry_after, 1.0), MOST_RETRY_AFTER_SECONDS)
            else:
                self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)
            if retry_after is not None or self._failures >= FAILURES_TO_CLOSE:
                self._closed_until = self._now() + wait


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
