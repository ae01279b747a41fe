"""Files of the backup extension are gone, mostly because antivirus removed them.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot
https://learn.microsoft.com/defender-endpoint/troubleshoot-microsoft-defender-antivirus (1117: it acted on a file)
"""

from handlers.causes import matching
from handlers.model import (
    Asserts,
    GuestEvents,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

OS = Os.WINDOWS
MEDIUM = Asserts(("ExtensionOperationFailed",))
ACTED = (1117,)


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    removed = tuple(entry for entry in matching(guest_events, ACTED) if entry.at <= window.end)
    return decide(
        ruled_out("The job's snapshot was taken, or it needed no extension", window.not_used, job=window.job),
        possible(
            "Defender acted on a file of the extension before the job ended",
            unread(guest_events) | bool(removed),
            guest_events=removed,
        ),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(guest_events), message=window.message),
    )
