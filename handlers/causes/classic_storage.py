"""Disks of the VM lie in a classic storage account, which Azure Backup does not support.

Unmanaged disks and classic storage accounts are retired: https://learn.microsoft.com/azure/virtual-machines/unmanaged-disks-deprecation
"""

from collections.abc import Iterable

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Claim,
    Disk,
    Opinion,
    Reason,
    StorageAccount,
    Unknown,
    Window,
    all_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorComputeVmWithClassicStorage",))
MEDIUM = Asserts(("UserErrorUnsupportedStorageType", "UserErrorInvalidNetworkConfigV1"))


def check(window: Window, attached_disks: tuple[Disk, ...], storage_accounts: tuple[StorageAccount, ...] | Unknown) -> Opinion:
    known = () if isinstance(storage_accounts, Unknown) else storage_accounts
    classic = tuple(account for account in known if account.is_classic)
    unmanaged = tuple(disk for disk in attached_disks if not disk.managed)
    none, seen = ~unread(storage_accounts) & _none_is_classic(known), model_of_vm(window)
    return decide(
        confirmed(
            "Disks lay in a classic account when the job ran",
            window.explains(unread(storage_accounts) | bool(classic), seen),
            storage_accounts=classic or known,
        ),
        possible("Disks lie in a classic account now, or did when backups succeeded", bool(classic), storage_accounts=classic),
        ruled_out(
            "All disks were managed when the job ran", claim(not unmanaged) & window.held(seen), attached_disks=attached_disks
        ),
        ruled_out("No account is a classic one", claim(bool(unmanaged)) & none & window.held(seen), storage_accounts=known),
        unknown("Disks may have been replaced since", Reason.READ_LATE, none, attached_disks=attached_disks),
    )


def _none_is_classic(accounts: Iterable[StorageAccount]) -> Claim:
    """Undecided while one was not shown to the app."""
    accounts = tuple(accounts)
    return claim(not any(account.is_classic for account in accounts)) & all_of(
        *(undecided(Reason.NOT_SHOWN) for account in accounts if not account.kind)
    )
