"""The key vault, key or secret that the VM's disks are encrypted with was deleted or disabled."""

from handlers.model import DiskKey, KeyVault, Opinion, confirmed, ruled_out


def check(disk_keys: tuple[DiskKey, ...], key_vaults: tuple[KeyVault, ...]) -> Opinion:
    if not disk_keys:
        return ruled_out(disk_keys=())
    missing = tuple(vault.name for vault in key_vaults if not vault.found)
    broken = tuple(f"{vault.name}/{key}" for vault in key_vaults for key in vault.broken_keys)
    return confirmed(key_vaults=missing + broken) if missing or broken else ruled_out(key_vaults=key_vaults)
