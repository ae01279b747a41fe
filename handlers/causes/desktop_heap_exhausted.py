"""The desktop heap, or the memory that COM+ may use, is used up; a restart of the VM helps for a while.

https://learn.microsoft.com/azure/virtual-machines/restore-point-troubleshooting
https://learn.microsoft.com/troubleshoot/windows-server/performance/desktop-heap-limitation-out-of-memory
"""

from handlers.causes import any_explains, collects, matching
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
STRONG = Asserts(("ExtensionInstallProviderCOMMemoryQuotaReached",), r"com\+ memory quota")
MEDIUM = Asserts(("ExtensionInstallationFailedCOM",))
INCONSISTENT = 4689
"""COM+ has stopped itself; with 8000ffff because it got no memory."""


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    stopped = tuple(entry for entry in matching(guest_events, (INCONSISTENT,)) if entry.text == "com+ 8000ffff")
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "COM+ stopped for want of memory in the window",
            unread(guest_events) | any_explains(stopped, window),
            guest_events=stopped,
        ),
        possible("It did at another time, or in the last good backup's time too", bool(stopped), guest_events=stopped),
        ruled_out(
            "The application log is collected and says nothing of it",
            collects(guest_events, "application"),
            guest_events=guest_events,
        ),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(guest_events), message=window.message),
    )
