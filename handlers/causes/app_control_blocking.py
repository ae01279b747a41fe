"""Application control (AppLocker, App Control for Business, fapolicyd) blocks the backup extension's process.

https://learn.microsoft.com/windows/security/application-security/application-control/app-control-for-business/operations/event-id-explanations
3077 stands in CodeIntegrity/Operational, 8004 in AppLocker/EXE and DLL; 3076 and 8003 only audit. On Linux fapolicyd tells syslog.
"""

from handlers.causes import collects, denied, matching, seen_event
from handlers.model import (
    Asserts,
    GuestEvents,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(message=r"blocked by (group policy|app(lication)? control|applocker)|0x800704ec")
MEDIUM = Asserts(("GuestAgentSnapshotTaskStatusError", "VMRestorePointInternalError"))
BLOCKS = (3077, 8004)
CHANNELS = ("microsoft-windows-codeintegrity/operational", "microsoft-windows-applocker/exe and dll")


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    blocked = matching(guest_events, BLOCKS) + denied(guest_events)
    explained = any_of(*(window.explains(True, seen_event(entry, blocked, window)) for entry in blocked))
    both = collects(guest_events, *CHANNELS)
    return decide(
        ruled_out("The extension ran, or the job needed none", window.not_used | window.ran, job=window.job),
        confirmed(
            "An event in the window names the extension as blocked", unread(guest_events) | explained, guest_events=blocked
        ),
        possible(
            "Such an event stands outside the window, or in the last good backup's too", bool(blocked), guest_events=blocked
        ),
        ruled_out("Both event logs are collected and name nothing", both, guest_events=guest_events),
        unknown(
            "One of the two event logs is not collected", Reason.NOT_COLLECTED, ~unread(guest_events), guest_events=guest_events
        ),
    )
