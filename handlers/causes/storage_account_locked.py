"""A lock on the storage account that holds the VM's unmanaged disks: Azure Backup cannot list its keys.

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources#considerations-before-applying-your-locks
The account that a restore writes to is in no API: see `restore_target_storage`.
"""

from typing import Any

from handlers.causes import model_of_vm, no_lock_removed, seen_lock
from handlers.model import (
    Activity,
    Asserts,
    Claim,
    Lock,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorStorageAccountIsLocked",), r"storage account .{0,80}lock")
MEDIUM = Asserts(("UserErrorResourceIsInLockedState", "ScopeLocked"))
RESTORES = ("restore", "crossregionrestore")


def check(
    window: Window,
    unmanaged_disks: tuple[str, ...],
    storage_account_locks: tuple[Lock, ...] | Unknown,
    lock_changes: Activity | Unknown,
) -> Opinion:
    found = () if isinstance(storage_account_locks, Unknown) else storage_account_locks
    locks = tuple(lock for lock in found if lock.created_at is None or lock.created_at <= window.end)
    read_only = [seen_lock(lock, lock_changes) for lock in locks if lock.level.lower() == "readonly"]
    backing_up = _backs_up(window)
    none_covers = ~unread(storage_account_locks) & (not locks)
    shown: dict[str, Any] = {"storage_account_locks": locks, "unmanaged_disks": unmanaged_disks}
    return decide(
        confirmed(
            "A read-only lock covers the account, and did when the job ran",
            any_of(*(window.explains(True, seen) for seen in read_only)),
            **shown,
        ),
        possible(
            "A lock covers it that does not keep Azure Backup out, or that backups succeeded with",
            unread(storage_account_locks) | bool(locks),
            **shown,
        ),
        ruled_out(
            "All its disks are managed, and nothing is restored to an account",
            backing_up & (not unmanaged_disks) & window.held(model_of_vm(window)),
            unmanaged_disks=unmanaged_disks,
        ),
        ruled_out(
            "No lock covered the account when the job ran",
            backing_up & none_covers & bool(unmanaged_disks) & window.held(no_lock_removed(lock_changes)),
            **shown,
        ),
        unknown("The account of a restore is not known, or a lock may have been removed", Reason.NO_DATA, none_covers, **shown),
    )


def _backs_up(window: Window) -> Claim:
    """Whether it was a backup that failed; of a restore nobody says which account it writes to."""
    operation = window.job.operation.lower() if window.job else ""
    return claim(operation not in RESTORES) if operation else undecided(Reason.NO_DATA)
