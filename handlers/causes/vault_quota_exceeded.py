"""The vault protects as much as it may: 1,000 VMs, or 2,000 data sources of all kinds.

https://learn.microsoft.com/azure/backup/backup-support-matrix#vault-support
"""

from typing import Any

from handlers.model import (
    Asserts,
    Opinion,
    Reason,
    VaultUsage,
    Window,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
)

STRONG = Asserts(("UserErrorProtectionQuotaExceeded",))
MOST_VMS, MOST_ITEMS = 1_000, 2_000
NEARLY = 0.95
"""What counts as nearly full is a project threshold."""


def check(window: Window, vault_usage: VaultUsage) -> Opinion:
    counts = [(vault_usage.vms, MOST_VMS), (vault_usage.items, MOST_ITEMS)]
    full = claim(any(count is not None and count >= most for count, most in counts))
    told = claim(all(count is not None for count, _ in counts)) | undecided(Reason.NO_DATA)
    near = any(count is not None and count >= NEARLY * most for count, most in counts)
    shown: dict[str, Any] = {"vault_usage": vault_usage}
    return decide(
        confirmed(
            "It is full, and was when the job ran",
            full & window.at(configuration()) & (window.states or window.listed),
            **shown,
        ),
        possible("It is full, or nearly so, at a later time", full | near, **shown),
        ruled_out("It had room shortly after the job", told & (not near) & window.soon, **shown),
        unknown("It has room now, and may have been full then", Reason.READ_LATE, told, **shown),
    )
