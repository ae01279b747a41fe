"""The VM was starting, stopping or restarting when the job ran, or was off where the operation needs it running.

A VM that is off all the time is backed up: https://learn.microsoft.com/azure/backup/backup-azure-vms-introduction#snapshot-consistency
"""

from datetime import datetime, timedelta
from typing import Any

from handlers.model import (
    Activity,
    Asserts,
    Availability,
    Heartbeats,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    event,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

NEEDS_A_RUNNING_VM = ("AzureVmOffline", "VMNotInRunningStateUserError", "UserErrorJobCancelledOnMachineReboot")
STRONG = Asserts((*NEEDS_A_RUNNING_VM, "VmNotInDesirableState"))
MEDIUM = Asserts(("UserErrorVmNotInDesirableState", "GuestAgentStatusUnavailableUserError"))
POWER = ("start", "restart", "poweroff", "deallocate", "redeploy")
NEAR = timedelta(minutes=15)
"""A project threshold."""


def check(window: Window, heartbeats: Heartbeats | Unknown, vm_availability: tuple[Availability, ...] | Unknown) -> Opinion:
    times = (*_told(window.activity), *_switched(vm_availability))
    during = any_of(*(window.at(event(at)) & window.fits(event(at)) for at in times), unread(window.activity))
    near = any(window.start - NEAR <= at <= window.end + NEAR for at in times)
    off = unread(window.power_state) | (window.power_state in ("stopped", "deallocated"))
    since = max((at for at in times if at <= window.now), default=None)
    shown: dict[str, Any] = {"vm_activity": window.activity, "power_state": window.power_state}
    shown |= {"vm_availability": vm_availability} if _switched(vm_availability) else {}
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed("It was started, stopped or restarted while the job ran", during, **shown),
        confirmed(
            "The operation needs a running VM, and it was off",
            off & window.is_code(*NEEDS_A_RUNNING_VM) & window.states & window.at(state(since)),
            **shown,
        ),
        possible(
            "It was started, stopped or restarted within 15 minutes of the job, or is changing now",
            near or _changing(window),
            **shown,
        ),
        possible(
            "No heartbeat came for a while, which the network may explain", ~window.beats_to(window.end), heartbeats=heartbeats
        ),
        ruled_out(
            "Azure did nothing to it, and heartbeats went on",
            window.log_is_whole & (not near) & ~unread(vm_availability, window.power_state) & window.beats_to(window.end),
            vm_activity=window.activity,
            heartbeats=heartbeats,
        ),
        unknown("A restart from inside would not show", Reason.READ_LATE, ~unread(window.activity), **shown),
    )


def _told(activity: Activity | Unknown) -> tuple[datetime, ...]:
    """When Azure was told to switch it on, off or over."""
    entries = () if isinstance(activity, Unknown) else activity.of(*POWER)
    return tuple(entry.at for entry in entries if entry.status.lower() != "failed")


def _switched(availability: tuple[Availability, ...] | Unknown) -> tuple[datetime, ...]:
    """When it became unavailable because somebody wanted so, be it from inside: `UserInitiated`, `Customer Initiated`.

    https://learn.microsoft.com/azure/service-health/resource-health-vm-annotation
    """
    known = () if isinstance(availability, Unknown) else availability
    wanted = ("userinitiated", "customerinitiated")
    return tuple(
        entry.since for entry in known if entry.state.lower() != "available" and entry.kind.replace(" ", "").lower() in wanted
    )


def _changing(window: Window) -> bool:
    return window.power_state in ("starting", "stopping", "deallocating")
