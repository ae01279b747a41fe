"""Another backup of the same VM was running.

One that has ended since explains the failure just as well: there is only nothing left to cancel.
"""

from handlers.model import Job, Opinion, RestorePointCollection, Unknown, confirmed, possible, ruled_out


def check(
    overlapping_backup_jobs: tuple[Job, ...], restore_point_collections: tuple[RestorePointCollection, ...] | Unknown
) -> Opinion:
    if overlapping_backup_jobs:
        return confirmed(overlapping_backup_jobs=overlapping_backup_jobs)
    if not isinstance(restore_point_collections, Unknown):
        points = [point for collection in restore_point_collections for point in collection.points]
        if creating := tuple(point.name for point in points if point.state.lower() == "creating"):
            return possible(restore_point_collections=creating)
    return ruled_out(overlapping_backup_jobs=())
