"""Planted worlds: VMs of one subscription and vault, some of which fail and some of which succeed, with what they share."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from sandbox.scenario import Scenario
from tests.stories.test_backup_failed import scenario

SUBSCRIPTION = "5b1d0000-0000-4000-8000-00000000beef"
SUCCEEDED = {"status": "Completed", "started": "-40m", "ended": "-20m"}
"""After the first of the others failed."""


@dataclass(frozen=True)
class Neighbour(Scenario):
    """A VM that shares its subscription with others."""

    @property
    def subscription(self) -> str:
        return SUBSCRIPTION


def vms(count: int, like: str, mark: str, *, healthy: bool = False, **data: Any) -> tuple[Neighbour, ...]:
    """So many VMs with the trouble of a scenario, in a resource group of their own; `data` has the last word."""
    model = scenario(like)
    made = []
    for number in range(count):
        fields = copy.deepcopy(dict(model.data)) | copy.deepcopy(data)
        vm = dict(model.data.get("vm") or {}) | {"resource_group": f"rg-{mark}"} | dict(data.get("vm") or {})
        fields["vm"] = vm | {"name": f"vm-{mark}-{number:02}", "location": "westeurope"}
        if healthy:
            fields["job"] = SUCCEEDED
        made.append(Neighbour(f"{mark}_{number}", model.title, model.source, fields, model.expect))
    return tuple(made)
