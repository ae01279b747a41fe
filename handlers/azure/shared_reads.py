"""Answers that several alerts need within the same minutes: each is read once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from copy import replace
from typing import Any

from msgspec import Struct


class _Kept(Struct, frozen=True):
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
