""".NET in the guest does not use strong cryptography, so that the secure channel fails.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionsnapshotfailednosecurenetwork---the-snapshot-operation-failed-because-of-failure-to-create-a-secure-network-communication-channel
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionSnapshotFailedNoSecureNetwork",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken, or it needed no extension", window.not_used, job=window.job),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, message=window.message),
    )
