"""A policy's schedule as Azure writes it. https://learn.microsoft.com/rest/api/backup/protection-policies/get (SimpleSchedulePolicy, …V2)"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.model import parse_time
from handlers.model.schedule import Schedule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def schedule_of(plan: Mapping[str, Any], zone_name: str) -> Schedule | None:
    """None when it is of a shape that is not known. The `Z` of its times is none: they are the zone's."""
    frequency = str(plan.get("scheduleRunFrequency") or "").lower()
    inner: Mapping[str, Any] = plan.get(f"{frequency}Schedule") or plan
    times = _hourly_times(inner) if frequency == "hourly" else _times(inner.get("scheduleRunTimes") or ())
    days = tuple(sorted(WEEKDAYS.index(day) for day in map(str.lower, inner.get("scheduleRunDays") or ()) if day in WEEKDAYS))
    if not times or frequency not in ("daily", "hourly", "weekly") or (frequency == "weekly" and not days):
        return None
    return Schedule(times, days if frequency == "weekly" else (), zone_of(zone_name), zone_name)


def _times(texts: Any) -> tuple[str, ...]:
    return tuple(f"{time:%H:%M}" for time in map(parse_time, texts) if time)


def _hourly_times(hourly: Mapping[str, Any]) -> tuple[str, ...]:
    """From the window's start every so many hours, as long as the window lasts; a window of a whole day does not end."""
    start, interval, hours = (
        parse_time(hourly.get("scheduleWindowStartTime")),
        hourly.get("interval"),
        hourly.get("scheduleWindowDuration"),
    )
    if not start or not interval or not hours:
        return ()
    return tuple(f"{start + timedelta(hours=passed):%H:%M}" for passed in range(0, min(int(hours), 24), int(interval)))


def zone_of(name: str) -> str:
    """The IANA name of a zone that a policy names as Windows does (CLDR's table, as tzlocal keeps it); empty when it is not known."""
    from zoneinfo import ZoneInfo

    from tzlocal.windows_tz import win_tz

    zone = win_tz.get(name, name)
    try:
        return ZoneInfo(zone).key
    except (KeyError, OSError, ValueError):
        return ""


def runs_a_day(schedule: Mapping[str, Any]) -> int | None:
    """How many backups a day the schedule makes; None when it is of a shape that is not known.

    https://learn.microsoft.com/rest/api/backup/protection-policies/get (SimpleSchedulePolicy, SimpleSchedulePolicyV2)
    """
    frequency = str(schedule.get("scheduleRunFrequency") or "").lower()
    if frequency == "hourly":
        hourly = schedule.get("hourlySchedule") or {}
        interval, duration = hourly.get("interval"), hourly.get("scheduleWindowDuration")
        return max(1, int(duration) // int(interval)) if interval and duration else None
    if frequency == "weekly":
        return 1
    times = schedule.get("scheduleRunTimes") or (schedule.get("dailySchedule") or {}).get("scheduleRunTimes")
    return len(times) if frequency == "daily" and times else None
