"""A volume is locked by BitLocker, so that the Volume Shadow Copy service cannot read it.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionsnapshotbitlockererror---the-snapshot-operation-failed-with-the-volume-shadow-copy-service-vss-operation-error
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionSnapshotBitlockerError",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, message=window.message),
    )
