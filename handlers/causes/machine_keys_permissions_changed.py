"""The permissions of the folder MachineKeys are not the default ones, so that the extension cannot read its settings.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionconfigparsingfailure---failure-in-parsing-the-config-for-the-backup-extension
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionConfigParsingFailure",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken, or it needed no extension", window.not_used, job=window.job),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, message=window.message),
    )
