"""Application control (AppLocker, App Control for Business) blocks the backup extension's process."""

from handlers.model import GuestEvents, Opinion, Os, Reason, Unknown, confirmed, ruled_out, unknown

OS = Os.WINDOWS


def check(blocked_executables: GuestEvents | Unknown) -> Opinion:
    if isinstance(blocked_executables, Unknown) or not blocked_executables.collected:
        return unknown(Reason.GUEST_ONLY)
    if blocked_executables.matches:
        return confirmed(blocked_executables=blocked_executables.matches)
    return ruled_out(blocked_executables=())
