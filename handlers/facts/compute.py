"""Facts from the VM and its disks. https://learn.microsoft.com/rest/api/compute/virtual-machines/get"""

from __future__ import annotations

from copy import replace
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.backup import READ_ITEM, excluded_luns
from handlers.model import Agent, Disk, DiskKey, Extension, Failure, Os, Reason, Unknown, VirtualMachine, parse_time

API = "2025-04-01"
DISK_API = "2024-03-02"
READ_VM = "Microsoft.Compute/virtualMachines/read"
READ_VIEW = "Microsoft.Compute/virtualMachines/instanceView/read"
READ_DISK = "Microsoft.Compute/disks/read"
GONE = ("resourcenotfound", "resourcegroupnotfound")
VM_VIEW = "Microsoft.Compute/virtualMachines?$expand=instanceView"


def read_vm(failure: Failure, reads: Reads) -> dict[str, Any]:
    """The VM's body: with its instance view (agent, power, extensions, disks) in one call, or in bulk without."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    body: dict[str, Any] = reads.model(failure.vm.id, API)
    return body


def instance_view(failure: Failure, reads: Reads) -> dict[str, Any]:
    """What the agent and the platform report of the VM. No list holds it."""
    return whole_vm(failure, reads)["properties"].get("instanceView") or {}


def whole_vm(failure: Failure, reads: Reads) -> dict[str, Any]:
    """The VM's body with all that rows of a list leave out: its instance view, its Marketplace plan."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    body: dict[str, Any] = reads.get(failure.vm.id, API, expand="instanceView")
    return body


def reported(failure: Failure, reads: Reads) -> dict[str, Any]:
    """What matters of the instance view and is in bulk too: the power state and the operating system's name.

    https://learn.microsoft.com/azure/governance/resource-graph/samples/samples-by-table (`properties.extended.instanceView`)
    """
    properties = read_vm(failure, reads)["properties"]
    extended = (properties.get("extended") or {}).get("instanceView")
    if extended is None:
        return instance_view(failure, reads)
    power = str((extended.get("powerState") or {}).get("code") or "")
    return {"osName": extended.get("osName"), "statuses": [{"code": power}] if power else []}


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def vm(failure: Failure, reads: Reads) -> VirtualMachine:
    body = read_vm(failure, reads)
    properties = body["properties"]
    storage = properties.get("storageProfile", {})
    os_type = str(storage.get("osDisk", {}).get("osType", "")).lower()
    view = seen_view(failure, reads)
    status = _status_of("provisioningstate", view or {})
    state = "" if view is not None else str(properties.get("provisioningState") or "")
    return VirtualMachine(
        id=body.get("id", failure.vm.id if failure.vm else ""),
        name=body.get("name", ""),
        location=body.get("location", ""),
        os={"windows": Os.WINDOWS, "linux": Os.LINUX}.get(os_type),
        provisioning_state=properties.get("provisioningState", ""),
        distribution=_distribution(storage.get("imageReference") or {}, reported(failure, reads)),
        created_at=parse_time(properties.get("timeCreated")),
        status=(state or str(status.get("code") or "").partition("/")[2]).lower(),
        status_at=parse_time(status.get("time")),
        message=str(status.get("message") or ""),
    )


def seen_view(failure: Failure, reads: Reads) -> dict[str, Any] | None:
    """The instance view; None in bulk. What else a caller reads must then say the same: the model, or the disks themselves."""
    try:
        return instance_view(failure, reads)
    except Unread as unread:
        if unread.unknown.why is not Reason.NOT_SAMPLED:
            raise
        return None


def _status_of(kind: str, view: dict[str, Any]) -> dict[str, Any]:
    """The status of a kind: `powerstate`, `provisioningstate`."""
    statuses: list[dict[str, Any]] = view.get("statuses") or []
    return next((status for status in statuses if str(status.get("code", "")).lower().startswith(f"{kind}/")), {})


