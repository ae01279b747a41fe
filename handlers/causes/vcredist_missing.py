"""The Visual C++ 2013 x64 redistributable that the backup extension needs is missing or damaged.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot (the message says 2012, the fix installs 2013)
"""

from handlers.model import Opinion, Os, Reason, possible, unknown

OS = Os.WINDOWS
NAMES = ("visual c++", "vcredist", "msvcp120", "msvcr120")


def check(message: str) -> Opinion:
    if any(name in message.lower() for name in NAMES):
        return possible(message=message)
    return unknown(Reason.GUEST_ONLY)
