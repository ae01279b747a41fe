"""A disk that several VMs can attach at once is to be backed up.

https://learn.microsoft.com/azure/virtual-machines/concepts-restore-points#vm-restore-points-support-matrix
"""

from handlers.causes._disks import backed_up, model_of_disks, nowhere
from handlers.model import (
    Activity,
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

STRONG = Asserts(("UserErrorSharedDiskBackupNotSupported",), r"shared disks? is not supported")
MEDIUM = Asserts(("OperationNotAllowed", "VMRestorePointClientError"))


def check(
    window: Window, disks: tuple[Disk, ...], disk_selection: DiskSelection | Unknown, disk_activity: Activity | Unknown
) -> Opinion:
    shared, there = backed_up(disks, disk_selection, _is_shared)
    none, seen = nowhere(disks, _is_shared), model_of_disks(window, disk_activity)
    return decide(
        confirmed(
            "A shared disk was attached when the job ran, and not excluded", window.explains(there, seen), disks=shared or disks
        ),
        possible("A shared disk is attached now, or was when backups succeeded", bool(shared), disks=shared),
        ruled_out("No disk was shared when the job ran", none & window.held(seen), disks=disks),
        unknown("None is shared now, or only one that is excluded", Reason.READ_LATE, ~there, disks=disks),
    )


def _is_shared(disk: Disk) -> bool:
    return disk.max_shares > 1
