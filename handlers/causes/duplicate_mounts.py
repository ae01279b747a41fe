"""A path is mounted twice: the first freeze works, the second of the same path fails.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#usererrorfsfreezefailed---failed-to-freeze-one-or-more-mount-points-of-the-vm-to-take-a-file-system-consistent-snapshot
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.LINUX
MEDIUM = Asserts(("UserErrorFsFreezeFailed",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        unknown("Only the guest can tell: it lists its mounts", Reason.GUEST_ONLY),
    )
