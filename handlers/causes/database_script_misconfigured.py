"""The scripts for databases that come with the extension are misconfigured in /etc/azure/workload.conf.

https://learn.microsoft.com/azure/backup/backup-azure-linux-database-consistent-enhanced-pre-post
https://github.com/Azure/azure-linux-extensions/blob/master/VMBackup/main/ExtensionErrorCodeHelper.py (FailedWorkload…: 500 to 511)
"""

from handlers.causes import reporting
from handlers.model import (
    Asserts,
    Extension,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    unknown,
    unread,
)

OS = Os.LINUX
WORDS = r"FailedWorkload"
STRONG = Asserts(message=WORDS)


def check(window: Window, extensions: tuple[Extension, ...] | Unknown) -> Opinion:
    said = reporting(extensions, WORDS)
    then = tuple(found for found in said if window.holds(found.at))
    silent = unread(extensions)
    return decide(
        confirmed("The message says so", window.says(WORDS), message=window.message),
        confirmed("The extension's own status of the window says so", silent | claim(bool(then)), extensions=then),
        possible("The extension's status says so, at another time or a time that is not known", bool(said), extensions=said),
        unknown("Only the guest can tell: the file is in it", Reason.GUEST_ONLY, ~silent, extensions=extensions),
    )
