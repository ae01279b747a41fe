"""A lock on the resource group that holds the restore points keeps Azure Backup from deleting old ones, or from making any.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#remove_lock_from_the_recovery_point_resource_group
"""

from typing import Any

from handlers.causes import limit_is_stated, no_lock_removed, seen_lock, stuck
from handlers.model import (
    Activity,
    Asserts,
    Lock,
    Opinion,
    Reason,
    RestorePointCollection,
    SnapshotPolicy,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(
    ("UserErrorResourceGroupLockPreventsManagedRpDelete", "ScopeLocked", "UserErrorResourceIsInLockedState"),
    r"scope .{0,200}locked|ScopeLocked",
)
MEDIUM = Asserts(("UserErrorRpCollectionLimitReached",))


def check(
    window: Window,
    restore_point_group_locks: tuple[Lock, ...] | Unknown,
    lock_changes: Activity | Unknown,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
    snapshot_policy: SnapshotPolicy | Unknown,
) -> Opinion:
    found = () if isinstance(restore_point_group_locks, Unknown) else restore_point_group_locks
    locks = tuple(lock for lock in found if lock.created_at is None or lock.created_at <= window.end)
    seen = {lock: seen_lock(lock, lock_changes) for lock in locks}
    then = unread(restore_point_group_locks) | any_of(*(window.at(seen[lock]) for lock in locks))
    read_only = [seen[lock] for lock in locks if lock.level.lower() == "readonly"]
    overdue = stuck(restore_point_collections, snapshot_policy, window)
    shown: dict[str, Any] = {"restore_point_group_locks": locks}
    return decide(
        confirmed(
            "It was there, and the code speaks of a lock or of too many restore points",
            then & (window.states or limit_is_stated(window)),
            **shown,
        ),
        confirmed(
            "It was there, and old restore points were left",
            then & window.listed & overdue,
            **shown,
            restore_point_collections=restore_point_collections,
        ),
        confirmed(
            "It is read-only and newer than the last good backup",
            any_of(*(window.at(lock) & window.new(lock) for lock in read_only)) & window.listed,
            **shown,
            last_good=window.last_good,
        ),
        possible("It covers the restore points, but nothing ties it to this failure", bool(locks), **shown),
        ruled_out(
            "No lock covered them when the job ran",
            ~unread(restore_point_group_locks) & (not locks) & window.held(no_lock_removed(lock_changes)),
            **shown,
        ),
        unknown(
            "None covers them now; one may have been removed since",
            Reason.READ_LATE,
            ~unread(restore_point_group_locks),
            **shown,
            lock_changes=lock_changes,
        ),
    )
