"""Management locks. https://learn.microsoft.com/rest/api/resources/management-locks/list-at-subscription-level

One list holds every lock of the subscription, at whatever scope; locks are inherited downwards.
"""

from __future__ import annotations

from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.compute import READ_VM
from handlers.facts.restore_points import READ_COLLECTION, collections_of
from handlers.facts.snapshots import unmanaged_disks
from handlers.model import Failure, Lock, Reason, parse_time

API, STORAGE_API = "2020-05-01", "2023-05-01"
READ_LOCKS = "Microsoft.Authorization/locks/read"


@fact(READ_LOCKS, READ_COLLECTION, source="Microsoft.Authorization/locks")
def restore_point_group_locks(failure: Failure, reads: Reads) -> tuple[Lock, ...]:
    """The locks that cover a restore point collection of the VM: its group's, the subscription's, or its own."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    subscription = failure.vm.subscription
    locks, collections = reads.both(lambda: locks_of(subscription, reads), lambda: collections_of(failure, reads))
    if not collections:  # a lock of the whole subscription will cover what comes, a group's lock cannot be judged
        if whole := tuple(lock for lock in locks if lock.scope_kind == "subscription"):
            return whole
        raise Unread(Reason.NO_DATA)
    return tuple(lock for lock in locks if any(lock.covers(collection) for collection in collections))


@fact(READ_LOCKS, source="Microsoft.Authorization/locks")
def vm_locks(failure: Failure, reads: Reads) -> tuple[Lock, ...]:
    """The locks that cover the VM: its own, its group's, the subscription's."""
    if (vm := failure.vm) is None:
        raise Unread(Reason.NOT_NAMED)
    return tuple(lock for lock in locks_of(vm.subscription, reads) if lock.covers(vm.id))


def locks_of(subscription: str, reads: Reads) -> tuple[Lock, ...]:
    """Every lock of a subscription, at whatever scope."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/locks"

    def all_locks() -> tuple[Lock, ...]:
        return tuple(map(_lock, reads.azure.list_all(path, API)))

    return reads.of_all(f"locks {subscription.lower()}", all_locks)


def _lock(body: dict[str, Any]) -> Lock:
    properties, lock_id, made = body.get("properties") or {}, str(body.get("id", "")), body.get("systemData") or {}
    return Lock(
        id=lock_id,
        name=str(body.get("name", "")),
        level=str(properties.get("level", "")),
        scope=lock_id[: lock_id.lower().rfind("/providers/microsoft.authorization/locks/")],
        notes=str(properties.get("notes") or ""),
        created_at=parse_time(made.get("createdAt")),
        created_by=str(made.get("createdBy") or ""),
    )


@fact(
    "Microsoft.Authorization/locks/read",
    "Microsoft.Storage/storageAccounts/read",
    READ_VM,
    source="Microsoft.Authorization/locks",
)
def storage_account_locks(failure: Failure, reads: Reads) -> tuple[Lock, ...]:
    """The locks that cover a storage account with an unmanaged disk of the VM; none where all its disks are managed.

    https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list: a disk's address names the account, not its group.
    """
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    names = {uri.partition("://")[2].partition(".")[0].lower() for uri in unmanaged_disks(failure, reads)}
    if not names:
        return ()
    subscription = failure.vm.subscription
    listed = reads.list_all(f"/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts", STORAGE_API)
    accounts = [str(body["id"]) for body in listed if str(body.get("name") or "").lower() in names]
    if len(accounts) < len(names):
        raise Unread(Reason.NOT_FOUND)
    return tuple(lock for lock in locks_of(subscription, reads) if any(lock.covers(account) for account in accounts))
