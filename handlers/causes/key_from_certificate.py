"""The key that wraps the disks' secrets belongs to a certificate, which Azure Backup does not support.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#limitations
Whether a key is a certificate's only the key vault's data tells for certain (`managed`), which is never read. Azure Resource Manager
may show the secret that Key Vault keeps beside a certificate, under the same name; that it shows none proves nothing.
"""

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Disk,
    DiskKey,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(message=r"key .{0,60}(backed by|associated with) .{0,20}certificate")
MEDIUM = Asserts(("UserErrorKeyVaultPermissionsNotConfigured",))


def check(
    window: Window,
    disks: tuple[Disk, ...] | Unknown,
    disk_keys: tuple[DiskKey, ...],
    certificate_names: tuple[str, ...] | Unknown,
) -> Opinion:
    keys = tuple(key for key in disk_keys if key.kind == "key")
    names, wrapping = () if isinstance(certificate_names, Unknown) else certificate_names, tuple(key.url for key in keys)
    named = tuple(key.name for key in keys if key.name in names)
    unseen = unread(disks) | any_of(*(unread(disk.unread) for disk in (() if isinstance(disks, Unknown) else disks)))
    return decide(
        possible("A certificate of the key's name is in its vault", bool(named), disk_keys=wrapping, certificate_names=named),
        unknown(
            "A key wraps the secrets, and only its vault's data tells whose it is",
            Reason.NEVER_READ,
            bool(wrapping),
            disk_keys=wrapping,
        ),
        ruled_out(
            "The disks are encrypted without such a key",
            claim(bool(disk_keys)) & ~unseen & window.held(model_of_vm(window)),
            disk_keys=(),
        ),
        unknown("No encryption was seen", Reason.NO_DATA, disk_keys=()),
    )
