"""Linux has no Python that can run the backup extension.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#operating-system-support-linux
https://github.com/Azure/azure-linux-extensions/blob/master/VMBackup/main/handle.sh (which interpreters it tries)
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.LINUX
STRONG = Asserts(("GuestAgentPluginInstallCommandProcessingFailed",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The extension ran, or the job needed none", window.not_used | window.ran, job=window.job),
        unknown("Only the guest can tell: the extension writes it to shell.log", Reason.GUEST_ONLY),
    )
