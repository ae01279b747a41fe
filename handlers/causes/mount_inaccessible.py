"""A mounted path cannot be opened: left over from file recovery, on a dead iSCSI disk, or hung.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#usererrorunabletoopenmount
https://learn.microsoft.com/azure/backup/backup-azure-restore-files-from-vm (file recovery mounts through iSCSI)
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.LINUX
STRONG = Asserts(("UserErrorUnableToOpenMount",), r"FailedRetryableUnableToOpenMount")


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        unknown("Only the guest can tell: the log of the extension names the path", Reason.GUEST_ONLY),
    )
