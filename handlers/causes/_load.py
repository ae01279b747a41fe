"""What the causes that are load have in common: the buckets of Azure's metrics that belong to a span of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from handlers.model import Claim, Load, LoadHistory, Unknown, Window, claim, undecided, unread
from handlers.model.words import Reason

Value = Callable[[Load], float | None]


def in_window(load: LoadHistory | Unknown, window: Window) -> tuple[Load, ...]:
    """The buckets that lie in the job's time, the one in which it began included."""
    if isinstance(load, Unknown):
        return ()
    return tuple(bucket for bucket in load.buckets if window.start - load.step < bucket.at <= window.end)


def whole(load: LoadHistory | Unknown, window: Window, *values: Value) -> Claim:
    """Every bucket of the window holds every value: else what is missing may have been heavy."""
    if isinstance(load, Unknown):
        return undecided(load)
    buckets = in_window(load, window)
    filled = [bucket for bucket in buckets if all(value(bucket) is not None for value in values)]
    wanted = (window.end - window.start) // load.step
    return claim(len(filled) == len(buckets) >= max(wanted, 1)) | undecided(Reason.NO_DATA)


def longest(buckets: Iterable[Load], step: timedelta, is_so: Callable[[Load], bool]) -> timedelta:
    """For how long it was so without a break, at most."""
    most, run, last = timedelta(), timedelta(), None
    for bucket in sorted(buckets, key=lambda bucket: bucket.at):
        follows = last is not None and bucket.at - last <= step
        run = (run + step if follows else step) if is_so(bucket) else timedelta()
        most, last = max(most, run), bucket.at
    return most


def then(load: LoadHistory | Unknown) -> tuple[Load, ...]:
    """The buckets of the last good backup."""
    return load.good if isinstance(load, LoadHistory) and isinstance(load.good, tuple) else ()


def good_was_read(load: LoadHistory | Unknown) -> Claim:
    """There was a good backup, and its load is known."""
    if isinstance(load, Unknown):
        return undecided(load)
    return unread(load.good) | bool(then(load))


def last_at(buckets: Iterable[Load]) -> datetime | None:
    return max((bucket.at for bucket in buckets), default=None)
