"""The key vault, key or secret version that the VM's disks are encrypted with was deleted, disabled or walled off.

https://learn.microsoft.com/azure/virtual-machines/restore-point-troubleshooting
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Claim,
    Disk,
    DiskKey,
    EncryptionSet,
    KeyState,
    KeyVault,
    Opinion,
    Reason,
    Seen,
    Unknown,
    Window,
    any_of,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

STRONG = Asserts(
    ("DiskRestorePointClientError", "DiskEncryptionInternalError"),
    r"keyvault associated with diskencryptionset|key ?vault .{0,40}not found",
)
MEDIUM = Asserts(("UserErrorKeyVaultPermissionsNotConfigured", "UserErrorGenericResourceNotFound"))


def check(
    window: Window,
    disks: tuple[Disk, ...] | Unknown,
    disk_keys: tuple[DiskKey, ...] | Unknown,
    key_vaults: tuple[KeyVault, ...] | Unknown,
    encryption_sets: tuple[EncryptionSet, ...] | Unknown,
) -> Opinion:
    sets = () if isinstance(encryption_sets, Unknown) else encryption_sets
    own = () if isinstance(key_vaults, Unknown) else key_vaults
    vaults = own + tuple(found.vault for found in sets if found.vault)
    keys = tuple(key for vault in own for key in vault.keys) + tuple(found.key for found in sets if found.key)
    broken = dict(_broken(vaults, sets, keys))
    barred = [vault for vault in vaults if vault.firewalled]
    failing = tuple(found for found in sets if found.rotation_error)
    expired = tuple(str(key) for key in keys if key.expires_at and key.expires_at < window.end)
    whys = [*(vault.unread for vault in vaults), *(found.unread for found in sets), *(key.unread for key in keys)]
    whys += [disk.unread for disk in (() if isinstance(disks, Unknown) else disks)]
    unseen = unread(disks, disk_keys, key_vaults, encryption_sets, *whys)
    used = bool(vaults or sets)
    shown: dict[str, Any] = {"key_vaults": tuple(broken) or own, "encryption_sets": sets}
    return decide(
        confirmed(
            "A vault, set or key version in use was gone or disabled when the job ran",
            any_of(*(_explained(at, window) for at in broken.values())),
            **shown,
        ),
        confirmed(
            "A firewall or a failed rotation keeps the key away, and did when the job ran",
            any_of(*(window.explains(True, _seen(vault)) for vault in barred))
            | (bool(failing) & window.fits(state())) & window.soon,
            **shown,
        ),
        possible(
            "One is gone, disabled or walled off, since a time that is not known or is later",
            bool(broken or barred or failing),
            **shown,
        ),
        possible("One has expired, which alone does not stop Azure from using it", bool(expired), key_vaults=expired),
        ruled_out(
            "Every key in use was there and enabled when the job ran", ~unseen & used & _all_held(vaults, keys, window), **shown
        ),
        ruled_out(
            "No disk is encrypted with a key of the customer's",
            ~unseen & (not used) & (not _marks(disks)) & window.held(model_of_vm(window)),
            disks=disks,
        ),
        unknown("They are well now, and may not have been then", Reason.READ_LATE, ~unseen, **shown),
    )


def _broken(
    vaults: Iterable[KeyVault], sets: Iterable[EncryptionSet], keys: Iterable[KeyState]
) -> Iterable[tuple[str, datetime | None]]:
    yield from ((f"{vault.name}: missing", vault.deleted_at) for vault in vaults if not vault.found)
    yield from ((str(found), None) for found in sets if not found.found)
    yield from ((str(key), key.updated_at) for key in keys if not key.unread and not (key.found and key.enabled))


def _explained(at: datetime | None, window: Window) -> Claim:
    return claim(at is not None and at <= window.end) & window.fits(state(at))


def _seen(vault: KeyVault) -> Seen:
    return configuration(changes=vault.changes or vault.changes_unread)


def _all_held(vaults: Iterable[KeyVault], keys: Iterable[KeyState], window: Window) -> Claim:
    held = [window.held(configuration(key.updated_at)) for key in keys]
    return claim(bool(held)) & ~any_of(*(~one for one in held))


def _marks(disks: tuple[Disk, ...] | Unknown) -> bool:
    return not isinstance(disks, Unknown) and any(disk.ade_encrypted or disk.encryption_set_id for disk in disks)
