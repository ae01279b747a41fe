"""Facts from the VM's disks. https://learn.microsoft.com/rest/api/compute/disks/get"""

from __future__ import annotations

import re
from copy import replace
from typing import Any

from handlers.facts import Reads, fact
from handlers.facts.backup import READ_ITEM, disk_selection
from handlers.facts.compute import READ_VIEW, READ_VM, VM_VIEW, read_vm, seen_view
from handlers.model import Disk, DiskKey, DiskSelection, Failure, Unknown, parse_time

DISK_API = "2024-03-02"
READ_DISK = "Microsoft.Compute/disks/read"


@fact(READ_VM, READ_ITEM, source=VM_VIEW)
def attached_disks(failure: Failure, reads: Reads) -> tuple[Disk, ...]:
    """The OS disk and the data disks, as the VM's model shows them: no disk is read for it."""
    chosen = reads.or_unknown(lambda: disk_selection(failure, reads))
    return tuple(_attached_disk(item, chosen) for item in attached_models(failure, reads))


@fact(READ_VM, READ_VIEW, READ_DISK, READ_ITEM, source="Microsoft.Compute/disks")
def disks(failure: Failure, reads: Reads) -> tuple[Disk, ...]:
    """The same disks, with what the VM's view and each managed one's own resource say."""
    view = seen_view(failure, reads) or {}
    encrypted = {name for name, _ in _encryption_settings(view)}
    statuses = {str(disk.get("name")): (disk.get("statuses") or [{}])[0] for disk in view.get("disks") or ()}
    seen = (_seen(disk, encrypted, statuses.get(disk.name, {})) for disk in attached_disks(failure, reads))
    return reads.each(seen, lambda disk: _disk(disk, reads))


def attached_models(failure: Failure, reads: Reads) -> tuple[dict[str, Any], ...]:
    """The OS disk and the data disks in the words of the VM's model."""
    storage = read_vm(failure, reads)["properties"].get("storageProfile", {})
    return tuple(filter(None, (storage.get("osDisk"), *(storage.get("dataDisks") or ()))))


def _attached_disk(item: dict[str, Any], chosen: DiskSelection | Unknown) -> Disk:
    """Only a VM that was encrypted with an Entra app has `encryptionSettings` in its model.

    https://learn.microsoft.com/azure/virtual-machines/linux/how-to-verify-encryption-status
    """
    managed, with_app = item.get("managedDisk") or {}, bool((item.get("encryptionSettings") or {}).get("enabled"))
    return Disk(
        name=str(item.get("name") or ""),
        id=managed.get("id", ""),
        managed="managedDisk" in item,
        size_gib=item.get("diskSizeGB"),
        write_accelerated=bool(item.get("writeAcceleratorEnabled")),
        ade_encrypted=with_app,
        lun=item.get("lun"),
        excluded=_is_excluded(item.get("lun"), chosen),
        sku=str(managed.get("storageAccountType") or ""),
        ephemeral=bool((item.get("diffDiskSettings") or {}).get("option")),
        account=account_of(str((item.get("vhd") or {}).get("uri") or "")),
        ade_version="1.0" if with_app else "",
    )


def _seen(disk: Disk, encrypted: set[str], status: dict[str, Any]) -> Disk:
    """With what the VM's view says of it."""
    return replace(
        disk,
        ade_encrypted=disk.ade_encrypted or disk.name in encrypted,
        status=str(status.get("code") or "").partition("/")[2].lower(),
        status_at=parse_time(status.get("time")),
    )


def _is_excluded(lun: int | None, chosen: DiskSelection | Unknown) -> bool | None:
    """The vault's list names data disks by LUN: those that are backed up, or those that are not. The OS disk has none."""
    if lun is None:
        return False
    return None if isinstance(chosen, Unknown) else chosen.is_set and (lun in chosen.luns) != chosen.included


def account_of(uri: str) -> str:
    """`https://sashop.blob.core.windows.net/vhds/os.vhd` -> `sashop`; empty for what is no address of a blob."""
    match = re.match(r"(?i)https?://([a-z0-9]{3,24})\.", uri)
    return match[1].lower() if match else ""


def _disk(disk: Disk, reads: Reads) -> Disk:
    """An ephemeral OS disk has no resource that could be read."""
    body = reads.or_unknown(lambda: reads.get(disk.id, DISK_API)) if disk.id and not disk.ephemeral else {}
    if isinstance(body, Unknown):
        return replace(disk, unread=body)
    properties = body.get("properties") or {}
    collection = properties.get("encryptionSettingsCollection") or {}
    version = str(collection.get("encryptionSettingsVersion") or "") if collection.get("enabled") else ""
    return replace(
        disk,
        size_gib=properties.get("diskSizeGB", disk.size_gib),
        state=properties.get("diskState", ""),
        ade_encrypted=disk.ade_encrypted or bool(collection.get("enabled")),
        encryption_set_id=_encryption_set_id(properties),
        sku=str((body.get("sku") or {}).get("name") or disk.sku),
        max_shares=int(properties.get("maxShares") or 1),
        provisioning=str(properties.get("provisioningState") or ""),
        ade_version=version or disk.ade_version,
    )


def _encryption_set_id(properties: dict[str, Any]) -> str:
    """A confidential VM's disk names its set in its security profile.

    https://learn.microsoft.com/javascript/api/@azure/arm-compute/disksecurityprofile
    """
    encryption, security = properties.get("encryption") or {}, properties.get("securityProfile") or {}
    return str(encryption.get("diskEncryptionSetId") or security.get("secureVMDiskEncryptionSetId") or "")


@fact(READ_VM, READ_VIEW, READ_DISK, source=VM_VIEW)
def disk_keys(failure: Failure, reads: Reads) -> tuple[DiskKey, ...]:
    """The secrets and keys that Azure Disk Encryption uses for the VM's disks, by the VM's view, its model or the disks."""
    os_disk = (read_vm(failure, reads)["properties"].get("storageProfile") or {}).get("osDisk") or {}
    settings = [setting for _, setting in _encryption_settings(seen_view(failure, reads) or {})]
    settings += [os_disk["encryptionSettings"]] if os_disk.get("encryptionSettings") else []
    for listed in reads.each(attached_models(failure, reads), lambda item: _settings_of_disk(item, reads)):
        settings += listed
    found: dict[str, DiskKey] = {}
    for setting in settings:
        for kind, part, url in (("secret", "diskEncryptionKey", "secretUrl"), ("key", "keyEncryptionKey", "keyUrl")):
            entry = setting.get(part)
            if entry and entry.get(url):
                vault_id = (entry.get("sourceVault") or {}).get("id", "")
                found[entry[url].lower()] = DiskKey(kind, entry[url], vault_id)
    return tuple(found.values())


def _settings_of_disk(item: dict[str, Any], reads: Reads) -> list[dict[str, Any]]:
    disk_id = (item.get("managedDisk") or {}).get("id", "")
    body = reads.or_unknown(lambda: reads.get(disk_id, DISK_API)) if disk_id else {}
    collection = {} if isinstance(body, Unknown) else (body.get("properties") or {}).get("encryptionSettingsCollection") or {}
    return list(collection.get("encryptionSettings") or ()) if collection.get("enabled", True) else []


def _encryption_settings(view: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (disk.get("name", ""), setting)
        for disk in view.get("disks") or ()
        for setting in disk.get("encryptionSettings") or ()
        if setting.get("enabled", True)
    ]
