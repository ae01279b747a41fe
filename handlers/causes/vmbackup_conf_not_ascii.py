"""The extension's configuration file /etc/azure/vmbackup.conf holds characters that are not ASCII.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.LINUX
STRONG = Asserts(("VMBackupLinuxExtensionConfFileWrongEncodingFormat",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        unknown("Only the guest can tell: the file is in it", Reason.GUEST_ONLY),
    )
