"""The subscription was moved to another tenant: the vault's identity and all roles belong to the old one.

https://learn.microsoft.com/azure/role-based-access-control/transfer-subscription
A vault's own identity keeps the tenant that it was made in. A vault without one remembers none.
"""

from typing import Any

from handlers.causes import reaches
from handlers.model import (
    Activity,
    Asserts,
    Claim,
    Opinion,
    Reason,
    Unknown,
    VaultSettings,
    Window,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorInvalidAuthenticationTokenTenant",))


def check(window: Window, vault_settings: VaultSettings, subscription_tenant: str, vault_activity: Activity | Unknown) -> Opinion:
    before, now = vault_settings.tenant_id.lower(), subscription_tenant.lower()
    moved = claim(bool(before) and before != now)
    fits = window.fits(configuration()) | claim(window.listed)
    unchanged = _unchanged(vault_activity, window)
    shown: dict[str, Any] = {"vault_settings": vault_settings, "subscription_tenant": subscription_tenant}
    return decide(
        confirmed(
            "The vault's identity is of another tenant, and was read shortly after the job",
            moved & window.at(configuration()) & fits,
            **shown,
        ),
        possible("The vault's identity is of another tenant", moved, **shown),
        ruled_out(
            "The vault's identity is of this tenant, and was not made anew since the last good backup",
            claim(before == now) & unchanged,
            **shown,
        ),
        unknown("No earlier tenant is known", Reason.NO_DATA, ~unread(vault_activity), **shown),
    )


def _unchanged(log: Activity | Unknown, window: Window) -> Claim:
    """Nobody wrote to the vault since the last good backup, so that its identity is the one that it had then."""
    if isinstance(log, Unknown):
        return undecided(log)
    return reaches(log, window) & (not any(entry.at > (window.good_since or window.start) for entry in log.of("vaults/write")))
