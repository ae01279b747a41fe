"""The VM's disks were encrypted with an Entra app first, and later without, or the other way round.

https://learn.microsoft.com/azure/virtual-machines/windows/disk-encryption-windows#restrictions; a disk says which it was:
https://learn.microsoft.com/python/api/azure-mgmt-compute/azure.mgmt.compute.models.encryptionsettingscollection
"""

from collections.abc import Iterable

from handlers.causes._disks import model_of_disks
from handlers.model import (
    Activity,
    Asserts,
    Claim,
    Disk,
    Extension,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorInvalidVMEncryptionInfo",))
WITH_APP = {"azurediskencryption": "1", "azurediskencryptionforlinux": "0"}
"""The extension's first number with an Entra app; without one it is the next.
https://learn.microsoft.com/azure/virtual-machines/extensions/azure-disk-enc-windows and …/azure-disk-enc-linux"""


def check(
    window: Window, disks: tuple[Disk, ...], extensions: tuple[Extension, ...] | Unknown, disk_activity: Activity | Unknown
) -> Opinion:
    own = () if isinstance(extensions, Unknown) else tuple(found for found in extensions if _kind_of(found))
    encrypted = tuple(disk for disk in disks if disk.ade_encrypted)
    kinds = {disk.ade_version for disk in encrypted} | {_kind_of(found) for found in own}
    mixed, seen = {"1.0", "1.1"} <= kinds, model_of_disks(window, disk_activity)
    told = bool(encrypted) and all(disk.ade_version for disk in encrypted)
    return decide(
        confirmed("Both kinds were there when the job ran", window.explains(mixed, seen), disks=encrypted, extensions=own),
        possible("Both kinds are there now, or were when backups succeeded", mixed, disks=encrypted, extensions=own),
        ruled_out(
            "All disks were encrypted in one way when the job ran",
            _read(disks) & ~unread(extensions) & told & window.held(seen),
            disks=encrypted,
        ),
        unknown("No disk says how it was encrypted, or one may have changed", Reason.NO_DATA, _read(disks), disks=encrypted),
    )


def _kind_of(extension: Extension) -> str:
    """`1.0` with an Entra app, `1.1` without; empty for another extension."""
    publisher, _, name = extension.handler.lower().rpartition(".")
    first = extension.version.partition(".")[0]
    if publisher != "microsoft.azure.security" or name not in WITH_APP or not first.isdigit():
        return ""
    return "1.0" if first == WITH_APP[name] else "1.1"


def _read(disks: Iterable[Disk]) -> Claim:
    return ~any_of(*(undecided(disk.unread) for disk in disks if disk.unread))
