"""The Windows guest agent is older than the supported minimum."""

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

OS = Os.WINDOWS
STRONG = Asserts(("UserErrorGuestAgentVersionUnsupported",))
MEDIUM = Asserts(("UserErrorGuestAgentStatusUnavailable",))
SUPPORTED = (2, 7, 41491, 1010)
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version (2025-09-15)"""
BACKUP_MINIMUM = (2, 6, 1198, 718)
"""What the backup articles still print: https://learn.microsoft.com/azure/backup/backup-azure-arm-vms-prepare (2026-03-25)"""


def check(window: Window, agent: Agent | Unknown | None) -> Opinion:
    version = None if isinstance(agent, Unknown) else version_of(agent)
    below, old = bool(version and version < SUPPORTED), bool(version and version < BACKUP_MINIMUM)
    seen, why = configuration(), Reason.AGENT_NOT_READY if window.running.holds else Reason.VM_NOT_RUNNING
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "Below 2.6.1198.718, and no good backup was made with it", unread(agent) | window.explains(old, seen), agent=agent
        ),
        confirmed(
            "Below 2.7.41491.1010, and the code names the version",
            unread(agent) | (window.states & window.at(seen) & below),
            agent=agent,
        ),
        possible("Below 2.7.41491.1010", below, agent=agent, last_good=window.last_good),
        unknown("It shows no version", why, ~unread(agent) & (version is None), agent=agent),
        ruled_out("2.7.41491.1010 or newer when the job ran", claim(version is not None) & version_held(window), agent=agent),
        unknown("New enough, but read late: it may have been updated since", Reason.READ_LATE, ~unread(agent), agent=agent),
    )
