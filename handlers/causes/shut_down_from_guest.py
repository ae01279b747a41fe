"""The operating system was shut down from inside: the VM stays allocated, and Azure's view of it is wrong.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout
"""

from datetime import datetime
from typing import Any

from handlers.model import (
    Activity,
    Agent,
    Asserts,
    Availability,
    Heartbeats,
    Opinion,
    Reason,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)
from handlers.model.window import OFF, ON

MEDIUM = Asserts(
    ("UserErrorGuestAgentStatusUnavailable", "GuestAgentSnapshotTaskStatusError", "ExtensionSnapshotFailedNoNetwork")
)


def check(
    window: Window,
    agent: Agent | Unknown | None,
    heartbeats: Heartbeats | Unknown,
    vm_availability: tuple[Availability, ...] | Unknown,
) -> Opinion:
    stopped = unread(window.power_state) | (window.power_state == "stopped")
    by_azure = unread(window.activity) | _stopped_by_azure(window.activity)
    since = _stopped_since(heartbeats, vm_availability)
    whole = unread(window.activity) | _reaches_start(window.activity)
    before = claim(since is not None and since <= window.end)
    shown: dict[str, Any] = {"power_state": window.power_state, "vm_activity": window.activity}
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "Stopped, not by Azure since its last start, and before the job ended",
            stopped & whole & ~by_azure & before & window.fits(state(since)),
            **shown,
        ),
        ruled_out(
            "Deallocated, or stopped by Azure",
            unread(window.power_state) | (window.power_state == "deallocated") | (stopped & by_azure),
            **shown,
        ),
        possible("Stopped, but since when or by whom is open", stopped, **shown),
        ruled_out("Heartbeats went on through the window", window.beats_to(window.end), heartbeats=heartbeats),
        ruled_out(
            "It runs, the agent reports, and nothing was done since",
            window.ready(agent) & window.running & window.quiet,
            agent=agent,
            power_state=window.power_state,
        ),
        unknown("It runs now; whether it did then nothing tells", Reason.READ_LATE, ~unread(window.power_state), **shown),
    )


def _stopped_by_azure(activity: Activity | Unknown) -> bool:
    powers = [entry for entry in activity.operations if entry.operation in OFF | ON] if isinstance(activity, Activity) else []
    return bool(powers) and max(powers, key=lambda entry: entry.at).operation in OFF


def _reaches_start(activity: Activity | Unknown) -> bool:
    return isinstance(activity, Activity) and any(entry.operation in ON for entry in activity.operations)


def _stopped_since(beats: Heartbeats | Unknown, availability: tuple[Availability, ...] | Unknown) -> datetime | None:
    if isinstance(beats, Heartbeats) and beats.minutes:
        return beats.minutes[-1]
    newest = availability[0] if availability and not isinstance(availability, Unknown) else None
    return newest.since if newest and newest.state.lower() == "unavailable" else None
