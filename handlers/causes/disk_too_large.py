"""A disk, or all disks together, is larger than Azure Backup supports.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#vm-storage-support: 32 TB a disk, 256 TB a VM.
That encrypted disks above 4 TB are not supported stands in the troubleshooting article only, so they are `possible`.
"""

from handlers.model import Disk, Opinion, Reason, confirmed, possible, ruled_out, unknown

DISK_GIB, VM_GIB, ENCRYPTED_GIB = 32_767, 262_144, 4_095


def check(disks: tuple[Disk, ...]) -> Opinion:
    sizes = {disk: disk.size_gib for disk in disks}
    if large := tuple(disk for disk, size in sizes.items() if size and size > DISK_GIB):
        return confirmed(disks=large)
    if sum(size or 0 for size in sizes.values()) > VM_GIB:
        return confirmed(disks=disks)
    if None in sizes.values():
        return unknown(Reason.NO_DATA, disks=disks)
    if doubtful := tuple(disk for disk, size in sizes.items() if disk.ade_encrypted and size and size > ENCRYPTED_GIB):
        return possible(disks=doubtful)
    return ruled_out(disks=disks)
