"""VM and vault are in different regions. Neither can be moved to another region, so what is now was so then.

https://learn.microsoft.com/azure/backup/backup-support-matrix#vault-support
"""

from typing import Any

from handlers.model import (
    Asserts,
    Opinion,
    Reason,
    VirtualMachine,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
)

STRONG = Asserts(("UserErrorVmVaultLocationMismatch",))
MEDIUM = Asserts(("BMSUserErrorInvalidConfigureProtectionRequest",))


def check(window: Window, vm: VirtualMachine, vault_region: str) -> Opinion:
    regions = _folded(vm.location), _folded(vault_region)
    differ = claim(regions[0] != regions[1]) if all(regions) else undecided(Reason.NO_DATA)
    then = claim(vm.created_at is not None and vm.created_at <= window.end)
    shown: dict[str, Any] = {"vm": vm, "vault_region": vault_region}
    return decide(
        confirmed(
            "They differ, and the VM was there when the job ran", differ & then & (window.states or window.listed), **shown
        ),
        possible("They differ, and the VM may have been made since, or the code lists it not", differ, **shown),
        ruled_out("They are the same", ~differ & then, **shown),
        unknown("They are the same, but the VM was made since, or a region is not told", Reason.NO_DATA, **shown),
    )


def _folded(region: str) -> str:
    """`West Europe` and `westeurope` are the same."""
    return region.replace(" ", "").lower()
