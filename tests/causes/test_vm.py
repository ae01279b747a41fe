"""vm_provisioning_failed, vm_not_running, vm_model_changed, vm_locked, vm_resources_exhausted, iops_throttled, trusted_launch_changed."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.model import Availability, GuestEvent, Heartbeats, LoadHistory, Reason, Unknown
from handlers.model.recovery import RecoveryPoint
from tests.causes.cases import (
    CONFIRMED,
    FORBIDDEN,
    GOOD_START,
    LOCK,
    NO_LOGS,
    NOW,
    POSSIBLE,
    RULED_OUT,
    SNAPPED,
    START,
    UNKNOWN,
    VM,
    WINDOW,
    Case,
    Table,
    ago,
    done,
    events,
    load,
    log,
    minutes,
    opinion_of,
)

STATED, LISTED = {"states": True, "listed": True}, {"listed": True}
NEVER_GOOD = {"last_good": None}
TAKEN = {"job": SNAPPED}
LATE = {"now": NOW + timedelta(hours=5), "availability": NO_LOGS}
IN_THE_JOB = START + timedelta(minutes=10)
HEALTHY = WINDOW["vm"]


def vm(status: str, at: Any, **more: Any) -> Any:
    return replace(HEALTHY, status=status, status_at=at, **more)


failed = Table("vm_provisioning_failed", LISTED)
failed(1, RULED_OUT, "the snapshot of this job was taken", TAKEN, vm=vm("failed/x", ago(hours=3)))
failed(2, CONFIRMED, "it failed an hour before the job", vm=vm("failed/x", ago(hours=2)))
failed(2, CONFIRMED, "the code says so, and it failed a week ago", STATED, vm=vm("failed/x", ago(days=7)))
failed(2, CONFIRMED, "it failed while the job ran", vm=vm("failed/x", IN_THE_JOB))
failed(3, CONFIRMED, "updating since two hours", vm=vm("updating", ago(hours=2)))
failed(4, POSSIBLE, "it failed after the job", vm=vm("failed/x", ago(minutes=2)))
failed(4, POSSIBLE, "it failed a week ago, and backups succeeded since", vm=vm("failed/x", ago(days=7)))
failed(4, POSSIBLE, "well since a minute ago: what was before?", vm=vm("succeeded", ago(minutes=1)))
failed(5, RULED_OUT, "well for a month")
failed(5, RULED_OUT, "well since just before the job", vm=vm("succeeded", START - timedelta(minutes=1)))
failed(6, UNKNOWN, "the VM could not be read", vm=FORBIDDEN)
failed(6, UNKNOWN, "no time stands beside it", vm=vm("succeeded", None))
failed(6, UNKNOWN, "updating since ten minutes before the job", vm=vm("updating", START - timedelta(minutes=10)))

STOPPED = {"power_state": "stopped"}
BEATS = Heartbeats(tuple(ago(minutes=n) for n in range(200, -1, -1)))
GAP = Heartbeats(tuple(beat for beat in BEATS.minutes if not IN_THE_JOB < beat < IN_THE_JOB + timedelta(minutes=20)))
OFFLINE = {"code": "AzureVmOffline", **STATED}


def told(operation: str, at: Any, **more: Any) -> dict[str, Any]:
    return {**LISTED, "activity": log(done(operation, at, **more))}


running = Table("vm_not_running", LISTED)
running(1, RULED_OUT, "the snapshot of this job was taken", TAKEN | told("restart", IN_THE_JOB))
running(2, CONFIRMED, "restarted while the job ran", told("restart", IN_THE_JOB))
running(2, CONFIRMED, "deallocated while the job ran", told("deallocate", IN_THE_JOB))
running(2, CONFIRMED, "somebody restarted it from inside",
        vm_availability=(Availability("Available", IN_THE_JOB + timedelta(minutes=3)),
                         Availability("Unavailable", IN_THE_JOB, "Customer Initiated"), Availability("Available", ago(days=20))))  # fmt: skip
running(3, CONFIRMED, "registering needs it running, and it was deallocated two hours ago",
        OFFLINE | {"power_state": "deallocated", "activity": log(done("deallocate", ago(hours=2)))})  # fmt: skip
running(4, POSSIBLE, "restarted ten minutes before the job", told("restart", START - timedelta(minutes=10)))
running(4, POSSIBLE, "it is starting now", {**LISTED, "power_state": "starting"})
running(4, POSSIBLE, "no heartbeat for twenty minutes of the job", heartbeats=GAP)
running(5, RULED_OUT, "nothing was done to it, and heartbeats went on", heartbeats=BEATS)
running(5, RULED_OUT, "stopped all the time: a VM that is off is backed up", STOPPED, heartbeats=BEATS)
running(5, RULED_OUT, "a restart was asked for and refused", told("restart", IN_THE_JOB, status="Failed"), heartbeats=BEATS)
running(6, UNKNOWN, "the log could not be read", {**LISTED, "activity": FORBIDDEN}, heartbeats=BEATS)
running(6, UNKNOWN, "nothing was done through Azure, and there are no heartbeats")
running(6, UNKNOWN, "a restart yesterday tells nothing", told("restart", ago(days=1)))

changed = Table("vm_model_changed", LISTED)
changed(1, RULED_OUT, "the snapshot of this job was taken", TAKEN | told("write", IN_THE_JOB))
changed(2, CONFIRMED, "a disk was attached while the job ran", told("write", IN_THE_JOB))
changed(
    2,
    CONFIRMED,
    "an extension was installed while the job ran",
    told("extensions/write", IN_THE_JOB, resource=f"{VM}/extensions/ama"),
)
changed(2, CONFIRMED, "the code says so, and it was changed", {**STATED, "activity": log(done("write", IN_THE_JOB))})
changed(3, POSSIBLE, "changed ten minutes before the job", told("write", START - timedelta(minutes=10)))
changed(3, POSSIBLE, "changed while the job ran, and the message names it for another code", {"listed": False, "activity": log(done("write", IN_THE_JOB)),
        "last_good": Unknown(Reason.FORBIDDEN)})  # fmt: skip
changed(4, RULED_OUT, "nobody changed it")
changed(4, RULED_OUT, "only Azure Backup wrote its extension", told("extensions/write", IN_THE_JOB, by_backup=True))
changed(4, RULED_OUT, "changed the day before", told("write", ago(days=1)))
changed(5, UNKNOWN, "the log could not be read", {**LISTED, "activity": FORBIDDEN})
changed(5, UNKNOWN, "the log reaches back to the middle of the job", {**LISTED, "activity": log(since=IN_THE_JOB)})

READ_ONLY = replace(LOCK, level="ReadOnly", scope=VM, created_at=ago(hours=9))
locked = Table("vm_locked", LISTED)
locked(1, CONFIRMED, "made this morning, before the job", vm_locks=(READ_ONLY,))
locked(1, CONFIRMED, "the code says so, and it is a year old", STATED, vm_locks=(replace(READ_ONLY, created_at=ago(days=400)),))
locked(1, CONFIRMED, "no backup was ever good", LISTED | NEVER_GOOD, vm_locks=(replace(READ_ONLY, created_at=ago(days=400)),))
locked(2, POSSIBLE, "backups succeeded with it", vm_locks=(replace(READ_ONLY, created_at=ago(days=400)),))
locked(2, POSSIBLE, "made after the job", vm_locks=(replace(READ_ONLY, created_at=ago(minutes=2)),))
locked(3, RULED_OUT, "none covers it")
locked(3, RULED_OUT, "one against deletion does no harm", vm_locks=(replace(READ_ONLY, level="CanNotDelete"),))
locked(4, UNKNOWN, "the locks could not be read", vm_locks=FORBIDDEN)
locked(
    4,
    UNKNOWN,
    "one was removed after the job",
    LISTED | LATE,
    lock_changes=log(done("locks/delete", ago(minutes=2)), since=START),
)

BUSY, EASY = minutes(GOOD_START, GOOD_START + timedelta(hours=1), cpu=97), minutes(GOOD_START, GOOD_START + timedelta(hours=1))


def peak(length: int, **values: Any) -> LoadHistory:
    """Loaded for so many minutes of the job, idle otherwise."""
    heavy = minutes(IN_THE_JOB, IN_THE_JOB + timedelta(minutes=length), **values)
    rest = [bucket for bucket in load().buckets if bucket.at not in {each.at for each in heavy}]
    return LoadHistory((*rest, *heavy), timedelta(minutes=1), EASY)


exhausted = Table("vm_resources_exhausted", LISTED)
exhausted(1, RULED_OUT, "the snapshot of this job was taken", TAKEN, vm_load=load(cpu=99))
exhausted(2, CONFIRMED, "97 % for twelve minutes, and little yesterday", vm_load=peak(12, cpu=97))
exhausted(2, CONFIRMED, "4 % of the memory left in one minute, and much yesterday", vm_load=peak(1, memory_free=4))
exhausted(2, CONFIRMED, "the code says so, and yesterday was as bad", STATED, vm_load=load(BUSY, cpu=97))
exhausted(3, POSSIBLE, "as loaded at the last good backup", vm_load=load(BUSY, cpu=97))
exhausted(3, POSSIBLE, "loaded, and no backup was ever good", LISTED | NEVER_GOOD, vm_load=load(None, cpu=97))
exhausted(3, POSSIBLE, "loaded, and yesterday's load could not be had", vm_load=load(FORBIDDEN, cpu=97))
exhausted(4, RULED_OUT, "10 % in every minute, 60 % of the memory left")
exhausted(5, UNKNOWN, "the metrics could not be read", vm_load=FORBIDDEN)
exhausted(5, UNKNOWN, "this error does not point to it", vm_load=Unknown(Reason.NOT_POINTED))
exhausted(5, UNKNOWN, "97 % for five minutes only", vm_load=peak(5, cpu=97))
exhausted(5, UNKNOWN, "a minute has no value", vm_load=peak(1, cpu=None))
exhausted(5, UNKNOWN, "the last minutes are not there yet", vm_load=LoadHistory(load().buckets[:30], timedelta(minutes=1)))

NOT_HELD = GuestEvent(IN_THE_JOB, "System", 9)
throttled = Table("iops_throttled", LISTED)
throttled(1, RULED_OUT, "the snapshot of this job was taken", TAKEN, vm_load=load(iops=100))
throttled(
    2,
    CONFIRMED,
    "at the limit, and the guest could not hold its writes",
    vm_load=load(BUSY, iops=100),
    guest_events=events(NOT_HELD),
)
throttled(2, CONFIRMED, "at the limit, and the message says so", STATED, vm_load=load(None, iops=100))
throttled(2, CONFIRMED, "at the limit, and far from it yesterday", vm_load=load(EASY, iops=97))
throttled(3, POSSIBLE, "at the limit, yesterday too", vm_load=load(minutes(GOOD_START, START, iops=99), iops=100))
throttled(
    3, POSSIBLE, "writes could not be held, and the metrics could not be had", vm_load=FORBIDDEN, guest_events=events(NOT_HELD)
)
throttled(3, POSSIBLE, "writes could not be held, at 80 % of the limit", vm_load=load(iops=80), guest_events=events(NOT_HELD))
throttled(4, RULED_OUT, "writes could not be held, far from the limit: for another reason", guest_events=events(NOT_HELD))
throttled(4, RULED_OUT, "5 % of the limit in every minute")
throttled(4, RULED_OUT, "an event of yesterday says nothing", guest_events=events(replace(NOT_HELD, at=ago(days=1))))
throttled(5, UNKNOWN, "the metrics could not be read", vm_load=FORBIDDEN)
throttled(5, UNKNOWN, "80 % of the limit", vm_load=load(iops=80))
throttled(5, UNKNOWN, "a size without such metrics", vm_load=load(iops=None))

TRUSTED = RecoveryPoint(ago(days=3), "AppConsistent", security_type="TrustedLaunch")
launch = Table("trusted_launch_changed", STATED)
launch(1, CONFIRMED, "a point of three days ago has it, and the VM has not", recovery_points=(TRUSTED,))
launch(
    1,
    POSSIBLE,
    "the same, and the error speaks of something else",
    {"states": False, "listed": False},
    recovery_points=(TRUSTED,),
)
launch(2, RULED_OUT, "both have it", recovery_points=(TRUSTED,), vm=replace(HEALTHY, security_type="TrustedLaunch"))
launch(2, RULED_OUT, "neither has it", recovery_points=(replace(TRUSTED, security_type=""),))
launch(3, UNKNOWN, "the points could not be read", recovery_points=FORBIDDEN)
launch(3, UNKNOWN, "there is no point")
launch(3, UNKNOWN, "the point was made after the job", recovery_points=(replace(TRUSTED, at=ago(minutes=1)),))

TABLES = (failed, running, changed, locked, exhausted, throttled, launch)
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line
