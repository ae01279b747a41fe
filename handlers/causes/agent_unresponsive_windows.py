"""The Windows guest agent is installed, and did not report when the job ran: stopped, hung, damaged or cut off from the host.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout
"""

from handlers.causes import did_not_see, service_stopped, silence
from handlers.model import (
    Agent,
    Asserts,
    GuestEvents,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
)

OS = Os.WINDOWS
STRONG = Asserts(
    ("UserErrorGuestAgentStatusUnavailable", "VMAgentStatusCommunicationError", "GuestAgentStatusUnavailableUserError"),
    r"vm agent (is )?unable to communicate|has not reported status for vm agent",
)
MEDIUM = Asserts(
    (
        "GuestAgentSnapshotTaskStatusError",
        "BackUpOperationFailed",
        "BackUpOperationFailedV2",
        "VMRestorePointInternalError",
        "ManagedRPCreationFailedInCrpButExtensionSucceeded",
    )
)
SYMPTOM_OF = ("wireserver_blocked", "dhcp_disabled", "os_disk_full")


def check(window: Window, agent: Agent | Unknown | None, guest_events: GuestEvents | Unknown) -> Opinion:
    stopped, since = service_stopped(guest_events, "system", window)
    silent, alive = window.not_ready(agent), window.ready_then | window.ran
    absent = window.absent(agent)
    return decide(
        ruled_out("The job needed no agent, or its snapshot was taken", window.not_used, job=window.job),
        confirmed(
            "The guest's log says that the agent's service had stopped",
            window.explains(stopped, since),
            guest_events=guest_events,
        ),
        confirmed(
            "It does not report while the VM runs, and did not when the job ran",
            window.explains(silent & window.running, silence(agent, window)) & did_not_see(alive),
            agent=agent,
            window=window,
        ),
        possible(
            "It does not report now, which may have begun after the job",
            (silent & window.running) | absent,
            agent=agent,
            window=window,
        ),
        unknown(
            "The VM does not run: its agent is silent by design",
            Reason.VM_NOT_RUNNING,
            ~window.running,
            power_state=window.power_state,
        ),
        ruled_out(
            "It reported or ran the extension in the window, and reports now",
            alive & window.ready(agent),
            agent=agent,
            window=window,
        ),
        possible("It reports now, but not in the window", window.ready(agent), contrary=True, agent=agent, window=window),
    )
