"""More backups ran than the snapshots' retention can hold.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#supported-backup-actions
Standard policy (V1): one scheduled and three on-demand backups a day. Enhanced policy (V2): up to one every four hours.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

from handlers.causes import LIMIT, is_past, limit_is_stated, points_then
from handlers.model import (
    Asserts,
    Claim,
    Job,
    Lock,
    Opinion,
    Reason,
    RestorePointCollection,
    SnapshotPolicy,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

MEDIUM = Asserts(("UserErrorRpCollectionLimitReached",), r"number of (on-demand|adhoc) backups")
STANDARD_A_DAY = 4
READ_DAYS = 7


def check(
    window: Window,
    recent_backup_jobs: tuple[Job, ...],
    unread_vaults: tuple[str, ...] | Unknown,
    snapshot_policy: SnapshotPolicy | Unknown,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
    restore_point_group_locks: tuple[Lock, ...] | Unknown,
) -> Opinion:
    days = Counter(job.started_at.date() for job in recent_backup_jobs if job.started_at)
    busiest = max(days.values(), default=0)
    policy = snapshot_policy if isinstance(snapshot_policy, SnapshotPolicy) else SnapshotPolicy("", "")
    kept = policy.snapshot_retention_days or 0
    taken = _taken(recent_backup_jobs, kept, window)
    whole = (
        unread(unread_vaults, snapshot_policy) | claim(unread_vaults == () and 0 < kept <= READ_DAYS) | undecided(Reason.PARTIAL)
    )
    shown: dict[str, Any] = {
        "recent_backup_jobs": [f"{day}: {count}" for day, count in sorted(days.items()) if count == busiest],
        "snapshot_policy": snapshot_policy,
    }
    unlocked = unread(restore_point_group_locks) | (not restore_point_group_locks)
    young = ~unread(restore_point_collections, snapshot_policy) & _all_young(restore_point_collections, policy, window)
    stated = limit_is_stated(window)
    return decide(
        confirmed(
            "The code speaks of the limit, no lock is there, and so many were taken in the time that snapshots are kept",
            claim(stated) & unlocked & young & _too_many(taken, policy, snapshot_policy),
            **shown,
        ),
        ruled_out("No more ran than the policy plans", whole & _as_planned(taken, busiest, policy), **shown),
        possible("The code speaks of the limit, and more than one ran a day", claim(stated and busiest > 1), **shown),
        possible(
            "More than four ran a day with a Standard policy",
            unread(snapshot_policy) | (policy.type == "V1" and busiest > STANDARD_A_DAY),
            **shown,
        ),
        unknown("The jobs or the policy were not read in full", Reason.PARTIAL, ~unread(unread_vaults, snapshot_policy), **shown),
    )


def _taken(jobs: tuple[Job, ...], kept: int, window: Window) -> tuple[Job, ...]:
    """The good backups whose snapshots were still kept when the job ran."""
    since = window.end - timedelta(days=kept)
    return tuple(job for job in jobs if job.completed and job.started_at and since <= job.started_at <= window.end)


def _too_many(taken: tuple[Job, ...], policy: SnapshotPolicy, read: SnapshotPolicy | Unknown) -> Claim:
    by_hand = [job for job in taken if job.scheduled is False]
    return unread(read) | (len(taken) >= LIMIT and (policy.type == "V1" or bool(by_hand)))


def _as_planned(taken: tuple[Job, ...], busiest: int, policy: SnapshotPolicy) -> bool:
    return busiest <= 1 if policy.type == "V1" else all(job.scheduled for job in taken)


def _all_young(collections: tuple[RestorePointCollection, ...] | Unknown, policy: SnapshotPolicy, window: Window) -> bool:
    points = () if isinstance(collections, Unknown) else points_then(collections, window.end)
    return not any(is_past(point, policy, window) for point in points)
