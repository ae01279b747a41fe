"""The Linux guest agent is older than the supported minimum."""

from handlers.causes import version_held, version_of
from handlers.model import (
    Agent,
    Asserts,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

OS = Os.LINUX
STRONG = Asserts(("UserErrorGuestAgentVersionUnsupported",))
MEDIUM = Asserts(("UserErrorGuestAgentStatusUnavailable", "GuestAgentSnapshotTaskStatusError"))
MINIMUM = (2, 2, 53, 1)
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version (2025-09-15)"""


def check(window: Window, agent: Agent | Unknown | None) -> Opinion:
    version = None if isinstance(agent, Unknown) else version_of(agent)
    old, seen = bool(version and version < MINIMUM), configuration()
    why = Reason.AGENT_NOT_READY if window.running.holds else Reason.VM_NOT_RUNNING
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "Below 2.2.53.1, and no good backup was made with it, or the code names the version",
            unread(agent) | window.explains(old, seen),
            agent=agent,
        ),
        possible("Below 2.2.53.1", old, agent=agent, last_good=window.last_good),
        unknown("It shows no version", why, ~unread(agent) & (version is None), agent=agent),
        ruled_out("2.2.53.1 or newer when the job ran", claim(version is not None) & version_held(window), agent=agent),
        unknown("New enough, but read late: it may have been updated since", Reason.READ_LATE, ~unread(agent), agent=agent),
    )
