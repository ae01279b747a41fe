"""Somebody holds an active shared access signature on a disk, which keeps its snapshots from being deleted.

https://learn.microsoft.com/azure/virtual-machines/restore-point-troubleshooting#diskrestorepointusedbycustomer
"""

from handlers.model import Disk, Opinion, confirmed, ruled_out


def check(disks: tuple[Disk, ...]) -> Opinion:
    shared = tuple(disk for disk in disks if disk.state.lower().startswith("activesas"))
    return confirmed(disks=shared) if shared else ruled_out(disks=disks)
