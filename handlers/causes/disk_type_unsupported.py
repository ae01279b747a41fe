"""A disk is of a type that Azure Backup does not back up, or not with this policy.

Ultra and Premium SSD v2 disks need an Enhanced policy, and no crash-consistent snapshots only; an ephemeral OS disk cannot be backed up:
https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#vm-storage-support and
https://learn.microsoft.com/azure/virtual-machines/concepts-restore-points#vm-restore-points-support-matrix. Storage Spaces and cluster volumes
show inside the VM only.
"""

from handlers.causes._disks import backed_up, model_of_disks, nowhere
from handlers.model import (
    Activity,
    Asserts,
    Disk,
    DiskSelection,
    Opinion,
    Reason,
    SnapshotPolicy,
    Unknown,
    Window,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorUnsupportedDiskConfiguration", "UserErrorUnsupportedStorageType", "UserErrorStandardSSDNotSupported"))
MEDIUM = Asserts(("UserErrorCrpReportedUserError",))
NEED_ENHANCED = ("ultrassd_lrs", "premiumv2_lrs")


def check(
    window: Window,
    disks: tuple[Disk, ...],
    snapshot_policy: SnapshotPolicy | Unknown,
    disk_selection: DiskSelection | Unknown,
    disk_activity: Activity | Unknown,
) -> Opinion:
    of_host, has_one = backed_up(disks, disk_selection, _is_ephemeral)
    newer, has_newer = backed_up(disks, disk_selection, _needs_enhanced)
    weak = unread(snapshot_policy) | (isinstance(snapshot_policy, SnapshotPolicy) and _takes_only_older(snapshot_policy))
    wrong = has_one | (has_newer & weak & window.at(configuration()))
    seen, found = model_of_disks(window, disk_activity), of_host + (newer if weak.holds else ())
    none = nowhere(disks, _is_ephemeral) & (nowhere(disks, _needs_enhanced) | (~weak & window.held(configuration())))
    return decide(
        confirmed(
            "Such a disk was attached when the job ran, and not excluded",
            window.explains(wrong, seen),
            disks=found or disks,
            snapshot_policy=snapshot_policy,
        ),
        possible(
            "Such a disk is attached now, or was when backups succeeded",
            bool(found),
            disks=found,
            snapshot_policy=snapshot_policy,
        ),
        ruled_out(
            "The policy backs up the types of all disks, and did when the job ran",
            none & window.held(seen),
            disks=disks,
            snapshot_policy=snapshot_policy,
        ),
        unknown("There is none now, or only one that is excluded", Reason.READ_LATE, ~(has_one | has_newer), disks=disks),
    )


def _is_ephemeral(disk: Disk) -> bool:
    return disk.ephemeral


def _needs_enhanced(disk: Disk) -> bool:
    return disk.sku.lower() in NEED_ENHANCED


def _takes_only_older(policy: SnapshotPolicy) -> bool:
    return policy.type == "V1" or policy.consistency.lower() == "onlycrashconsistent"
