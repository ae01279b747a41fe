"""The backup extension's VSS provider (iaasvmprovider.dll) is not registered, or of the wrong bitness."""

from handlers.model import Opinion, Os, Reason, possible, unknown

OS = Os.WINDOWS
NAMES = ("iaasvmprovider", "vss provider", "com+", "provider is not registered")


def check(message: str) -> Opinion:
    if any(name in message.lower() for name in NAMES):
        return possible(message=message)
    return unknown(Reason.GUEST_ONLY)
