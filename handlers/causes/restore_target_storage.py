"""The storage account that a restore stages its data in was missing, locked, closed or in another region.

https://learn.microsoft.com/azure/backup/backup-azure-arm-restore-vms#storage-accounts: in the vault's region, and not zone-redundant.
"""

from handlers.causes import explained, surely_then, then
from handlers.model import (
    Asserts,
    Lock,
    Opinion,
    Reason,
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
from handlers.model.restore import RestoreRequest, StorageAccount

OPERATION = "restore"
NOT_FOUND = ("UserErrorBCMRestoreStorageAccountNotFound", "UserErrorRestoreDestinationBlobNotFound")
CLOSED, LOCKED = "UserErrorNetworkAclSANotSupported", "UserErrorStorageAccountIsLocked"
STRONG = Asserts((*NOT_FOUND, CLOSED))
MEDIUM = Asserts((LOCKED,))


def check(
    attempt: Window,
    restore_request: RestoreRequest,
    target_storage: StorageAccount | None,
    target_storage_locks: tuple[Lock, ...] | Unknown,
    vault_region: str | Unknown,
) -> Opinion:
    locks = () if isinstance(target_storage_locks, Unknown) else target_storage_locks
    barring = tuple(lock for lock in locks if lock.level.lower() == "readonly")
    before = tuple(lock for lock in barring if lock.created_at and lock.created_at <= attempt.start)
    missing, closed = target_storage is None, bool(target_storage and target_storage.is_closed)
    elsewhere = ~unread(vault_region) & bool(target_storage and target_storage.region != vault_region)
    made_since = bool(target_storage and target_storage.created_at and target_storage.created_at > attempt.start)
    wrong = claim(missing or closed or made_since or bool(barring)) | elsewhere
    return decide(
        confirmed(
            "The code says that the account was not found, and the subscription has none, or one made since",
            claim(attempt.is_code(*NOT_FOUND) and (missing or made_since)) & then(attempt),
            restore_request=restore_request,
            target_storage=target_storage,
        ),
        confirmed(
            "The account is in another region than the vault",
            elsewhere & explained(attempt) & (not made_since),
            target_storage=target_storage,
            vault_region=vault_region,
        ),
        confirmed(
            "The code names a lock, and a read-only one was there before the restore began",
            (unread(target_storage_locks) | bool(before)) & attempt.is_code(LOCKED),
            target_storage_locks=before,
        ),
        confirmed(
            "The code names the network rules, and they let nobody in when the restore ran",
            claim(closed and attempt.is_code(CLOSED)) & then(attempt),
            target_storage=target_storage,
        ),
        possible(
            "The account is missing, locked, closed or elsewhere now",
            wrong,
            target_storage=target_storage,
            target_storage_locks=barring,
        ),
        ruled_out(
            "The account was there, open and in the vault's region when the restore ran",
            ~(wrong | unread(target_storage_locks)) & surely_then(attempt),
            target_storage=target_storage,
        ),
        unknown(
            "The account is there and open now",
            Reason.READ_LATE,
            ~(wrong | unread(target_storage_locks)),
            target_storage=target_storage,
        ),
    )
