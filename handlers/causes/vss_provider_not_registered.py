"""The backup extension's VSS provider (iaasvmprovider.dll) is not registered, damaged, or of the wrong bitness.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionCommandExecFailure",), r"iaasvmprovider|vss provider|provider is not registered")
MEDIUM = Asserts(("ExtensionInstallationFailedCOM", "ExtensionSnapshotFailedCOM"))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, message=window.message),
    )
