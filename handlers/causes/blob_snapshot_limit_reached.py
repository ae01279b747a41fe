"""A disk's blob has as many snapshots as it may have: unmanaged disks, or another product's snapshots.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionfailedsnapshotlimitreachederror
The snapshots of a blob are in the storage account's data, which is never read.
"""

from handlers.causes import LIMIT, NEAR, model_of_vm, points_then
from handlers.model import (
    Asserts,
    Extension,
    Opinion,
    Reason,
    RestorePointCollection,
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

STRONG = Asserts(
    ("ExtensionFailedSnapshotLimitReachedError",), r"snapshot limit .{0,30}(exceed|reach)|FailedSnapshotLimitReached"
)
SITE_RECOVERY = "siterecovery"


def check(
    window: Window,
    unmanaged_disks: tuple[str, ...] | Unknown,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
    extensions: tuple[Extension, ...] | Unknown,
) -> Opinion:
    collections = () if isinstance(restore_point_collections, Unknown) else restore_point_collections
    count = len(points_then(collections, window.end))
    managed = unread(unmanaged_disks) | (not unmanaged_disks)
    counted = ~unread(restore_point_collections)
    many, few = counted & (count >= LIMIT), counted & (count < NEAR)
    shown = () if isinstance(extensions, Unknown) else extensions
    replicating = tuple(extension for extension in shown if SITE_RECOVERY in extension.handler.lower())
    return decide(
        confirmed(
            "The code says so, and the disks are unmanaged or there are 18 restore points",
            claim(window.states) & ((~managed & window.at(model_of_vm(window))) | many),
            unmanaged_disks=unmanaged_disks,
            restore_point_collections=restore_point_collections,
        ),
        possible(
            "Site Recovery replicates the VM",
            claim(window.listed) & (unread(extensions) | bool(replicating)),
            extensions=replicating,
        ),
        ruled_out(
            "The disks are managed, and there are few restore points",
            managed & few & window.held(model_of_vm(window)),
            unmanaged_disks=unmanaged_disks,
            restore_point_collections=restore_point_collections,
        ),
        unknown(
            "The snapshots of a blob can only be counted in its account",
            Reason.NEVER_READ,
            ~unread(unmanaged_disks, restore_point_collections),
            unmanaged_disks=unmanaged_disks,
        ),
    )
