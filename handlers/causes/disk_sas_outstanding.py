"""Somebody holds an active shared access signature on a disk restore point, which keeps it from being deleted.

A signature on the live disk (its state ActiveSAS) is something else and no evidence.
https://learn.microsoft.com/azure/virtual-machines/restore-point-troubleshooting#diskrestorepointusedbycustomer
"""

from datetime import timedelta
from typing import Any

from handlers.causes import limit_is_stated, stuck
from handlers.model import (
    Activity,
    Asserts,
    Lock,
    Operation,
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
    unknown,
    unread,
)

STRONG = Asserts(("DiskRestorePointUsedByCustomer",), r"active shared access signature outstanding")
MEDIUM = Asserts(("UserErrorRpCollectionLimitReached",))
LONGEST = timedelta(days=60)
"""How long such an access may last: https://learn.microsoft.com/rest/api/compute/disk-restore-point/grant-access"""
GIVEN, ENDED = "/diskrestorepoints/begingetaccess", "/diskrestorepoints/endgetaccess"


def check(
    window: Window,
    restore_point_activity: Activity,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
    snapshot_policy: SnapshotPolicy | Unknown,
    restore_point_group_locks: tuple[Lock, ...] | Unknown,
) -> Opinion:
    held = _open(restore_point_activity, window)
    overdue = stuck(restore_point_collections, snapshot_policy, window)
    reaches = restore_point_activity.since <= window.start - LONGEST
    unlocked = unread(restore_point_group_locks) | (not restore_point_group_locks)
    shown: dict[str, Any] = {"restore_point_activity": held}
    return decide(
        confirmed("The code says so, and somebody was given access that has not ended", window.states and bool(held), **shown),
        confirmed(
            "Restore points were left without a lock, and somebody was given access that has not ended",
            claim(bool(held) and limit_is_stated(window)) & unlocked & overdue,
            **shown,
        ),
        possible("Somebody was given access that has not ended", bool(held), **shown),
        ruled_out("In 60 days nobody was given access that has not ended", not held and reaches, **shown),
        unknown("The activity log does not reach back far enough", Reason.NO_DATA),
    )


def _open(activity: Activity, window: Window) -> tuple[Operation, ...]:
    """Access that was given before the job by somebody else than Azure Backup, and not taken back before it."""
    before = [entry for entry in activity.operations if entry.at <= window.start]
    ended = {entry.resource: entry.at for entry in reversed(before) if entry.operation.endswith(ENDED)}
    return tuple(
        entry for entry in before
        if entry.operation.endswith(GIVEN) and not entry.by_backup and entry.status.lower() in ("", "succeeded", "success")
        and entry.at > ended.get(entry.resource, activity.since)
    )  # fmt: skip
