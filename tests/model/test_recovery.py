"""The risk: what could be restored today, and how long that will do. docs/risk.md has the rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.facts.schedules import schedule_of, zone_of
from handlers.model import Job, Reading, Reason, SnapshotPolicy, Unknown
from handlers.model.recovery import RECOVERY_FACTS, Act, Protection, Recovery, RecoveryPoint, recovery_of
from handlers.model.schedule import Schedule

NOW = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)
NIGHTLY = Schedule(("22:00",))
FAILED = Job("j", "Failed", "Backup", started_at=NOW - timedelta(minutes=29), scheduled=True)


def at(days: float = 0, hours: float = 0) -> datetime:
    """So long before now."""
    return NOW - timedelta(days=days, hours=hours)


def recovery(
    schedule: Schedule | None = NIGHTLY, *points: RecoveryPoint, now: datetime = NOW, job: Job = FAILED, **facts: Any
) -> Recovery:
    policy = SnapshotPolicy("p", "V1", 2, schedule=schedule)
    values = {
        "protection": Protection("Protected"),
        "recovery_points": points,
        "snapshot_policy": policy,
        "last_good": None,
        "running_backup": None,
    }
    return recovery_of({name: Reading(value, "", now) for name, value in (values | facts).items()}, job, now)


def point(days: float = 0, hours: float = 0, **more: Any) -> RecoveryPoint:
    return RecoveryPoint(at(days, hours), "AppConsistent", more.pop("tiers", ("InstantRP", "HardenedRP")), **more)


def test_one_failed_night_can_wait_for_the_next() -> None:
    found = recovery(NIGHTLY, point(1), point(2))
    assert (found.act, found.why) == (Act.CAN_WAIT, "in_time")
    assert found.until == at(-1)
    assert (found.hours_since, found.interval_hours, found.missed_runs) == (24, 24, 1)
    assert found.next_run_at == datetime(2026, 11, 25, 22, 0, tzinfo=UTC)


def test_two_failed_nights_are_too_many() -> None:
    found = recovery(NIGHTLY, point(2))
    assert (found.act, found.why, found.missed_runs) == (Act.NOW, "overdue", 2)


def test_the_last_hours_before_it_is_too_late_are_soon() -> None:
    assert recovery(NIGHTLY, point(1, 17)).act is Act.SOON
    assert recovery(NIGHTLY, point(1, 15)).act is Act.CAN_WAIT


def test_an_hourly_policy_leaves_hours() -> None:
    hourly = schedule_of({"scheduleRunFrequency": "Hourly", "hourlySchedule": {
        "interval": 4, "scheduleWindowStartTime": "2026-01-01T02:00:00Z", "scheduleWindowDuration": 24}}, "UTC")  # fmt: skip
    assert hourly is not None
    assert sorted(hourly.times) == ["02:00", "06:00", "10:00", "14:00", "18:00", "22:00"]
    found = recovery(hourly, point(hours=4.4))
    assert (found.act, found.interval_hours, found.missed_runs) == (Act.SOON, 4, 1)
    assert recovery(hourly, point(hours=8.4)).act is Act.NOW
    assert found.next_run_at == datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def test_the_night_between_two_windows_is_no_gap() -> None:
    """From 8:00 every four hours for twelve hours: between 16:00 and 8:00 nothing is due."""
    office = schedule_of({"scheduleRunFrequency": "Hourly", "hourlySchedule": {
        "interval": 4, "scheduleWindowStartTime": "2026-01-01T08:00:00Z", "scheduleWindowDuration": 12}}, "UTC")  # fmt: skip
    assert office is not None
    assert office.times == ("08:00", "12:00", "16:00")
    assert office.interval == timedelta(hours=16)
    assert recovery(office, point(hours=6.5)).missed_runs == 0


def test_a_weekly_policy_leaves_days() -> None:
    weekly = schedule_of(
        {"scheduleRunFrequency": "Weekly", "scheduleRunDays": ["Tuesday"], "scheduleRunTimes": ["2026-01-01T22:00:00Z"]}, "UTC"
    )
    found = recovery(weekly, point(7))
    assert (found.act, found.interval_hours, found.missed_runs) == (Act.CAN_WAIT, 168, 1)
    assert found.next_run_at == datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
    assert recovery(weekly, point(14)).act is Act.NOW


def test_a_policy_that_runs_on_working_days_does_not_miss_the_weekend() -> None:
    days = schedule_of(
        {
            "scheduleRunFrequency": "Weekly",
            "scheduleRunDays": ["Monday", "Thursday"],
            "scheduleRunTimes": ["2026-01-01T22:00:00Z"],
        },
        "UTC",
    )
    assert days is not None
    assert days.interval == timedelta(days=4)


PARIS = Schedule(("22:00",), zone="Europe/Paris", zone_name="Romance Standard Time")


@pytest.mark.parametrize(
    ("started", "next_run", "local"),
    [
        ("2026-07-14T20:03:00", "2026-07-15T20:00:00", "22:00"),
        ("2026-07-14T21:03:00", "2026-07-15T21:00:00", "23:00"),
        ("2026-12-14T21:03:00", "2026-12-15T21:00:00", "22:00"),
        ("2026-12-14T20:03:00", "2026-12-15T20:00:00", "21:00"),
    ],
)
def test_which_hour_a_policy_keeps_over_the_year_is_what_its_own_jobs_show(started: str, next_run: str, local: str) -> None:
    began = datetime.fromisoformat(started).replace(tzinfo=UTC)
    found = recovery(PARIS, now=began + timedelta(minutes=40), job=Job("j", "Failed", started_at=began, scheduled=True))
    assert found.next_run_at == datetime.fromisoformat(next_run).replace(tzinfo=UTC)
    assert found.next_run_local is not None
    assert f"{found.next_run_local:%H:%M}" == local
    assert found.zone_name == "Romance Standard Time"


@pytest.mark.parametrize("job", [Job("j", "Failed", started_at=NOW, scheduled=False), Job("j", "Failed", scheduled=True)])
def test_a_job_that_does_not_show_the_hour_leaves_it_to_the_zone(job: Job) -> None:
    summer = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
    assert recovery(PARIS, now=summer, job=job).next_run_at == datetime(2026, 7, 14, 20, 0, tzinfo=UTC)


def test_on_the_day_when_the_clocks_change_the_run_is_once() -> None:
    half_past_two = Schedule(("02:30",), zone="Europe/Paris")
    autumn = list(half_past_two.runs(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)))
    spring = list(half_past_two.runs(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)))
    assert (len(autumn), len(spring)) == (1, 1)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Romance Standard Time", "Europe/Paris"),
        ("India Standard Time", "Asia/Calcutta"),
        ("UTC", "Etc/UTC"),
        ("Nowhere Time", ""),
    ],
)
def test_a_zone_as_windows_names_it(name: str, zone: str) -> None:
    assert zone_of(name) == zone


def test_in_a_zone_that_nobody_knows_there_is_no_countdown_but_the_interval() -> None:
    odd = Schedule(("22:00",), zone="", zone_name="Nowhere Time")
    assert odd.interval is None
    found = recovery(odd, point(1))
    assert (found.act, found.next_run_at, found.missed_runs) == (Act.UNKNOWN, None, None)


def test_an_item_without_a_point_was_never_backed_up() -> None:
    found = recovery(NIGHTLY)
    assert (found.act, found.why, found.last_good_at, found.hours_since) == (Act.NOW, "never", None, None)


@pytest.mark.parametrize("name", ["protection", "recovery_points"])
def test_what_could_not_be_read_is_not_never(name: str) -> None:
    unread: dict[str, Any] = {name: Unknown(Reason.FORBIDDEN)}
    found = recovery(NIGHTLY, **unread)
    assert (found.act, found.why) == (Act.UNKNOWN, "unread")


def test_where_the_points_cannot_be_read_the_item_or_the_jobs_tell() -> None:
    unread = Unknown(Reason.FORBIDDEN)
    assert recovery(NIGHTLY, recovery_points=unread, protection=Protection("Protected", at(1))).last_good_at == at(1)
    good = Job("g", "Completed", "Backup", started_at=at(2))
    assert recovery(NIGHTLY, recovery_points=unread, protection=unread, last_good=good).last_good_at == at(2)


def test_protection_that_is_stopped_has_no_next_run() -> None:
    found = recovery(None, point(9), protection=Protection("ProtectionStopped"), snapshot_policy=Unknown(Reason.NO_DATA))
    assert (found.act, found.why, found.next_run_at, found.hours_since) == (Act.SOON, "stopped", None, 9 * 24)


def test_a_flagged_point_is_no_clean_one() -> None:
    found = recovery(NIGHTLY, point(1, threat="UnHealthy"), point(2, threat="Healthy"))
    assert (found.act, found.why, found.flagged) == (Act.NOW, "flagged", "UnHealthy")
    assert (found.last_good_at, found.last_clean_at) == (at(1), at(2))
    assert recovery(NIGHTLY, point(1, threat="Warning")).act is Act.SOON


def test_points_that_nothing_scans_say_nothing_of_being_clean() -> None:
    found = recovery(NIGHTLY, point(1))
    assert (found.last_clean_at, found.is_scanned) == (None, False)


def test_ninety_days_without_a_backup() -> None:
    found = recovery(NIGHTLY, protection=Protection("Protected", at(90)))
    assert (found.act, found.hours_since, found.missed_runs) == (Act.NOW, 90 * 24, 90)


def test_a_point_that_is_only_a_snapshot_lasts_as_long_as_snapshots_do() -> None:
    weekly = Schedule(("22:00",), (1,))
    found = recovery(weekly, point(1, tiers=("InstantRP",)))
    assert found.until == at(-1)


def test_a_backup_that_runs_again_lowers_the_risk_by_one() -> None:
    again = Job("r", "InProgress", "Backup", started_at=NOW)
    assert recovery(NIGHTLY, point(3), running_backup=again).act is Act.SOON
    assert recovery(NIGHTLY, point(1, 17), running_backup=again).act is Act.CAN_WAIT
    assert recovery(NIGHTLY, running_backup=again).act is Act.NOW, "there is nothing to restore from yet"


@pytest.mark.parametrize(
    ("act", "severity"), [(Act.NOW, "Sev1"), (Act.SOON, "Sev2"), (Act.CAN_WAIT, "Sev3"), (Act.UNKNOWN, "Sev4")]
)
def test_the_severity_of_a_risk(act: Act, severity: str) -> None:
    assert Recovery(act).severity("Sev4") == severity


def test_nothing_read_is_nothing_said() -> None:
    assert recovery_of({}, None, NOW) == Recovery()
    assert set(RECOVERY_FACTS) >= {"protection", "recovery_points", "snapshot_policy"}
