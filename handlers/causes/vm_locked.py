"""A read-only lock covers the VM: Azure Backup cannot run its extension or make a restore point of it.

https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from typing import Any

from handlers.causes import no_lock_removed, seen_lock
from handlers.model import (
    Activity,
    Asserts,
    Lock,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
)

STRONG = Asserts(("UserErrorResourceIsInLockedState", "ScopeLocked"))


def check(window: Window, vm_locks: tuple[Lock, ...], lock_changes: Activity | Unknown) -> Opinion:
    read_only = tuple(lock for lock in vm_locks if lock.level.lower() == "readonly")
    before = tuple(lock for lock in read_only if lock.created_at is None or lock.created_at <= window.end)
    seen = [seen_lock(lock, lock_changes) for lock in before]
    shown: dict[str, Any] = {"vm_locks": read_only}
    return decide(
        confirmed(
            "It was there, and fits the error",
            any_of(*(window.at(lock) & (window.states | (window.listed & ~window.old(lock))) for lock in seen)),
            **shown,
        ),
        possible("It is there, but nothing ties it to this failure", bool(read_only), **shown),
        ruled_out(
            "None covers the VM, and none was removed since the job began; a lock against deletion does no harm",
            window.held(no_lock_removed(lock_changes)),
            vm_locks=vm_locks,
        ),
        unknown(
            "None covers it now; one may have been removed since", Reason.READ_LATE, vm_locks=vm_locks, lock_changes=lock_changes
        ),
    )
