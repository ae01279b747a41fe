"""A proxy of LocalSystem or WinHTTP slows or breaks the calls that take the snapshot.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 (not through a proxy)
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionFailedTimeoutDelayInNetwork",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken, or it needed no extension", window.not_used, job=window.job),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, message=window.message),
    )
