"""Extension operations are switched off in the VM's profile, so Azure Backup cannot run its extension."""

from handlers.model import Extension, Opinion, Reason, confirmed, ruled_out, unknown


def check(extensions_allowed: bool | None, extensions: tuple[Extension, ...]) -> Opinion:
    if extensions_allowed is False:
        return confirmed(extensions_allowed=extensions_allowed)
    if extensions_allowed or extensions:
        return ruled_out(extensions_allowed=extensions_allowed, extensions=extensions)
    return unknown(Reason.NO_DATA, extensions_allowed=extensions_allowed)
