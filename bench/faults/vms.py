"""VMs whose backups fail, as many as a fault needs: each a small scenario in a subscription of its own."""

from __future__ import annotations

from copy import replace
from datetime import UTC, datetime
from typing import Any

from sandbox import alert_bodies
from sandbox.scenario import FOLDER, Scenario, load

BASES = ("restore_point_group_locked", "disk_33_tib_linux", "key_vault_policy_windows", "agent_not_ready_windows")
REGIONS = ("westeurope", "northeurope", "brazilsouth", "eastus", "japaneast")


def failing_vms(count: int, *, alike: bool = False) -> list[Scenario]:
    """Failures of several error codes in several regions; `alike`: of one code in one region."""
    bases = [load(FOLDER / f"{name}.yaml") for name in BASES]
    return [
        _numbered(bases[0 if alike else number % len(bases)], number, REGIONS[0 if alike else number % len(REGIONS)])
        for number in range(count)
    ]


def alert_of(vm: Scenario, source: str = "", filling: int = 0) -> Any:
    """The alert body that a source sends about a VM's failed backup; `filling` makes it longer by so many bytes."""
    now, code = datetime.now(UTC), vm.data["alert"]["code"]
    body = alert_bodies.build({"source": source, "code": code}, vm.world(now), now) if source else vm.alert_body(now)
    if filling:
        body["data"]["customProperties"] = {"filling": "x" * filling}
    return body


def _numbered(base: Scenario, number: int, region: str) -> Scenario:
    vm = {
        **base.data.get("vm", {}),
        "name": f"vm-fault-{number:03}",
        "resource_group": f"rg-fault-{number % 7}",
        "location": region,
    }
    return replace(base, name=f"fault_{number:03}_{base.name}", data={**base.data, "vm": vm})
