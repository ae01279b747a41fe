"""Azure Backup may not read and back up the secrets and keys that the VM's disks are encrypted with.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#provide-permissions
Whose rights they are cannot be told without the object id of Azure Backup's service principal in this tenant: when nobody holds
them, Azure Backup does not either; when somebody does, it may be Azure Backup or not.
"""

from handlers.model import DiskKey, KeyVault, Opinion, confirmed, possible, ruled_out


def check(disk_keys: tuple[DiskKey, ...], key_vaults: tuple[KeyVault, ...]) -> Opinion:
    if not disk_keys:
        return ruled_out(disk_keys=())
    found = [vault for vault in key_vaults if vault.found]
    if lacking := tuple(vault for vault in found if not vault.holders):
        return confirmed(key_vaults=lacking)
    return possible(key_vaults=tuple(found)) if found else ruled_out(key_vaults=key_vaults)
