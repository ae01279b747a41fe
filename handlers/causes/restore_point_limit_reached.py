"""The VM has as many restore points as it may keep: 18 in the Backup article, 500 at the platform.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#clean_up_restore_point_collection
"""

from typing import Any

from handlers.causes import LIMIT, NEAR, points_then
from handlers.model import (
    Asserts,
    Opinion,
    Reason,
    RestorePointCollection,
    SnapshotPolicy,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(
    ("UserErrorRpCollectionLimitReached",),
    r"restore point collection max limit|cannot exceed (18|500)|maximum allowed snapshot limit",
)
MEDIUM = Asserts(("ExtensionFailedSnapshotLimitReachedError", "OperationNotAllowed", "VMRestorePointClientError"))
SYMPTOM_OF = ("restore_point_group_locked", "too_many_backups", "disk_sas_outstanding")
PLATFORM_LIMIT = 500


def check(
    window: Window,
    restore_point_collections: tuple[RestorePointCollection, ...],
    snapshot_policy: SnapshotPolicy | Unknown,
) -> Opinion:
    count = len(points_then(restore_point_collections, window.end))
    explained = snapshot_policy.explained_points if isinstance(snapshot_policy, SnapshotPolicy) else None
    by_policy = undecided(Reason.NO_DATA) if explained is None else claim(count <= explained)
    by_policy = unread(snapshot_policy) | by_policy
    shown: dict[str, Any] = {"restore_point_collections": restore_point_collections, "snapshot_policy": snapshot_policy}
    return decide(
        confirmed("The code says so, and there are 18 or more", window.states and count >= LIMIT, **shown),
        confirmed("There are 500 or more", window.listed and count >= PLATFORM_LIMIT, **shown),
        possible("The code says so, and there are fewer: some may be gone since", window.states, contrary=True, **shown),
        possible("There are 14 or more, and more than the policy explains", claim(count >= NEAR) & ~by_policy, **shown),
        ruled_out("There are no more than the policy explains", by_policy, **shown),
        unknown("There are more than the policy explains, but few", Reason.NO_DATA, ~by_policy, **shown),
    )
