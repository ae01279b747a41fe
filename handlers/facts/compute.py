"""Facts from the VM and its disks. https://learn.microsoft.com/rest/api/compute/virtual-machines/get"""

from __future__ import annotations

from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.model import Agent, Disk, DiskKey, Extension, Failure, Os, Reason, VirtualMachine, parse_time

API = "2025-04-01"
DISK_API = "2024-03-02"
READ_VM = "Microsoft.Compute/virtualMachines/read"
READ_VIEW = "Microsoft.Compute/virtualMachines/instanceView/read"
READ_DISK = "Microsoft.Compute/disks/read"
VM_VIEW = "Microsoft.Compute/virtualMachines?$expand=instanceView"


def read_vm(failure: Failure, reads: Reads) -> dict[str, Any]:
    """The VM's body with its instance view: agent, power, extensions and disks in one call."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    body: dict[str, Any] = reads.get(failure.vm.id, API, expand="instanceView")
    return body


def instance_view(failure: Failure, reads: Reads) -> dict[str, Any]:
    return read_vm(failure, reads)["properties"].get("instanceView") or {}


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def vm(failure: Failure, reads: Reads) -> VirtualMachine:
    body = read_vm(failure, reads)
    properties = body["properties"]
    storage = properties.get("storageProfile", {})
    os_type = str(storage.get("osDisk", {}).get("osType", "")).lower()
    return VirtualMachine(
        id=body.get("id", failure.vm.id if failure.vm else ""),
        name=body.get("name", ""),
        location=body.get("location", ""),
        os={"windows": Os.WINDOWS, "linux": Os.LINUX}.get(os_type),
        provisioning_state=properties.get("provisioningState", ""),
        distribution=_distribution(storage.get("imageReference") or {}, instance_view(failure, reads)),
    )


@fact(READ_VM, source=VM_VIEW)
def vm_presence(failure: Failure, reads: Reads) -> str:
    """`present`, or `missing` when Azure answers 404: here not finding the VM is the finding."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        read_vm(failure, reads)
    except ResourceNotFoundError:
        return "missing"
    return "present"


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def power_state(failure: Failure, reads: Reads) -> str:
    """`running`, `stopped`, `deallocated`, `starting`, `stopping` or `deallocating`."""
    for status in instance_view(failure, reads).get("statuses", ()):
        kind, _, state = str(status.get("code", "")).partition("/")
        if kind.lower() == "powerstate":
            return state.lower()
    raise Unread(Reason.NO_DATA)


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def agent(failure: Failure, reads: Reads) -> Agent | None:
    """What the guest agent last reported; None when none ever did."""
    found = instance_view(failure, reads).get("vmAgent")
    if not found:
        return None
    status = (found.get("statuses") or [{}])[0]
    version = str(found.get("vmAgentVersion") or "")
    return Agent(
        ready=str(status.get("code", "")).lower() == "provisioningstate/succeeded",
        status=str(status.get("displayStatus") or status.get("code") or ""),
        version="" if version.lower() == "unknown" else version,
        message=str(status.get("message") or ""),
        reported_at=parse_time(status.get("time")),
    )


@fact(READ_VM, source=VM_VIEW)
def agent_provisioned(failure: Failure, reads: Reads) -> bool | None:
    """`provisionVMAgent` of the VM's OS profile; None for a VM without one (a specialised disk)."""
    profile = read_vm(failure, reads)["properties"].get("osProfile") or {}
    for part in ("windowsConfiguration", "linuxConfiguration"):
        if part in profile:
            wanted: bool | None = profile[part].get("provisionVMAgent")
            return wanted
    return None


