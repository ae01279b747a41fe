"""Antivirus stops the backup extension's process, or deletes its files.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot (Application Error 1000 of IaaSBcdrExtension.exe)
"""

from handlers.model import GuestEvents, Opinion, Os, Reason, Unknown, confirmed, ruled_out, unknown

OS = Os.WINDOWS


def check(extension_crashes: GuestEvents | Unknown) -> Opinion:
    if isinstance(extension_crashes, Unknown) or not extension_crashes.collected:
        return unknown(Reason.GUEST_ONLY)
    if extension_crashes.matches:
        return confirmed(extension_crashes=extension_crashes.matches)
    return ruled_out(extension_crashes=())
