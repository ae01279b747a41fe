"""What could be restored today, and how long that will do: whether somebody has to get up. The rule stands in docs/risk.md.

https://learn.microsoft.com/rest/api/backup/recovery-points/list
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from handlers.model.facts import Reading, SnapshotPolicy
from handlers.model.failure import Job
from handlers.model.ids import time_text
from handlers.model.schedule import LATEST_START, Schedule
from handlers.model.words import Reason, Unknown

SOON = timedelta(hours=8)
"""The last hours before it is too late: a night's sleep. A project threshold, as the two intervals are."""
NOT_READ = Unknown(Reason.NO_DATA)


class Act(StrEnum):
    NOW = "now"
    SOON = "soon"
    CAN_WAIT = "can_wait"
    UNKNOWN = "unknown"


LOWER = {Act.NOW: Act.SOON, Act.SOON: Act.CAN_WAIT}
SEVERITIES = {Act.NOW: "Sev1", Act.SOON: "Sev2", Act.CAN_WAIT: "Sev3"}


class Protection(Struct, frozen=True):
    """The protected item as its vault shows it: `state` such as `Protected` or `ProtectionStopped`."""

    state: str
    last_point_at: datetime | None = None
    deferred_delete: bool = False
    """Deleted, and kept for the days of soft delete: https://learn.microsoft.com/azure/backup/backup-azure-security-feature-cloud"""

    @property
    def is_stopped(self) -> bool:
        return self.state.lower() in ("protectionstopped", "backupssuspended")

    def __str__(self) -> str:
        deleted = "soft-deleted" if self.deferred_delete else ""
        return ", ".join(part for part in (self.state, deleted, time_text(self.last_point_at)) if part)


class RecoveryPoint(Struct, frozen=True):
    """`tiers` are those in which it is valid: `InstantRP` (the snapshot beside the VM), `HardenedRP` (the vault)."""

    at: datetime
    consistency: str = ""
    tiers: tuple[str, ...] = ()
    threat: str = ""
    """`Healthy`, `Warning`, `UnHealthy`; empty when nothing has scanned it."""
    security_type: str = ""
    """Of the VM that was backed up: `TrustedLaunch` and others; empty for a standard VM."""

    @property
    def only_a_snapshot(self) -> bool:
        return {tier.lower() for tier in self.tiers} == {"instantrp"}

    def __str__(self) -> str:
        return " ".join(part for part in (time_text(self.at), self.consistency, self.threat, self.security_type) if part)


class Recovery(Struct, frozen=True):
    """`why` is the rule's line that decided: a key of `[risk]` in words.toml."""

    act: Act = Act.UNKNOWN
    why: str = "unread"
    until: datetime | None = None
    last_good_at: datetime | None = None
    last_clean_at: datetime | None = None
    hours_since: float | None = None
    interval_hours: float | None = None
    missed_runs: int | None = None
    next_run_at: datetime | None = None
    next_run_local: datetime | None = None
    zone_name: str = ""
    flagged: str = ""
    """The threat status of the newest point, where it is one."""
    is_scanned: bool = False
    running: Job | None = None
    """A backup that has begun since the failed one."""

    def severity(self, alerted: str) -> str:
        """As the risk has it; as the alert has it where the risk is not known."""
        return SEVERITIES.get(self.act, alerted)


def recovery_of(readings: Mapping[str, Reading], job: Job | None, now: datetime) -> Recovery:
    """What the readings say of the recovery points, the policy and the item."""
    values: dict[str, Any] = {name: readings[name].value if name in readings else NOT_READ for name in RECOVERY_FACTS}
    protection, points = values["protection"], _known(values["recovery_points"]) or ()
    newest = max(points, key=lambda point: point.at, default=None)
    clean = [point.at for point in points if point.threat.lower() == "healthy"]
    policy = values["snapshot_policy"]
    schedule = policy.schedule if isinstance(policy, SnapshotPolicy) else None
    last_good = newest.at if newest else _last_good(values)
    recovery = Recovery(
        last_good_at=last_good, last_clean_at=max(clean, default=None), is_scanned=any(point.threat for point in points),
        flagged=newest.threat if newest and newest.threat.lower() in ("warning", "unhealthy") else "",
        hours_since=_hours(now - last_good) if last_good else None, running=_known(values["running_backup"]),
    )  # fmt: skip
    if isinstance(protection, Protection) and protection.is_stopped:
        return _decided(recovery, now, stopped=True)
    recovery = _timed(recovery, schedule, job, now) if schedule else recovery
    return _decided(replace(recovery, until=_until(recovery, newest, policy)), now, never=_never(values))


