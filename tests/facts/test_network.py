"""Outbound access: judged only where something needs it, and as Azure applies its rules: by priority, in every group on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.facts import Reads
from handlers.facts.network import outbound_access
from handlers.model import Alert, Failure, OutboundAccess, Reason, ResourceId, Unknown
from tests.facts.test_gather import FakeAzure

BASE = "/subscriptions/s/resourceGroups/rg/providers"
VM_ID = f"{BASE}/Microsoft.Compute/virtualMachines/vm"
NIC, SUBNET, NSG, TABLE = (
    f"{BASE}/Microsoft.Network/{name}"
    for name in ("networkInterfaces/n", "virtualNetworks/v/subnets/s", "networkSecurityGroups/g", "routeTables/t")
)
FAILURE = Failure(Alert("x"), None, datetime(2026, 11, 22, tzinfo=UTC), vm=ResourceId.parse(VM_ID), workload="AzureIaasVM")


def rule(
    name: str,
    priority: int,
    access: str,
    destination: str = "Internet",
    port: str = "*",
    protocol: str = "*",
    direction: str = "Outbound",
) -> Any:
    return {"name": name, "properties": {"direction": direction, "priority": priority, "access": access, "protocol": protocol,
                                         "destinationAddressPrefix": destination, "destinationPortRange": port}}  # fmt: skip


def world(
    *rules: Any, routes: Any = (), managed: bool = False, agent: str = "2.13.1.1", os: str = "Linux", subnet: Any = None
) -> FakeAzure:
    disk = {"name": "os", "osType": os} | ({"managedDisk": {"id": "/d"}} if managed else {})
    view = {"vmAgent": {"vmAgentVersion": agent}}
    bodies = {
        VM_ID: {
            "properties": {
                "storageProfile": {"osDisk": disk},
                "instanceView": view,
                "networkProfile": {"networkInterfaces": [{"id": NIC}]},
            }
        },
        NIC: {"properties": {"ipConfigurations": [{"properties": {"subnet": {"id": SUBNET}, "privateIPAddress": "10.20.1.4"}}]}},
        SUBNET: {
            "properties": {
                "networkSecurityGroup": {"id": NSG},
                **({"routeTable": {"id": TABLE}} if routes else {}),
                **(subnet or {}),
            }
        },
        NSG: {"name": "g", "properties": {"securityRules": list(rules)}},
        TABLE: {"name": "t", "properties": {"routes": [{"name": "r", "properties": route} for route in routes]}},
    }
    log = "/subscriptions/s/providers/microsoft.insights/eventtypes/management/values"
    return FakeAzure(lambda path: [] if path == log else bodies[path])


def access(azure: FakeAzure, failure: Failure = FAILURE) -> OutboundAccess:
    return outbound_access(failure, Reads(azure))  # type: ignore[arg-type]


def test_a_managed_disk_with_a_supported_agent_needs_nothing_and_the_network_is_not_read() -> None:
    azure = world(rule("deny", 100, "Deny"), managed=True)
    assert access(azure) == OutboundAccess(())
    assert azure.paths == [VM_ID]


def test_an_old_agent_needs_it_and_of_an_unknown_version_nobody_knows() -> None:
    assert access(world(managed=True, agent="2.2.45")).needed_by == ("unsupported_agent",)
    unknown = access(world(managed=True, agent="Unknown"))
    assert (unknown.needed_by, unknown.needs_unread) == ((), Unknown(Reason.AGENT_NOT_READY))


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ([], True),
        ([rule("deny", 100, "Deny")], False),
        ([rule("deny", 200, "Deny"), rule("allow", 100, "Allow")], True),
        ([rule("deny", 100, "Deny"), rule("allow", 200, "Allow")], False),
        ([rule("storage", 100, "Allow", "Storage.WestEurope"), rule("deny", 200, "Deny")], False),
        ([rule("deny", 100, "Deny", port="80")], True),
        ([rule("deny", 100, "Deny", port="400-500")], False),
        ([rule("deny", 100, "Deny", protocol="Udp")], True),
        ([rule("deny", 100, "Deny", direction="Inbound")], True),
        ([rule("deny", 100, "Deny", "10.0.0.0/8")], True),
        ([rule("deny", 100, "Deny", "*")], False),
    ],
)
def test_the_rule_with_the_lowest_number_decides_for_port_443(rules: list[Any], allowed: bool) -> None:
    found = access(world(*rules))
    assert found.needed_by == ("unmanaged_disk",)
    assert found.allowed is allowed


def test_all_three_services_must_be_reachable() -> None:
    some = [rule("a", 100, "Allow", "Storage"), rule("b", 110, "Allow", "AzureBackup"), rule("deny", 200, "Deny")]
    assert access(world(*some)).allowed is False
    assert access(world(rule("c", 120, "Allow", "AzureActiveDirectory"), *some)).allowed is True


@pytest.mark.parametrize(("hop", "allowed"), [("None", False), ("VirtualAppliance", None), ("Internet", True)])
def test_a_default_route_decides_where_no_rule_does(hop: str, allowed: bool | None) -> None:
    assert access(world(routes=[{"addressPrefix": "0.0.0.0/0", "nextHopType": hop}])).allowed is allowed


def test_what_decides_is_named() -> None:
    assert access(world(rule("DenyAll", 100, "Deny"))).decided_by == "g/DenyAll (Deny storage 443)"


@pytest.mark.parametrize(
    ("source", "allowed"),
    [("*", False), ("10.20.1.0/24", False), ("VirtualNetwork", False), ("10.20.2.0/24", True), ("10.20.1.9", True)],
)
def test_a_rule_for_another_subnet_does_not_deny(source: str, allowed: bool) -> None:
    denied = rule("deny", 100, "Deny")
    denied["properties"]["sourceAddressPrefix"] = source
    assert access(world(denied)).allowed is allowed


@pytest.mark.parametrize(
    ("subnet", "allowed", "way"),
    [
        ({}, True, "default"),
        ({"defaultOutboundAccess": False}, False, ""),
        ({"defaultOutboundAccess": False, "natGateway": {"id": "/nat"}}, True, "nat_gateway"),
        ({"defaultOutboundAccess": False, "serviceEndpoints": [{"service": "Microsoft.Storage"}]}, True, "endpoint"),
    ],
)
def test_a_private_subnet_needs_a_way_out_of_its_own(subnet: Any, allowed: bool, way: str) -> None:
    found = access(world(subnet=subnet))
    assert (found.allowed, found.way_out) == (allowed, way)


def test_what_decides_is_named_with_its_id() -> None:
    assert access(world(rule("DenyAll", 100, "Deny"))).decided_by_id == NSG
    assert access(world(routes=[{"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}])).decided_by_id == TABLE
    assert access(world(subnet={"defaultOutboundAccess": False})).decided_by_id == SUBNET
