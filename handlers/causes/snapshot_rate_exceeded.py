"""Another product took snapshots of the same disks at the same time.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionfailedsnapshotratexceedederror
The snapshot step of a failed job goes on, with its retries, until the job ends: what lies within a minute of the job counts.
"""

from datetime import datetime, timedelta

from handlers.causes import in_good
from handlers.model import (
    Activity,
    Asserts,
    DiskSnapshot,
    Extension,
    Opinion,
    Reason,
    Seen,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    event,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("ExtensionFailedSnapshotRateExceededError",), r"SnapshotRateExceeded")
MEDIUM = Asserts(("ExtensionFailedSnapshotLimitReachedError",))
A_MINUTE = timedelta(minutes=1)
OTHER_PRODUCTS = ("siterecovery", "veeam", "commvault", "rubrik", "cohesity")
"""Parts of handlers' names of products that take snapshots."""


def check(
    window: Window,
    disk_snapshots: tuple[DiskSnapshot, ...] | Unknown,
    snapshot_activity: Activity | Unknown,
    extensions: tuple[Extension, ...] | Unknown,
    unmanaged_disks: tuple[str, ...] | Unknown,
) -> Opinion:
    snapshots = () if isinstance(disk_snapshots, Unknown) else disk_snapshots
    taken = tuple(snapshot for snapshot in snapshots if _is_near(snapshot.created_at, window))
    log = () if isinstance(snapshot_activity, Unknown) else snapshot_activity.operations
    noted = tuple(entry for entry in log if _is_near(entry.at, window))
    shown = () if isinstance(extensions, Unknown) else extensions
    products = tuple(found for found in shown if any(name in found.handler.lower() for name in OTHER_PRODUCTS))
    silent = unread(disk_snapshots, snapshot_activity)
    complete = isinstance(snapshot_activity, Activity) and snapshot_activity.since <= window.start
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "A snapshot of one of its disks was taken at that time, as at no good backup",
            unread(disk_snapshots) | any_of(*(window.fits(_seen(snapshots, snapshot, window)) for snapshot in taken)),
            disk_snapshots=taken,
        ),
        possible(
            "A snapshot was taken in its group then, or a product that takes some is installed",
            bool(taken or noted or products),
            disk_snapshots=taken,
            snapshot_activity=noted,
            extensions=products,
        ),
        ruled_out(
            "The disks are managed, and nobody else took a snapshot at that time",
            ~silent & ~unread(unmanaged_disks, extensions) & (not unmanaged_disks) & complete,
            disk_snapshots=taken,
            snapshot_activity=noted,
        ),
        unknown(
            "Snapshots of unmanaged disks leave no trace, or the log begins later",
            Reason.NO_DATA,
            ~silent,
            unmanaged_disks=unmanaged_disks,
        ),
    )


def _is_near(moment: datetime | None, window: Window) -> bool:
    return moment is not None and window.start - A_MINUTE <= moment <= window.end + A_MINUTE


def _seen(snapshots: tuple[DiskSnapshot, ...], snapshot: DiskSnapshot, window: Window) -> Seen:
    """A snapshot of the minute after the job counts as one of the job's time; whether one was taken in the last good backup's too."""
    then_too = any_of(*(in_good(other.created_at, window) for other in snapshots if other.created_at))
    return event(min(snapshot.created_at or window.end, window.end), then_too=then_too)
