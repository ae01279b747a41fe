"""A file system of the VM could not be frozen for the snapshot, or not thawed in time.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#usererrorfsfreezefailed---failed-to-freeze-one-or-more-mount-points-of-the-vm-to-take-a-file-system-consistent-snapshot
https://github.com/Azure/azure-linux-extensions/blob/master/VMBackup/main/safefreeze/src/safefreeze.c (what it logs)
"""

from handlers.causes import worded
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

OS = Os.LINUX
STRONG = Asserts(("UserErrorFsFreezeFailed", "UserErrorFsFreezeTimeout"), r"FailedRetryableFsFreeze")
MEDIUM = Asserts(("NoExtensionStatusButStatusBlobAvailable",))


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    errors = worded(guest_events, "io_error")
    then = tuple(entry for entry in errors if window.holds(entry.at))
    silent = unread(guest_events)
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "The code says so, and the kernel logged errors of a disk or file system in the window",
            silent | (window.states and bool(then)),
            guest_events=then,
        ),
        possible(
            "The kernel logged errors of a disk or file system, in the window or at another time",
            bool(errors),
            guest_events=then or errors,
        ),
        unknown(
            "Only the guest can tell: the log of the extension names the mount point",
            Reason.GUEST_ONLY,
            ~silent,
            guest_events=guest_events,
        ),
    )
