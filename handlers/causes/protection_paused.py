"""The protection of the item was stopped or suspended, or the item was deleted and is kept for the days of soft delete.

https://learn.microsoft.com/azure/backup/backup-azure-manage-vms#stop-protecting-a-vm
"""

from typing import Any

from handlers.causes import only
from handlers.model import (
    Activity,
    Asserts,
    Operation,
    Opinion,
    Reason,
    Seen,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)
from handlers.model.recovery import Protection

STRONG = Asserts(("UserErrorBcmDatasourceNotPresent",))
MEDIUM = Asserts(("OlrBackupFailed",))
PAUSED = ("protectionstopped", "protectionpaused", "backupssuspended", "softdeleted")
ACTIVE = ("protected", "irpending")
ITEM = "vaults/backupfabrics/protectioncontainers/protecteditems"


def check(window: Window, protection: Protection | Unknown, vault_activity: Activity | Unknown) -> Opinion:
    known = protection if isinstance(protection, Protection) else None
    paused = unread(protection) | (known is not None and (known.state.lower() in PAUSED or known.deferred_delete))
    active = unread(protection) | (known is not None and known.state.lower() in ACTIVE and not known.deferred_delete)
    gone = isinstance(protection, Unknown) and protection.why is Reason.NOT_FOUND
    seen, shown = _seen(vault_activity), dict[str, Any](protection=protection, vault_activity=_of_item(vault_activity))
    return decide(
        confirmed(
            "It is not protected, and was not when the job ran",
            paused & window.at(seen) & (window.fits(seen) | claim(window.listed)),
            **shown,
        ),
        possible("It is not protected now, since a time that is not known or is later", paused, **shown),
        possible("The vault does not know the item", gone, protection=protection),
        ruled_out("It was protected when the job ran", active & window.held(seen), **shown),
        unknown("It is protected now, and may not have been then", Reason.READ_LATE, ~unread(protection), **shown),
    )


def _seen(log: Activity | Unknown) -> Seen:
    """A protection is what the last write to the item, or its deletion, made it."""
    return only(log, f"{ITEM}/write", f"{ITEM}/delete")


def _of_item(log: Activity | Unknown) -> tuple[Operation, ...] | Unknown:
    return log if isinstance(log, Unknown) else log.of(f"{ITEM}/write", f"{ITEM}/delete")
