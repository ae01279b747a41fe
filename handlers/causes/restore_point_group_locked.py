"""A lock on the resource group that holds the restore points keeps Azure Backup from deleting old ones."""

from handlers.model import Lock, Opinion, confirmed, ruled_out


def check(restore_point_group_locks: tuple[Lock, ...]) -> Opinion:
    if restore_point_group_locks:
        return confirmed(restore_point_group_locks=restore_point_group_locks)
    return ruled_out(restore_point_group_locks=())
