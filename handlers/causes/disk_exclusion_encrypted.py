"""Some disks are excluded from the backup of a VM with Azure Disk Encryption, which is not supported.

https://learn.microsoft.com/azure/backup/selective-disk-backup-restore#limitations
"""

from handlers.causes._disks import model_of_disks, nowhere
from handlers.model import (
    Activity,
    Asserts,
    Disk,
    DiskSelection,
    Opinion,
    Reason,
    Unknown,
    Window,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorEncryptedVmNotSupportedWithDiskEx",))


def check(
    window: Window,
    disk_selection: DiskSelection | Unknown,
    disks: tuple[Disk, ...] | Unknown,
    disk_activity: Activity | Unknown,
) -> Opinion:
    known = () if isinstance(disks, Unknown) else disks
    encrypted = tuple(disk for disk in known if disk.ade_encrypted)
    none = ~unread(disks) & nowhere(known, _is_encrypted)
    chosen = unread(disk_selection) | (isinstance(disk_selection, DiskSelection) and disk_selection.is_set)
    of_disks, of_item = model_of_disks(window, disk_activity), configuration()
    both = claim(bool(encrypted)) & chosen
    return decide(
        confirmed(
            "Both were so when the job ran",
            both & window.held(of_item) & window.explains(True, of_disks),
            disk_selection=disk_selection,
            disks=encrypted,
        ),
        possible("Both are so now, or were when backups succeeded", both, disk_selection=disk_selection, disks=encrypted),
        ruled_out("No disk was excluded when the job ran", ~chosen & window.held(of_item), disk_selection=disk_selection),
        ruled_out("No disk had Azure Disk Encryption when the job ran", none & window.held(of_disks), disks=known),
        unknown(
            "One of both is not so now, and may have been then", Reason.READ_LATE, ~chosen | none, disk_selection=disk_selection
        ),
    )


def _is_encrypted(disk: Disk) -> bool:
    return disk.ade_encrypted
