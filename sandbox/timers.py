"""NCRONTAB, the schedules of timer triggers: six fields, seconds first, in UTC.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

from datetime import datetime, timedelta

RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def next_run(schedule: str, after: datetime) -> datetime:
    """The first moment later than `after`. `00:05:00` is a span: that long after `after`."""
    if schedule.count(":") == 2 and " " not in schedule.strip():
        span = [int(part) for part in schedule.split(":")]
        return after + timedelta(hours=span[0], minutes=span[1], seconds=span[2])
    fields = schedule.split()
    if len(fields) != 6:
        raise ValueError(f"{schedule!r} has not six fields")
    seconds, minutes, hours, days, months, weekdays = (
        _values(text, *limits) for text, limits in zip(fields, RANGES, strict=True)
    )
    moment = after.replace(microsecond=0) + timedelta(seconds=1)
    for _ in range(366 * 5):
        if moment.month in months and moment.day in days and (moment.weekday() + 1) % 7 in weekdays:
            found = _in_day(moment, seconds, minutes, hours)
            if found:
                return found
        moment = moment.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    raise ValueError(f"{schedule!r} never comes")


def _in_day(moment: datetime, seconds: set[int], minutes: set[int], hours: set[int]) -> datetime | None:
    for hour in sorted(hours):
        for minute in sorted(minutes):
            for second in sorted(seconds):
                found = moment.replace(hour=hour, minute=minute, second=second)
                if found >= moment:
                    return found
    return None


def _values(text: str, low: int, high: int) -> set[int]:
    """`*`, `*/5`, `1-5`, `1,2`, `0-30/10`."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        end = int(last) if last else (high if step else int(first))
        found |= set(range(int(first), end + 1, int(step or 1)))
    if not found or min(found) < low or max(found) > high:
        raise ValueError(f"{text!r} is not within {low}-{high}")
    return found
