"""Azure Backup may not read and back up the secrets and keys that the VM's disks are encrypted with.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#provide-permissions
Whose rights they are only the object id of Azure Backup's service principal in this tenant tells, which its own entries in the
activity log hold. Where there is none: when nobody holds them, Azure Backup does not either; when somebody does, it may be it.
"""

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Claim,
    Disk,
    DiskKey,
    Extension,
    KeyVault,
    Opinion,
    Reason,
    Seen,
    Unknown,
    Window,
    all_of,
    any_of,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorKeyVaultPermissionsNotConfigured",), r"sufficient permissions (to|on) (the )?key vault")
ADE = "azurediskencryption"


def check(
    window: Window,
    disks: tuple[Disk, ...] | Unknown,
    disk_keys: tuple[DiskKey, ...] | Unknown,
    extensions: tuple[Extension, ...] | Unknown,
    key_vaults: tuple[KeyVault, ...] | Unknown,
    backup_principal: str | Unknown,
) -> Opinion:
    used = () if isinstance(key_vaults, Unknown) else key_vaults
    vaults = tuple(vault for vault in used if vault.found and not vault.unread and not vault.holders_unread)
    empty = tuple(vault for vault in vaults if not vault.holders)
    refusing = tuple(vault for vault in vaults if vault.holders and _lacks(vault, backup_principal, window))
    unseen = any_of(*(unread(vault.unread, vault.holders_unread) for vault in used))
    unlogged = any_of(*(unread(vault.changes_unread) for vault in used))
    held = all_of(*(claim(backup_principal in vault.holders) & window.held(_seen(vault)) for vault in vaults))
    return decide(
        confirmed(
            "Azure Backup's own principal lacked the rights on a vault in use when the job ran",
            any_of(*(window.explains(True, _seen(vault)) for vault in refusing)),
            key_vaults=refusing,
            backup_principal=backup_principal,
        ),
        confirmed(
            "Nobody held the rights on a vault in use when the job ran",
            unread(key_vaults) | any_of(*(window.explains(True, _seen(vault)) for vault in empty)) | unseen,
            key_vaults=empty,
        ),
        possible(
            "It lacks them now, but they were changed since, or backups succeeded so",
            bool(empty or refusing),
            key_vaults=empty + refusing,
        ),
        possible(
            "Somebody holds them, which may be Azure Backup or not",
            any(backup_principal not in vault.holders for vault in vaults),
            key_vaults=vaults,
        ),
        ruled_out(
            "Azure Backup held the rights on every vault in use when the job ran",
            claim(bool(vaults) and len(vaults) == len(used)) & held,
            key_vaults=vaults,
            backup_principal=backup_principal,
        ),
        ruled_out(
            "No disk is encrypted, by any sign",
            _is_plain(disks, disk_keys, extensions) & window.held(model_of_vm(window)),
            disks=disks,
            disk_keys=disk_keys,
        ),
        unknown(
            "Not every sign of encryption, or not every vault, could be read for the time of the job",
            Reason.READ_LATE,
            ~(unread(disks, disk_keys, extensions, key_vaults) | unseen | unlogged | _unread_disks(disks)),
            disks=disks,
            key_vaults=key_vaults,
        ),
    )


def _lacks(vault: KeyVault, principal: str | Unknown, window: Window) -> bool:
    """Whether Azure Backup does not hold what others do. It may as a member of a group, unless the code itself says that it does not."""
    if isinstance(principal, Unknown) or principal in vault.holders:
        return False
    return window.states or not vault.groups


def _seen(vault: KeyVault) -> Seen:
    return configuration(changes=vault.changes or vault.changes_unread)


def _is_plain(
    disks: tuple[Disk, ...] | Unknown, keys: tuple[DiskKey, ...] | Unknown, extensions: tuple[Extension, ...] | Unknown
) -> Claim:
    """Every place that shows Azure Disk Encryption was read, and shows none."""
    if isinstance(disks, Unknown) or isinstance(keys, Unknown) or isinstance(extensions, Unknown):
        return unread(disks, keys, extensions)
    marks = bool(keys) or any(disk.ade_encrypted for disk in disks) or any(ADE in found.handler.lower() for found in extensions)
    return ~(_unread_disks(disks) | marks)


def _unread_disks(disks: tuple[Disk, ...] | Unknown) -> Claim:
    return any_of(*(unread(disk.unread) for disk in (() if isinstance(disks, Unknown) else disks)))
