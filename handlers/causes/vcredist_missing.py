"""The Visual C++ 2013 x64 redistributable that the backup extension needs is missing or damaged.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot (the message says 2012, the fix installs 2013)
"""

from handlers.causes import matching, seen_event
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
    unknown,
    unread,
)

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionVCRedistInstallationFailure",), r"visual c\+\+|vcredist|msvc[pr]120")
MEDIUM = Asserts(("ExtensionInstallationFailure", "ExtensionInstallationFailedCOM"))
MODULES = ("msvcr120", "msvcp120")


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    crashes = tuple(
        entry for entry in matching(guest_events, (1000,), "application") if any(module in entry.text for module in MODULES)
    )
    explained = any_of(*(window.explains(True, seen_event(entry, crashes, window)) for entry in crashes))
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed("The extension crashed in its library in the window", unread(guest_events) | explained, guest_events=crashes),
        possible("It crashed there at another time, or in the last good backup's time too", bool(crashes), guest_events=crashes),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(guest_events), message=window.message),
    )
