"""Another extension failed or is stuck, and drags the VM's state with it.

https://learn.microsoft.com/azure/virtual-machines/extensions/features-windows (an operation times out after 90 minutes)
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers.causes import model_of_vm, other_ones, state_of
from handlers.model import (
    Activity,
    Agent,
    Asserts,
    Claim,
    Extension,
    Opinion,
    Reason,
    Unknown,
    VirtualMachine,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

STRONG = Asserts(
    message=r"failure when processing extension '(?!vmsnapshot)|provisioning of vm extension (?!vmsnapshot)\S+ has timed out"
)
MEDIUM = Asserts(
    (
        "UserErrorVmProvisioningStateFailed",
        "UserErrorCrpReportedUserError",
        "BCMCrpInternalError",
        "VMAgentStatusCommunicationError",
    )
)
LONGEST = timedelta(minutes=90)
UNCLEAR = ("unresponsive", "notready", "unavailable")


def check(
    window: Window,
    agent: Agent | Unknown | None,
    extensions: tuple[Extension, ...] | Unknown,
    extension_names: tuple[str, ...] | Unknown,
    vm: VirtualMachine | Unknown,
) -> Opinion:
    others = () if isinstance(extensions, Unknown) else other_ones(extensions)
    failed = tuple(found for found in others if state_of(found) == "failed")
    changing = tuple(found for found in others if found.changing)
    unclear = tuple(found for found in others if state_of(found) in UNCLEAR)
    named = tuple(name for name in _names(others, extension_names) if isinstance(vm, VirtualMachine) and _is_blamed(name, vm))
    silent = unread(extensions)
    well = all(state_of(found) == "succeeded" for found in others)
    none = (
        not others
        and isinstance(extension_names, tuple)
        and not [name for name in extension_names if not name.lower().startswith("vmsnapshot")]
    )
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "The VM is in a failed state that names it, since before the job's end",
            unread(vm) | _explained(bool(named), _status_at(vm), window),
            vm=vm,
            extensions=failed or others,
        ),
        confirmed(
            "It failed between the last good backup and the job's end",
            silent | (window.listed & any_of(*(_failed_then(found, window) for found in failed))),
            extensions=failed,
            vm_activity=window.activity,
        ),
        confirmed(
            "It is stuck in a change that began more than 90 minutes before the job",
            silent | (window.listed & any(_began(found, vm, window) < window.start - LONGEST for found in changing)),
            extensions=changing,
        ),
        possible("It failed, at a time that is not known or does not fit", bool(failed), extensions=failed),
        possible("It does not answer, or is changing", bool(unclear or changing), extensions=unclear or changing),
        unknown("The agent does not report: the list may be old", Reason.AGENT_NOT_READY, ~window.ready(agent), agent=agent),
        ruled_out(
            "All others succeeded, and the VM's state is older than the job",
            ~silent & (claim(well) & window.ready(agent) & _settled(vm, window) & window.quiet),
            extensions=others,
            vm=vm,
        ),
        ruled_out(
            "There was no other",
            ~(silent | unread(extension_names)) & none & window.held(model_of_vm(window)),
            extension_names=extension_names,
        ),
        unknown("They are well now, and may not have been then", Reason.READ_LATE, ~silent, extensions=others, vm=vm),
    )


def _names(others: Iterable[Extension], names: tuple[str, ...] | Unknown) -> tuple[str, ...]:
    known = {found.name for found in others} | set(() if isinstance(names, Unknown) else names)
    return tuple(sorted(name for name in known if name and not name.lower().startswith("vmsnapshot")))


def _is_blamed(name: str, vm: VirtualMachine) -> bool:
    return vm.status.startswith("failed") and name.lower() in vm.message.lower()


def _status_at(vm: VirtualMachine | Unknown) -> datetime | None:
    return vm.status_at if isinstance(vm, VirtualMachine) else None


def _explained(is_so: bool, at: datetime | None, window: Window) -> Claim:
    """It is known to have begun before the job's end, and fits."""
    return claim(is_so and at is not None and at <= window.end) & window.fits(state(at))


def _failed_then(extension: Extension, window: Window) -> Claim:
    if extension.at is not None:
        return _explained(True, extension.at, window)
    if not isinstance(window.activity, Activity):
        return unread(window.activity)
    name = extension.name.lower()
    writes = [entry.at for entry in window.activity.of("extensions/write", "extensions/delete")
              if entry.status.lower() == "failed" and entry.resource.endswith(f"/{name}")]  # fmt: skip
    return any_of(*(_explained(True, at, window) for at in writes))


def _began(extension: Extension, vm: VirtualMachine | Unknown, window: Window) -> datetime:
    """Since when it changes, as far as its own status or the VM's tells."""
    of_vm = vm.status_at if isinstance(vm, VirtualMachine) and vm.status in ("updating", "creating") else None
    return extension.at or of_vm or window.now


def _settled(vm: VirtualMachine | Unknown, window: Window) -> Claim:
    if isinstance(vm, Unknown):
        return unread(vm)
    return claim(vm.status == "succeeded" and vm.status_at is not None and vm.status_at <= window.start)