RECOVERY_FACTS = ("protection", "recovery_points", "snapshot_policy", "last_good", "running_backup")
RESTORE_FACTS = ("protection", "recovery_points")
"""Of these, what a failed restore's risk is made of."""


def _known(value: Any) -> Any:
    return None if isinstance(value, Unknown) else value


def _last_good(values: Mapping[str, Any]) -> datetime | None:
    """Where no point is listed: what the item or the jobs say; the item's own fields have been seen to stand still for days."""
    protection, good = _known(values["protection"]), _known(values["last_good"])
    times = (protection.last_point_at if protection else None, good.started_at if good else None)
    return max((time for time in times if time), default=None)


def _never(values: Mapping[str, Any]) -> bool:
    """Item and list of points were both read, and neither knows of any."""
    unread = any(isinstance(values[name], Unknown) for name in ("protection", "recovery_points"))
    return not unread and not values["recovery_points"] and _last_good(values) is None


def _timed(recovery: Recovery, schedule: Schedule, job: Job | None, now: datetime) -> Recovery:
    """With what the policy's schedule says. A run is missed when its job failed, or when no job can begin any more for it."""
    failed = job.started_at if job and job.scheduled else None
    offset, due = schedule.offset_at(failed), max(filter(None, (now - LATEST_START, failed)))
    next_run, interval = schedule.next_run(now, offset), schedule.interval
    missed = sum(1 for _ in schedule.runs(recovery.last_good_at, due, offset)) if recovery.last_good_at else None
    return replace(
        recovery,
        interval_hours=_hours(interval) if interval else None,
        missed_runs=missed if next_run else None,
        next_run_at=next_run,
        next_run_local=schedule.local(next_run) if next_run else None,
        zone_name=schedule.zone_name,
    )


def _until(recovery: Recovery, newest: RecoveryPoint | None, policy: Any) -> datetime | None:
    """Two intervals after the last good point; earlier when that is only a snapshot, which goes before."""
    if recovery.last_good_at is None or not recovery.interval_hours:
        return None
    until = recovery.last_good_at + 2 * timedelta(hours=recovery.interval_hours)
    if newest and newest.only_a_snapshot and policy.snapshot_retention_days:
        return min(until, newest.at + timedelta(days=policy.snapshot_retention_days))
    return until


def _decided(recovery: Recovery, now: datetime, *, never: bool = False, stopped: bool = False) -> Recovery:
    """The first line of the rule that holds; a backup that already runs again lowers it."""
    until = recovery.until
    lines = (
        (never, Act.NOW, "never"),
        (recovery.flagged.lower() == "unhealthy", Act.NOW, "flagged"),
        (stopped, Act.SOON, "stopped"),
        (until is not None and until <= now, Act.NOW, "overdue"),
        (bool(recovery.flagged), Act.SOON, "flagged"),
        (until is not None and until - now <= SOON, Act.SOON, "due"),
        (until is not None, Act.CAN_WAIT, "in_time"),
    )
    act, why = next(((act, why) for holds, act, why in lines if holds), (Act.UNKNOWN, "unread"))
    if recovery.running and why in ("overdue", "due"):
        act = LOWER[act]
    return replace(recovery, act=act, why=why)


def of_restore(recovery: Recovery) -> Recovery:
    """The same for a failed restore: its data is wanted now, however good the backups are. When the next backup is due matters nothing to it."""
    told = recovery if recovery.why in ("never", "flagged") else replace(recovery, act=Act.SOON, why="restore")
    return replace(told, until=None, interval_hours=None, missed_runs=None, next_run_at=None, next_run_local=None, running=None)


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)