@fact(READ_VM, source=VM_VIEW)
def extensions_allowed(failure: Failure, reads: Reads) -> bool | None:
    """`allowExtensionOperations` of the VM's OS profile; None when the profile does not say (allowed by default)."""
    profile = read_vm(failure, reads)["properties"].get("osProfile") or {}
    allowed: bool | None = profile.get("allowExtensionOperations")
    return allowed


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def extensions(failure: Failure, reads: Reads) -> tuple[Extension, ...]:
    """The extensions and, where a handler shows no extension (VMSnapshot with managed disks), the handlers."""
    view = instance_view(failure, reads)
    shown = [_extension(item, (item.get("statuses") or [{}])[0]) for item in view.get("extensions") or ()]
    seen = {extension.handler.lower() for extension in shown}
    handlers = (view.get("vmAgent") or {}).get("extensionHandlers") or ()
    hidden = [_extension(item, item.get("status") or {}) for item in handlers if item.get("type", "").lower() not in seen]
    return tuple(shown + hidden)


def _extension(item: dict[str, Any], status: dict[str, Any]) -> Extension:
    handler = str(item.get("type") or "")
    return Extension(
        name=str(item.get("name") or handler.rpartition(".")[2]),
        handler=handler,
        version=str(item.get("typeHandlerVersion") or ""),
        state=str(status.get("code") or "").partition("/")[2].lower(),
        message=str(status.get("message") or ""),
        at=parse_time(status.get("time")),
    )


@fact(READ_VM, READ_DISK, source="Microsoft.Compute/disks")
def disks(failure: Failure, reads: Reads) -> tuple[Disk, ...]:
    """The OS disk and the data disks, each managed one with what its own resource says."""
    storage = read_vm(failure, reads)["properties"].get("storageProfile", {})
    attached = [storage.get("osDisk") or {}, *(storage.get("dataDisks") or ())]
    encrypted = {name for name, _ in _encryption_settings(instance_view(failure, reads))}
    return reads.each(filter(None, attached), lambda item: _disk(item, encrypted, reads))


def _disk(item: dict[str, Any], encrypted: set[str], reads: Reads) -> Disk:
    disk_id = (item.get("managedDisk") or {}).get("id", "")
    properties = reads.get(disk_id, DISK_API)["properties"] if disk_id else {}
    collection = properties.get("encryptionSettingsCollection") or {}
    return Disk(
        name=item.get("name", ""),
        id=disk_id,
        managed="managedDisk" in item,
        size_gib=properties.get("diskSizeGB", item.get("diskSizeGB")),
        state=properties.get("diskState", ""),
        write_accelerated=bool(item.get("writeAcceleratorEnabled")),
        ade_encrypted=item.get("name", "") in encrypted or bool(collection.get("enabled")),
        encryption_set_id=(properties.get("encryption") or {}).get("diskEncryptionSetId") or "",
    )


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def disk_keys(failure: Failure, reads: Reads) -> tuple[DiskKey, ...]:
    """The secrets and keys that Azure Disk Encryption uses for the VM's disks; empty when none is encrypted that way."""
    found: dict[str, DiskKey] = {}
    for _, setting in _encryption_settings(instance_view(failure, reads)):
        for kind, part, url in (("secret", "diskEncryptionKey", "secretUrl"), ("key", "keyEncryptionKey", "keyUrl")):
            entry = setting.get(part)
            if entry and entry.get(url):
                vault_id = (entry.get("sourceVault") or {}).get("id", "")
                found[entry[url].lower()] = DiskKey(kind, entry[url], vault_id)
    return tuple(found.values())


def _encryption_settings(view: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (disk.get("name", ""), setting)
        for disk in view.get("disks") or ()
        for setting in disk.get("encryptionSettings") or ()
        if setting.get("enabled", True)
    ]


_DISTRIBUTIONS = {
    "ubuntu": ("ubuntu", "canonical"),
    "debian": ("debian",),
    "oracle": ("oracle",),
    "sles": ("suse", "sles"),
    "rhel": ("redhat", "red hat", "rhel", "centos", "openlogic", "almalinux", "rocky", "resf"),
    "azurelinux": ("azurelinux", "mariner", "cbl-"),
}


def _distribution(image: dict[str, Any], view: dict[str, Any]) -> str:
    """The family of the Linux distribution: what the agent reports, else the image's publisher and offer."""
    for text in (str(view.get("osName") or ""), f"{image.get('publisher', '')} {image.get('offer', '')}"):
        for name, words in _DISTRIBUTIONS.items():
            if any(word in text.lower() for word in words):
                return name
    return ""
