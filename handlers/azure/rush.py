"""Whether alerts come so fast that a storm may be under way."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

RUSH_ALERTS, RUSH_OF_ONE, RUSH_SECONDS = 10, 3, 20.0
"""So many alerts within so many seconds at one instance, and so many of them of one subscription, are a rush."""


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
