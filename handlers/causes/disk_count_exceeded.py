"""The VM has more disks than Azure Backup supports.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#vm-storage-support: 32; 16 where they are unmanaged. Whether the OS disk
counts is not said, nor whether excluded disks do: such a VM is neither within the limit nor, unless the error says so, over it.
"""

from handlers.causes._disks import model_of_disks
from handlers.model import (
    Activity,
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
)

STRONG = Asserts(("UserErrorBCMUnsupportedDiskCount",))
MANAGED, UNMANAGED = 32, 16


def check(window: Window, attached_disks: tuple[Disk, ...], disk_activity: Activity | Unknown) -> Opinion:
    limit = MANAGED if all(disk.managed or disk.ephemeral for disk in attached_disks) else UNMANAGED
    counted = [disk for disk in attached_disks if disk.excluded is False]
    data = sum(disk.lun is not None for disk in counted)
    over = data > limit or (len(counted) > limit and window.states)
    within, seen = len(attached_disks) <= limit, model_of_disks(window, disk_activity)
    return decide(
        confirmed("It had too many disks when the job ran", window.explains(over, seen), attached_disks=attached_disks),
        possible("It has too many disks now, or had when backups succeeded", over, attached_disks=attached_disks),
        ruled_out("It had few enough when the job ran", claim(within) & window.held(seen), attached_disks=attached_disks),
        unknown("It has few enough now, or just as many as could count", Reason.READ_LATE, attached_disks=attached_disks),
    )
