"""Existing disks cannot be replaced by this restore: the VM is gone, or it or the point has something that does not allow it.

https://learn.microsoft.com/azure/backup/backup-azure-arm-restore-vms#restore-options: the VM must exist, with managed disks that
Azure Disk Encryption does not encrypt; a point without some of the disks cannot replace them all.
"""

from handlers.causes import explained, surely_then, then
from handlers.model import (
    Asserts,
    Disk,
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
from handlers.model.restore import ChosenPoint

OPERATION = "restore"
STRONG = Asserts(("UserErrorOlrNotSupported", "UserErrorOlrNotSupportedOnRpWithDisksExcluded", "OlrBackupFailed"))


def check(
    attempt: Window, vm_presence: str, chosen_point: ChosenPoint | Unknown | None, disks: tuple[Disk, ...] | Unknown
) -> Opinion:
    missing = vm_presence == "missing"
    point = chosen_point if isinstance(chosen_point, ChosenPoint) else None
    barred = bool(point and point.at <= attempt.start and (point.encrypted or point.managed is False or point.disks_left_out))
    accelerated = (
        () if isinstance(disks, Unknown) else tuple(disk for disk in disks if disk.write_accelerated or not disk.managed)
    )
    told = bool(point and point.managed and point.encrypted is False and point.disks_left_out is not None)
    well = ~unread(chosen_point, disks) & (told and not accelerated)
    return decide(
        confirmed(
            "The recovery point is encrypted, of unmanaged disks or without some of them",
            (unread(chosen_point) | barred) & explained(attempt),
            chosen_point=chosen_point,
        ),
        confirmed(
            "The VM was gone when the restore ran", claim(missing) & then(attempt) & explained(attempt), vm_presence=vm_presence
        ),
        confirmed(
            "A disk of the VM had Write Accelerator or was unmanaged when the restore ran",
            (unread(disks) | bool(accelerated)) & then(attempt) & explained(attempt),
            disks=accelerated,
        ),
        possible(
            "The VM is gone, or a disk does not allow it now",
            missing or bool(accelerated),
            vm_presence=vm_presence,
            disks=accelerated,
        ),
        ruled_out("VM and point have nothing that forbids it", well & surely_then(attempt), chosen_point=chosen_point),
        unknown("Not all of it could be read, or it was read later", Reason.READ_LATE, chosen_point=chosen_point),
    )
