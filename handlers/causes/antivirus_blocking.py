"""Antivirus stops the backup extension's process, or deletes its files.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot (Application Error 1000 of IaaSBcdrExtension.exe)
https://learn.microsoft.com/defender-endpoint/troubleshoot-microsoft-defender-antivirus (1116, 1117, 1121, 1123)
"""

from collections.abc import Iterable

from handlers.causes import collects, matching, seen_event
from handlers.model import (
    Agent,
    Asserts,
    Claim,
    GuestEvent,
    GuestEvents,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

OS = Os.WINDOWS
STRONG = Asserts(message=r"antivirus")
MEDIUM = Asserts(
    (
        "VMRestorePointInternalError",
        "ExtensionOperationFailed",
        "WLExtPluginServiceStartTimedOut",
        "SendCmdToPluginHostFailed",
        "GuestAgentSnapshotTaskStatusError",
    )
)
DEFENDER = (1116, 1117, 1121, 1123)
NOT_OURS = ("msvcr120", "msvcp120", "iaasvmprovider", "vssapi", "vss_ps", "combase", "ole32", "comsvcs", "es.dll")
"""Modules whose crash points to the redistributable, the provider, or COM and VSS."""
INTERNAL = "VMRestorePointInternalError"


def check(window: Window, agent: Agent | Unknown | None, guest_events: GuestEvents | Unknown) -> Opinion:
    blocked = tuple(entry for entry in matching(guest_events, DEFENDER) if entry.at <= window.end)
    crashes = matching(guest_events, (1000,), "application")
    then = tuple(entry for entry in crashes if window.holds(entry.at))
    own = tuple(entry for entry in then if entry.text and not any(module in entry.text for module in NOT_OURS))
    log = unread(guest_events) | ~collects(guest_events, "application", "microsoft-windows-windows defender/operational")
    return decide(
        ruled_out("The job needed no extension, or its snapshot was taken", window.not_used, job=window.job),
        confirmed(
            "Defender names the extension, in the window or since the last good backup",
            _explained(blocked, window) | (~claim(bool(blocked)) & log),
            guest_events=blocked,
        ),
        confirmed(
            "The extension crashed in the window, and the code blames that",
            claim(window.is_code(INTERNAL) and bool(own)),
            guest_events=own,
        ),
        possible("Defender names the extension at another time", bool(blocked), guest_events=blocked),
        possible("The extension crashed in the window, or at another time", bool(crashes), guest_events=then or crashes),
        possible(
            "The code may blame it, and the agent reports", claim(window.is_code(INTERNAL)) & window.ready(agent), agent=agent
        ),
        unknown(
            "Only the guest can tell: a file in quarantine leaves no crash",
            Reason.GUEST_ONLY,
            ~unread(guest_events),
            guest_events=guest_events,
        ),
    )


def _explained(blocked: Iterable[GuestEvent], window: Window) -> Claim:
    good = window.good_since
    near = [entry for entry in blocked if window.holds(entry.at) or (good is not None and entry.at > good)]
    return any_of(*(window.fits(seen_event(entry, blocked, window)) for entry in near))
