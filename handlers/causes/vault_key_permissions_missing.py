"""The vault's own identity cannot use the customer's key that encrypts the vault.

https://learn.microsoft.com/azure/backup/encryption-at-rest-with-cmk
"""

from datetime import datetime
from typing import Any

from handlers.model import (
    Asserts,
    Claim,
    Opinion,
    Reason,
    Seen,
    VaultKey,
    Window,
    all_of,
    any_of,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("BCMProtGetSaSUriAsyncError",))


def check(window: Window, vault_key: VaultKey | None) -> Opinion:
    if vault_key is None:
        return decide(ruled_out("Azure's own keys encrypt the vault", True, vault_key=vault_key))
    vault, key = vault_key.key_vault, vault_key.key
    broken = list(_broken(vault_key))
    unseen = unread(vault.unread, vault.holders_unread, key.unread if key else None)
    lacks, barred = _lacks(vault_key), vault.firewalled
    expired = key is not None and key.expires_at is not None and key.expires_at < window.end
    shown: dict[str, Any] = {"vault_key": vault_key}
    return decide(
        confirmed(
            "The key or its key vault was gone or disabled when the job ran",
            any_of(*(_explained(at, window) for at in broken)),
            **shown,
        ),
        confirmed(
            "The identity lacked the rights, or a firewall kept it away, when the job ran",
            window.explains(lacks | barred, _seen(vault_key)),
            **shown,
        ),
        possible(
            "It is so now, since a time that is not known or is later, or the key has expired",
            lacks | bool(broken or barred or expired),
            **shown,
        ),
        ruled_out("Rights, key and key vault were well when the job ran", ~unseen & ~lacks & _held(vault_key, window), **shown),
        unknown("They are well now, and may not have been then", Reason.READ_LATE, ~unseen, **shown),
    )


def _broken(vault_key: VaultKey) -> list[datetime | None]:
    """Since when the key vault is gone, or the key is gone or disabled."""
    vault, key = vault_key.key_vault, vault_key.key
    gone = [] if vault.found else [vault.deleted_at]
    return gone + ([key.updated_at] if key and not key.unread and not (key.found and key.enabled) else [])


def _lacks(vault_key: VaultKey) -> Claim:
    """Whether the identity lacks the rights; undecided where it may hold them as a member of a group."""
    vault = vault_key.key_vault
    if vault.unread or vault.holders_unread:
        return unread(vault.unread, vault.holders_unread)
    if not vault.found or vault_key.is_granted:
        return claim(False)
    through_group = bool(vault.groups) and vault.rbac
    return undecided(Reason.NO_DATA) if through_group or not vault_key.identity else claim(True)


def _seen(vault_key: VaultKey) -> Seen:
    return configuration(changes=vault_key.key_vault.changes or vault_key.key_vault.changes_unread)


def _explained(at: datetime | None, window: Window) -> Claim:
    return claim(at is not None and at <= window.end) & (window.fits(state(at)) | window.listed)


def _held(vault_key: VaultKey, window: Window) -> Claim:
    key, vault = vault_key.key, vault_key.key_vault
    well = claim(vault.found and key is not None and key.found and key.enabled and not vault.firewalled)
    return all_of(well, window.held(_seen(vault_key)), window.held(configuration(key.updated_at if key else None)))