@fact(READ_VM, source=VM_VIEW)
def vm_presence(failure: Failure, reads: Reads) -> str:
    """`present`, or `missing` when Azure knows the subscription and says that the VM or its group is not there."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        read_vm(failure, reads)
    except ResourceNotFoundError as error:
        said = str(error.error.code if error.error else "")
        if said.lower() not in GONE:
            raise Unread(Reason.NOT_FOUND, said if said.isalnum() else "") from None
        return "missing"
    return "present"


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def power_state(failure: Failure, reads: Reads) -> str:
    """`running`, `stopped`, `deallocated`, `starting`, `stopping` or `deallocating`."""
    code = str(_status_of("powerstate", reported(failure, reads)).get("code") or "")
    if not code:
        raise Unread(Reason.NO_DATA)
    return code.partition("/")[2].lower()


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def agent(failure: Failure, reads: Reads) -> Agent | None:
    """What the guest agent last reported; None when none ever did."""
    found = instance_view(failure, reads).get("vmAgent")
    if not found:
        return None
    status = (found.get("statuses") or [{}])[0]
    version = str(found.get("vmAgentVersion") or "")
    code = str(status.get("code") or "")
    return Agent(
        ready=code.lower() == "provisioningstate/succeeded" if code else None,
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
    profile = read_vm(failure, reads)["properties"].get("osProfile")
    if not profile:
        raise Unread(Reason.NO_DATA)
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


@fact(READ_VM, source=VM_VIEW)
def extension_names(failure: Failure, reads: Reads) -> tuple[str, ...]:
    """The extensions in the VM's model, whether the agent speaks of them or not."""
    resources = read_vm(failure, reads).get("resources") or ()
    children = [child for child in resources if str(child.get("type", "")).lower().endswith("/extensions")]
    return tuple(str(child.get("name") or "").rpartition("/")[2] for child in children)


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


@fact(READ_VM, READ_DISK, READ_ITEM, source="Microsoft.Compute/disks")
def disks(failure: Failure, reads: Reads) -> tuple[Disk, ...]:
    """The OS disk and the data disks, each managed one with what its own resource says."""
    attached = _attached(failure, reads)
    encrypted = {name for name, _ in _encryption_settings(seen_view(failure, reads) or {})}
    excluded = reads.or_unknown(lambda: excluded_luns(failure, reads))
    found = reads.each(attached, lambda item: _disk(item, encrypted, reads))
    return found if isinstance(excluded, Unknown) else tuple(_with_exclusion(disk, *excluded) for disk in found)


def _attached(failure: Failure, reads: Reads) -> tuple[dict[str, Any], ...]:
    storage = read_vm(failure, reads)["properties"].get("storageProfile", {})
    return tuple(filter(None, (storage.get("osDisk"), *(storage.get("dataDisks") or ()))))


def _with_exclusion(disk: Disk, included: bool, luns: frozenset[int]) -> Disk:
    """The vault's list names data disks by LUN: those that are backed up, or those that are not. The OS disk has none."""
    return replace(disk, excluded=disk.lun is not None and (disk.lun not in luns if included else disk.lun in luns))


def _disk(item: dict[str, Any], encrypted: set[str], reads: Reads) -> Disk:
    disk_id = (item.get("managedDisk") or {}).get("id", "")
    body = reads.or_unknown(lambda: reads.get(disk_id, DISK_API)) if disk_id else {}
    properties = {} if isinstance(body, Unknown) else body.get("properties") or {}
    collection = properties.get("encryptionSettingsCollection") or {}
    return Disk(
        name=item.get("name", ""),
        id=disk_id,
        managed="managedDisk" in item,
        size_gib=properties.get("diskSizeGB", item.get("diskSizeGB")),
        state=properties.get("diskState", ""),
        write_accelerated=bool(item.get("writeAcceleratorEnabled")),
        ade_encrypted=item.get("name", "") in encrypted or bool(collection.get("enabled")),
        encryption_set_id=_encryption_set_id(properties),
        lun=item.get("lun"),
        unread=body if isinstance(body, Unknown) else None,
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
    for listed in reads.each(_attached(failure, reads), lambda item: _settings_of_disk(item, reads)):
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
