"""SELinux denies the guest agent or the backup extension its files below /var/lib/waagent.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot (exclude /var/lib/waagent from the security policy)
"""

from collections.abc import Iterable

from handlers.causes import seen_event, worded
from handlers.model import (
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
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

OS = Os.LINUX
MEDIUM = Asserts(("UserErrorVmNotInDesirableState", "VmNotInDesirableState"))


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    denials = worded(guest_events, "avc")
    silent = unread(guest_events)
    return decide(
        ruled_out("The extension ran, or the job needed none", window.not_used | window.ran, job=window.job),
        confirmed(
            "The guest's log has a denial in the window that the last good backup did not have",
            silent | _explained(denials, window),
            guest_events=denials,
        ),
        possible("The guest's log has denials at another time, or as old", bool(denials), guest_events=denials),
        unknown(
            "Only the guest can tell: most systems write denials to their own audit log",
            Reason.GUEST_ONLY,
            ~silent,
            guest_events=guest_events,
        ),
    )


def _explained(denials: Iterable[GuestEvent], window: Window) -> Claim:
    return any_of(*(window.fits(seen_event(entry, denials, window)) for entry in denials if window.holds(entry.at)))
