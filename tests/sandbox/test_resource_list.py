"""The list of a subscription's resources, as `az resource list` asks for it."""

from __future__ import annotations

from typing import Any

from sandbox.azure.resource_list import answer

RESOURCES: list[dict[str, Any]] = [
    {"id": "/a", "name": "vm-01", "type": "Microsoft.Compute/virtualMachines", "properties": {"x": 1}},
    {"id": "/b", "name": "vm-01", "type": "Microsoft.Compute/disks"},
    {"id": "/c", "name": "vm-02", "type": "Microsoft.Compute/virtualMachines"},
]


def test_a_filter_of_type_and_name_finds_in_any_case_and_shows_no_properties() -> None:
    body = answer("resourceType eq 'microsoft.compute/virtualmachines' and name eq 'VM-01'", RESOURCES).body
    assert body == {"value": [{"id": "/a", "name": "vm-01", "type": "Microsoft.Compute/virtualMachines"}]}


def test_without_a_filter_all_are_listed() -> None:
    assert len(answer("", RESOURCES).body["value"]) == 3
