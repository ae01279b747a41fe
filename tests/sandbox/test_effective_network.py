"""The rules and routes in force: a POST that changes nothing, as runbooks ask for it."""

from __future__ import annotations

import requests

from sandbox.azure import running_azure
from sandbox.scenario import load_scenarios


def test_rules_and_routes_in_force_name_the_group_that_they_come_from() -> None:
    scenario = next(scenario for scenario in load_scenarios() if scenario.name == "no_network_unmanaged_windows")
    with running_azure([scenario]) as azure:
        world = azure.azure.worlds[scenario.subscription]
        (nic,) = world.of_type("Microsoft.Network/networkInterfaces")
        groups, routes = (
            requests.post(f"{azure.url}{nic['id']}/{what}?api-version=2022-01-01", timeout=10).json()["value"]
            for what in ("effectiveNetworkSecurityGroups", "effectiveRouteTable")
        )
    assert groups[0]["networkSecurityGroup"]["id"].startswith(f"/subscriptions/{scenario.subscription}/")
    assert {rule["access"] for rule in groups[0]["effectiveSecurityRules"]} == {"Allow", "Deny"}
    assert [route["nextHopType"] for route in routes if route["addressPrefix"] == ["0.0.0.0/0"]] == ["Internet"]


def test_an_interface_that_is_not_there_has_none() -> None:
    scenario = next(scenario for scenario in load_scenarios() if scenario.name == "no_network_unmanaged_windows")
    path = f"/subscriptions/{scenario.subscription}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/gone"
    with running_azure([scenario]) as azure:
        assert requests.post(f"{azure.url}{path}/effectiveRouteTable?api-version=2022-01-01", timeout=10).status_code == 404
