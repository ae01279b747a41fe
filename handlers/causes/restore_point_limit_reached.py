"""The VM has as many restore points as Azure Backup may keep.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout (18 per VM)
"""

from handlers.model import Opinion, RestorePointCollection, confirmed, possible, ruled_out

LIMIT, NEAR = 18, 14
"""18 is documented; 14 is the project's threshold for `near`."""


def check(restore_point_collections: tuple[RestorePointCollection, ...]) -> Opinion:
    points = sum(len(collection.points) for collection in restore_point_collections)
    if points >= LIMIT:
        return confirmed(restore_point_collections=restore_point_collections)
    if points >= NEAR:
        return possible(restore_point_collections=restore_point_collections)
    return ruled_out(restore_point_collections=restore_point_collections)
