"""The key that wraps the disks' secrets belongs to a certificate, which Azure Backup does not support.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#limitations
Whether a key is a certificate's only the key vault's data tells, which is never read.
"""

from handlers.model import DiskKey, Opinion, Reason, ruled_out, unknown


def check(disk_keys: tuple[DiskKey, ...]) -> Opinion:
    wrapping = tuple(key.url for key in disk_keys if key.kind == "key")
    return unknown(Reason.NEVER_READ, disk_keys=wrapping) if wrapping else ruled_out(disk_keys=())
