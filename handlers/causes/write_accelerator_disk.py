"""A disk with Write Accelerator is backed up. That is supported since 2022, and needs outbound access from the VM.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#vm-storage-support
"""

from handlers.causes import model_of_vm
from handlers.causes._disks import backed_up, nowhere
from handlers.model import (
    Asserts,
    Disk,
    DiskSelection,
    Opinion,
    Reason,
    Unknown,
    Window,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
)

STRONG = Asserts(("UserErrorWAEnabledDisksNotSupported",))
MEDIUM = Asserts(("UserErrorInvalidManagedDiskOperation", "UserErrorOlrNotSupportedOnRpWithDisksExcluded"))


def check(window: Window, attached_disks: tuple[Disk, ...], disk_selection: DiskSelection | Unknown) -> Opinion:
    found, there = backed_up(attached_disks, disk_selection, _is_accelerated)
    none, seen = nowhere(attached_disks, _is_accelerated), model_of_vm(window)
    return decide(
        confirmed(
            "The error says so, and a disk had it when the job ran",
            there & window.states & window.held(seen),
            attached_disks=found,
        ),
        possible("A disk has it: outbound access may be missing", bool(found), attached_disks=found),
        ruled_out("No disk had it when the job ran", none & window.held(seen), attached_disks=attached_disks),
        unknown("No disk has it now, or only one that is excluded", Reason.READ_LATE, ~there, attached_disks=attached_disks),
    )


def _is_accelerated(disk: Disk) -> bool:
    return disk.write_accelerated
