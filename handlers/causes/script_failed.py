"""A script that runs before or after the snapshot is missing, fails, takes too long, or has another owner or mode than it must have.

https://learn.microsoft.com/azure/backup/backup-azure-linux-app-consistent#troubleshooting
https://github.com/Azure/azure-linux-extensions/blob/master/VMBackup/main/ExtensionErrorCodeHelper.py (FailedPrepost…: 300 to 318)
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
WORDS = r"FailedPrepost"
STRONG = Asserts(
    (
        "ExtensionPreScriptTimeout",
        "Pre-ScriptExecutionFailed",
        "Post-ScriptExecutionFailed",
        "Pre-ScriptNotFound",
        "Post-ScriptNotFound",
        "IncorrectPluginhostFile",
        "IncorrectJSONConfigFile",
        "InsufficientPermissionforPre-Script",
        "InsufficientPermissionforPost-Script",
        "Pre-ScriptTimeout",
        "Post-ScriptTimeout",
    ),
    WORDS,
)


def check(window: Window, extensions: tuple[Extension, ...] | Unknown) -> Opinion:
    said = reporting(extensions, WORDS)
    then = tuple(found for found in said if window.holds(found.at))
    silent = unread(extensions)
    return decide(
        confirmed("The message says so", window.says(WORDS), message=window.message),
        confirmed("The extension's own status of the window says so", silent | claim(bool(then)), extensions=then),
        possible("The extension's status says so, at another time or a time that is not known", bool(said), extensions=said),
        unknown(
            "Only the guest can tell: its logs, and the owner and mode of the files",
            Reason.GUEST_ONLY,
            ~silent,
            extensions=extensions,
        ),
    )
