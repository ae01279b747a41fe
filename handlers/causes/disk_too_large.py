"""A disk, or all disks together, is larger than Azure Backup supports.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#vm-storage-support: 32 TB a disk, 256 TB a VM.
That encrypted disks above 4 TB are not supported stands in the troubleshooting article only, so the code must say it too.
"""

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Disk,
    Opinion,
    Reason,
    Window,
    all_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
)

STRONG = Asserts(("UserErrorUnsupportedDiskSize",), r"configured disk size|disk sizes? greater than")
DISK_GIB, VM_GIB, ENCRYPTED_GIB = 32_767, 262_144, 4_095


def check(window: Window, disks: tuple[Disk, ...]) -> Opinion:
    counted = tuple(disk for disk in disks if not disk.excluded)
    large = tuple(disk for disk in counted if (disk.size_gib or 0) > DISK_GIB)
    encrypted = tuple(disk for disk in counted if disk.ade_encrypted and (disk.size_gib or 0) > ENCRYPTED_GIB)
    together = sum(disk.size_gib or 0 for disk in counted) > VM_GIB
    whole = all_of(*(undecided(disk.unread or Reason.NO_DATA) if disk.size_gib is None else claim(True) for disk in counted))
    seen = model_of_vm(window)
    return decide(
        confirmed(
            "A disk or their sum was too large when the job ran",
            window.explains(bool(large or together) | ~whole, seen),
            disks=large or counted,
        ),
        confirmed(
            "The code says so, and an encrypted disk is over 4 TB",
            claim(window.states and bool(encrypted)) & window.held(seen),
            disks=encrypted,
        ),
        possible(
            "A disk or their sum is too large now, or was when backups succeeded", bool(large or together), disks=large or counted
        ),
        possible("An encrypted disk is over 4 TB", bool(encrypted), disks=encrypted),
        ruled_out("Every disk was small enough when the job ran", whole & window.held(seen), disks=counted),
        unknown("They are small enough now, and may have been changed since", Reason.READ_LATE, whole, disks=counted),
    )
