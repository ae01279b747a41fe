"""When a backup policy runs. Its times are a clock's on the wall in the policy's time zone, whatever the `Z` behind them says.

Azure Backup does not move the hour of a VM's backup with daylight-saving time, and does not tell which of the two hours it keeps: the
start of a scheduled job shows it. https://learn.microsoft.com/azure/backup/backup-azure-arm-vms-prepare
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

A_DAY = timedelta(days=1)
LATEST_START = timedelta(hours=2)
"""A job starts at most so long after its time. https://learn.microsoft.com/azure/backup/backup-azure-vm-backup-faq"""
SOME_MONDAY = date(2024, 1, 1)


class Schedule(Struct, frozen=True):
    """The times of day, such as `22:00`, and the days of the week (Monday is 0; none named: all of them)."""

    times: tuple[str, ...]
    days: tuple[int, ...] = ()
    zone: str = "UTC"
    """As the IANA database names it; empty when the policy's name for it is not known."""
    zone_name: str = "UTC"
    """As the policy has it: `Romance Standard Time`."""

    @property
    def interval(self) -> timedelta | None:
        """The longest time between two runs; None when there are none."""
        runs = list(self._runs_on(SOME_MONDAY, 15, timedelta(0)))
        return max((later - earlier for earlier, later in pairwise(runs)), default=None)

    def offset_at(self, started: datetime | None) -> timedelta | None:
        """The distance to UTC that a scheduled job's start shows; None when it shows none, or the zone has only one."""
        offsets = self._offsets(started.year) if started else set()
        late = {offset: self._lateness(started, offset) for offset in offsets} if started and len(offsets) > 1 else {}
        nearest = min(late, key=lambda offset: late[offset], default=None)
        return nearest if nearest is not None and late[nearest] <= LATEST_START else None

    def runs(self, after: datetime, until: datetime, offset: timedelta | None = None) -> Iterator[datetime]:
        """The runs later than one moment and not later than another, in UTC; `offset`: see `offset_at`."""
        first = (after - A_DAY).date()
        found = self._runs_on(first, (until.date() - first).days + 2, offset)
        return (run for run in found if after < run <= until)

    def next_run(self, after: datetime, offset: timedelta | None = None) -> datetime | None:
        return next(self.runs(after, after + timedelta(days=8), offset), None)

    def local(self, moment: datetime) -> datetime:
        """A moment as the clocks of the policy's zone show it."""
        return moment.astimezone(ZoneInfo(self.zone))

    def _runs_on(self, first: date, days: int, offset: timedelta | None) -> Iterator[datetime]:
        """The runs of some days, in order."""
        for day in (first + count * A_DAY for count in range(days) if self.zone):
            if not self.days or day.weekday() in self.days:
                yield from sorted(self._at(day, text, offset) for text in self.times)

    def _at(self, day: date, text: str, offset: timedelta | None) -> datetime:
        wall = datetime.combine(day, time.fromisoformat(text))
        zoned = wall.replace(tzinfo=ZoneInfo(self.zone)) if offset is None else (wall - offset).replace(tzinfo=UTC)
        return zoned.astimezone(UTC)

    def _offsets(self, year: int) -> set[timedelta]:
        """Those of winter and summer; of a zone that is not known, none."""
        if not self.zone:
            return set()
        return {datetime(year, month, 1, tzinfo=ZoneInfo(self.zone)).utcoffset() or timedelta(0) for month in (1, 7)}

    def _lateness(self, started: datetime, offset: timedelta) -> timedelta:
        """How long after the nearest time of day before it a job began."""
        return min((started - self._at(started.date(), text, offset)) % A_DAY for text in self.times)
