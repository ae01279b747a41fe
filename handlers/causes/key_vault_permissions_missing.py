"""Azure Backup may not read and back up the secrets and keys that the VM's disks are encrypted with.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#provide-permissions
Whose rights they are cannot be told without the object id of Azure Backup's service principal in this tenant: when nobody holds
them, Azure Backup does not either; when somebody does, it may be Azure Backup or not.
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
    Unknown,
    Window,
    any_of,
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
) -> Opinion:
    vaults = tuple(vault for vault in (() if isinstance(key_vaults, Unknown) else key_vaults) if vault.found and not vault.unread)
    lacking = tuple(vault for vault in vaults if not vault.holders and not vault.holders_unread)
    unseen = any_of(
        *(unread(vault.unread, vault.holders_unread) for vault in (() if isinstance(key_vaults, Unknown) else key_vaults))
    )
    return decide(
        confirmed(
            "Nobody held the rights on a vault in use when the job ran",
            unread(key_vaults)
            | any_of(*(window.explains(True, configuration(changes=vault.changes or vault.changes_unread)) for vault in lacking))
            | unseen,
            key_vaults=lacking,
        ),
        possible(
            "Nobody holds the rights now, but they were changed since, or backups succeeded so", bool(lacking), key_vaults=lacking
        ),
        possible(
            "Somebody holds them, which may be Azure Backup or not", any(vault.holders for vault in vaults), key_vaults=vaults
        ),
        ruled_out(
            "No disk is encrypted, by any sign",
            _is_plain(disks, disk_keys, extensions) & window.held(model_of_vm(window)),
            disks=disks,
            disk_keys=disk_keys,
        ),
        unknown(
            "Not every sign of encryption could be read for the time of the job",
            Reason.READ_LATE,
            ~(unread(disks, disk_keys, extensions, key_vaults) | unseen | _unread_disks(disks)),
            disks=disks,
            key_vaults=key_vaults,
        ),
    )


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
