"""Facts from the VM. https://learn.microsoft.com/rest/api/compute/virtual-machines/get"""

from __future__ import annotations

from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.model import (
    Agent,
    Extension,
    Failure,
    OperatingSystem,
    Os,
    PatchAssessment,
    Reason,
    VirtualMachine,
    parse_time,
)

API = "2025-04-01"
READ_VM = "Microsoft.Compute/virtualMachines/read"
READ_VIEW = "Microsoft.Compute/virtualMachines/instanceView/read"
GONE = ("resourcenotfound", "resourcegroupnotfound")
ENDED = ("succeeded", "completedwithwarnings")
"""States of an assessment of updates whose result counts."""
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
    """What matters of the instance view and is in bulk too: the power state and the operating system.

    https://learn.microsoft.com/azure/governance/resource-graph/samples/samples-by-table (`properties.extended.instanceView`)
    """
    properties = read_vm(failure, reads)["properties"]
    extended = (properties.get("extended") or {}).get("instanceView")
    if extended is None:
        return instance_view(failure, reads)
    power = str((extended.get("powerState") or {}).get("code") or "")
    said = {"osName": extended.get("osName"), "osVersion": extended.get("osVersion")}
    return {**said, "statuses": [{"code": power}] if power else []}


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
        security_type=str((properties.get("securityProfile") or {}).get("securityType") or ""),
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


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def patch_assessment(failure: Failure, reads: Reads) -> PatchAssessment:
    """The newest assessment of updates that has ended.

    https://learn.microsoft.com/javascript/api/@azure/arm-compute/availablepatchsummary
    """
    summary = (instance_view(failure, reads).get("patchStatus") or {}).get("availablePatchSummary") or {}
    pending = summary.get("rebootPending")
    if str(summary.get("status") or "").lower() not in ENDED or not isinstance(pending, bool):
        raise Unread(Reason.NO_DATA)
    return PatchAssessment(pending, parse_time(summary.get("lastModifiedTime") or summary.get("startTime")))


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


@fact(READ_VM, READ_VIEW, source=VM_VIEW)
def operating_system(failure: Failure, reads: Reads) -> OperatingSystem:
    """What the agent says that runs, and the image that the VM was made of. An agent that does not report says nothing."""
    image = (read_vm(failure, reads)["properties"].get("storageProfile") or {}).get("imageReference") or {}
    view = reported(failure, reads)
    named = " ".join(str(image[part]) for part in ("publisher", "offer", "sku") if image.get(part))
    return OperatingSystem(str(view.get("osName") or ""), str(view.get("osVersion") or ""), named)


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
