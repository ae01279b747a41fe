"""The guest agent was never installed: a migrated disk, or an image made without it.

https://learn.microsoft.com/azure/virtual-machines/extensions/agent-windows#manual-installation
"""

from handlers.causes import version_held, version_of
from handlers.model import (
    Agent,
    Asserts,
    Claim,
    Extension,
    Opinion,
    Reason,
    Unknown,
    VirtualMachine,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

MEDIUM = Asserts(
    ("UserErrorGuestAgentStatusUnavailable", "VMAgentStatusCommunicationError", "VmNotInDesirableState", "AzureVmOffline")
)


def check(
    window: Window,
    agent: Agent | Unknown | None,
    agent_provisioned: bool | Unknown | None,
    extensions: tuple[Extension, ...] | Unknown,
    extension_names: tuple[str, ...] | Unknown,
    vm: VirtualMachine | Unknown,
) -> Opinion:
    version = None if isinstance(agent, Unknown) else version_of(agent)
    absent, before = window.absent(agent), window.earlier.get("agent")
    always = absent & (before is None or before.value is None)
    never = unread(agent_provisioned, extensions, extension_names) | (
        agent_provisioned is False and not extensions and not extension_names
    )
    return decide(
        ruled_out(
            "It had a version when the job ran", unread(agent) | (claim(version is not None) & version_held(window)), agent=agent
        ),
        ruled_out("A good backup of this very VM used it", window.good_app & _is_same_vm(vm, window), last_good=window.last_good),
        ruled_out("It ran the backup extension", window.ran, message=window.message),
        ruled_out("The job needed no agent, or its snapshot was taken", window.not_used, job=window.job),
        confirmed(
            "None ever reported, the profile wants none, no extension is there, and no backup was ever good",
            always & never & window.listed & ~window.had_good,
            agent=agent,
            agent_provisioned=agent_provisioned,
        ),
        possible(
            "None reports: one that was installed and stopped looks alike",
            absent | (~unread(agent) & (version is None) & window.running),
            agent=agent,
            agent_provisioned=agent_provisioned,
        ),
        unknown("The VM does not run", Reason.VM_NOT_RUNNING, ~window.running, power_state=window.power_state),
        unknown("It shows a version, but that was read late", Reason.READ_LATE, version is not None, agent=agent),
    )


def _is_same_vm(vm: VirtualMachine | Unknown, window: Window) -> Claim:
    """The VM is older than its last good backup: not one that was made anew under its name."""
    if isinstance(vm, Unknown):
        return unread(vm)
    good = window.good_since
    return claim(good is not None and vm.created_at is not None and vm.created_at < good)
