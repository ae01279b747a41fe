"""A VSS writer failed, or was not stable, while the snapshot was taken.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionfailedvsswriterinbadstate---snapshot-operation-failed-because-vss-writers-were-in-a-bad-state
https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/ee264195(v=ws.10) (what VSS logs of writers)
"""

from handlers.causes import VSS_NOT_STARTED, any_explains, told
from handlers.model import (
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
    unread,
)

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionFailedVssWriterInBadState",), r"vss writers? .{0,30}bad state")
MEDIUM = Asserts(("VMRestorePointClientError",))
SYMPTOM_OF = ("vss_service_failed", "sql_vss_conflict")


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    told_of = told(guest_events, "vss", "volsnap", "sqlwriter")
    failed = tuple(entry for entry in told_of if entry.number not in VSS_NOT_STARTED)
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "VSS, volsnap or a writer logged an error in the window",
            unread(guest_events) | any_explains(failed, window),
            guest_events=failed,
        ),
        possible("Such an error stands at another time, or in the last good backup's too", bool(failed), guest_events=failed),
        unknown(
            "Only the guest can tell: writers heal by themselves",
            Reason.GUEST_ONLY,
            ~unread(guest_events),
            message=window.message,
        ),
    )
