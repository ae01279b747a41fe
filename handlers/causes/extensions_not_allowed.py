"""Extension operations are switched off in the VM's profile, so Azure Backup cannot run its extension.

https://learn.microsoft.com/azure/virtual-machines/extensions/agent-windows#manual-installation
"""

from handlers.causes import model_of_vm, state_of
from handlers.model import (
    Asserts,
    Extension,
    Opinion,
    Reason,
    Unknown,
    Window,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(message=r"extension operations are disallowed|allowExtensionOperations")
MEDIUM = Asserts(("UserErrorGuestAgentStatusUnavailable",))


def check(window: Window, extensions_allowed: bool | Unknown | None, extensions: tuple[Extension, ...] | Unknown) -> Opinion:
    seen, off = model_of_vm(window), unread(extensions_allowed) | (extensions_allowed is False)
    on = unread(extensions_allowed) | (extensions_allowed is True)
    shown = () if isinstance(extensions, Unknown) else extensions
    works = unread(extensions) | any(state_of(extension) == "succeeded" for extension in shown)
    return decide(
        ruled_out("The extension ran, or the job needed none", window.not_used | window.ran, job=window.job),
        confirmed(
            "They are off, and were when the job ran",
            window.explains(off, seen),
            extensions_allowed=extensions_allowed,
            vm_activity=window.activity,
        ),
        possible(
            "They are off now, or were when backups succeeded",
            off,
            extensions_allowed=extensions_allowed,
            vm_activity=window.activity,
        ),
        ruled_out("They were on when the job ran", on & window.held(seen), extensions_allowed=extensions_allowed),
        ruled_out(
            "They are on by default, and an extension works", ~(on | off) & works & window.held(seen), extensions=extensions
        ),
        unknown("The profile does not say, or was written since", Reason.READ_LATE, extensions_allowed=extensions_allowed),
    )
