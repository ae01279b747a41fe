"""The services COM+ System Application or Distributed Transaction Coordinator do not start, are disabled, or run under a wrong account.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionsnapshotfailedcom--extensioninstallationfailedcom--extensioninstallationfailedmdtc---extension-installationoperation-failed-due-to-a-com-error
https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-r2-and-2008/dd353849(v=ws.10) (COM+ 4691)
"""

from handlers.causes import any_explains, matching, service_disabled, told
from handlers.model import (
    Asserts,
    GuestEvents,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

OS = Os.WINDOWS
STRONG = Asserts(
    ("ExtensionSnapshotFailedCOM", "ExtensionInstallationFailedCOM", "ExtensionInstallationFailedMDTC"),
    r"com\+ (error|was unable)|distributed transaction coordinator",
)
MEDIUM = Asserts(("VMRestorePointClientError",))
NO_COORDINATOR = 4691


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    disabled = service_disabled(guest_events, window, "comsysapp", "msdtc")
    failed = told(guest_events, "comsysapp failed", "msdtc failed", "msdtc") + matching(guest_events, (NO_COORDINATOR,))
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "One of the two services was disabled before the job ended",
            unread(guest_events) | any_of(*(window.explains(True, state(entry.at)) for entry in disabled)),
            guest_events=disabled,
        ),
        confirmed("One of them failed in the window", unread(guest_events) | any_explains(failed, window), guest_events=failed),
        possible(
            "One of them failed at another time, or was disabled when backups succeeded",
            bool(failed or disabled),
            guest_events=failed + disabled,
        ),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(guest_events), message=window.message),
    )
