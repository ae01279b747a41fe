"""MAINTENANCE and MAINTENANCE_TAG: when nothing is posted of a backup that fails. docs/routes.md explains both.

A window is a start, a length and, if it comes again, a rule of RFC 5545 (https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10),
in the wall clock of its time zone: at 22 o'clock is at 22 o'clock in summer, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from handlers.settings import Settings, SettingsError
from handlers.tickets.routes import Subject, When, check_members, read_when

KINDS = ("incident", "storm")
"""An alert that nobody can read is told at any time, and so is the canary."""
LONGEST = timedelta(days=31)


class Window(Struct, frozen=True):
    when: When
    start: datetime
    """The first one's, as the clock on the wall shows it."""
    length: timedelta
    zone: ZoneInfo
    rule: str = ""
    """When it comes again; empty: never."""

    def end_after(self, now: datetime) -> datetime | None:
        """The end of the window that is open now; None when none is."""
        wall = now.astimezone(self.zone).replace(tzinfo=None)
        start = self._last_start(wall)
        return _in_utc(start + self.length, self.zone) if start and wall < start + self.length else None

    def _last_start(self, wall: datetime) -> datetime | None:
        if not self.rule:
            return self.start if self.start <= wall else None
        started: datetime | None = _rule(self.rule, self.start).before(wall, inc=True)
        return started


class Maintenance(Struct, frozen=True):
    windows: tuple[Window, ...] = ()
    tag: str = ""
    """The name of the tag that says of a VM, its group or its vault until when it is in maintenance; in lower case, empty: none."""
    kinds: tuple[str, ...] = KINDS

    def end_for(self, subject: Subject, now: datetime) -> datetime | None:
        """Until when nothing is posted about the subject; None: it is posted."""
        if subject.kind not in self.kinds:
            return None
        ends = [window.end_after(now) for window in self.windows if window.when.holds(subject)]
        ends.append(_end_of_tag(subject.tags.get(self.tag, ""), now) if self.tag else None)
        return max((end for end in ends if end), default=None)


def _end_of_tag(value: str, now: datetime) -> datetime | None:
    """`<end>` or `<start>/<end>`, ISO 8601, UTC if nothing else is said. Anything else is no maintenance: a slip must not hide a failure."""
    try:
        times = [datetime.fromisoformat(text.strip()) for text in value.split("/")]
    except ValueError:
        return None
    *starts, end = (time if time.tzinfo else time.replace(tzinfo=UTC) for time in times)
    return end if len(starts) <= 1 and all(start <= now for start in starts) and now < end else None


def _in_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _rule(text: str, start: datetime) -> Any:
    from dateutil.rrule import rrulestr

    return rrulestr(text, dtstart=start)


# ---------------------------------------------------------------- reading the setting


def read_maintenance(settings: Settings) -> Maintenance | None:
    """The windows of MAINTENANCE and the tag; None without either. Raises SettingsError, which names the window and its member."""
    windows = tuple(_window(given, f"MAINTENANCE[{index}]") for index, given in enumerate(settings.maintenance))
    tag = settings.maintenance_tag.lower()
    return Maintenance(windows, tag) if windows or tag else None


def _window(given: Any, place: str) -> Window:
    check_members(given, {"when": dict, "start": str, "minutes": int, "rrule": str, "timezone": str}, place)
    zone, start, length = _zone(given, place), _start(given, place), timedelta(minutes=given.get("minutes", 0))
    if not timedelta() < length <= LONGEST:
        raise SettingsError(f"{place}.minutes: must be a number of minutes from 1 to {LONGEST // timedelta(minutes=1)}.")
    if re.search("(SECOND|MINUTE|HOUR)LY|BY(SECOND|MINUTE|HOUR)", given.get("rrule", "").upper()):
        raise SettingsError(f"{place}.rrule: must come daily or less often; start says at what time.")
    window = Window(read_when(given.get("when", {}), f"{place}.when"), start, length, zone, given.get("rrule", ""))
    try:
        window.end_after(_in_utc(start, zone))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise SettingsError(f"{place}.rrule: is no rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SA ({error}).") from None
    return window


def _zone(given: Mapping[str, Any], place: str) -> ZoneInfo:
    try:
        return ZoneInfo(given.get("timezone", "UTC"))
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise SettingsError(f"{place}.timezone: must be a name such as America/Sao_Paulo.") from None


def _start(given: Mapping[str, Any], place: str) -> datetime:
    try:
        start = datetime.fromisoformat(given.get("start", ""))
    except ValueError:
        start = datetime.min.replace(tzinfo=UTC)
    if start.tzinfo:
        raise SettingsError(f"{place}.start: must be a time on the wall, such as 2026-11-28T22:00; timezone says of where.")
    return start
