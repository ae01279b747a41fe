"""Outbound access of the VM, from its network's configuration.

https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/get and …/subnets/get, …/network-security-groups/get
Plain reads of the configured rules: the effective ones need a POST and a running VM.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from msgspec import Struct

from handlers.facts import Reads, Unread, fact
from handlers.facts.activity import READ_ACTIVITY, of_provider, since_good
from handlers.facts.compute import READ_VIEW, READ_VM, read_vm, seen_view
from handlers.model import Activity, Failure, OutboundAccess, Reason, ResourceId, Unknown

API = "2024-05-01"
MINIMUM = {"windows": (2, 7, 41491, 1010), "linux": (2, 2, 53, 1)}
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version"""
GOALS = ("storage", "azurebackup", "azureactivedirectory")
"""What backup traffic of the guest must reach on 443, as service tags."""
READ_NETWORK = ("Microsoft.Network/networkInterfaces/read", "Microsoft.Network/virtualNetworks/subnets/read")
ANYWHERE = {"*", "internet", "0.0.0.0/0", "azurecloud", "any"}


@fact(
    READ_VM,
    READ_VIEW,
    READ_ACTIVITY,
    *READ_NETWORK,
    "Microsoft.Network/networkSecurityGroups/read",
    "Microsoft.Network/routeTables/read",
    source="Microsoft.Network/networkSecurityGroups, routeTables",
)
def outbound_access(failure: Failure, reads: Reads) -> OutboundAccess:
    """Whether backup of this VM needs outbound access at all; if it does, what rules, routes and ways out say."""
    version = _version(failure, reads)
    needed_by = tuple(_needed_by(version if isinstance(version, tuple) else None, failure, reads))
    needs_unread = version if isinstance(version, Unknown) else None
    if not needed_by:
        return OutboundAccess((), needs_unread)
    path = _path(read_vm(failure, reads), reads)
    changes = reads.or_unknown(lambda: _changes(path, failure, reads))
    unread = changes if isinstance(changes, Unknown) else None
    known = None if isinstance(changes, Unknown) else changes
    return OutboundAccess(needed_by, needs_unread, path.denied_by, path.way_out, path.decided_by_id, path.hop, known, unread)


def _changes(path: _Path, failure: Failure, reads: Reads) -> Activity:
    """What was done to the interface, its subnet, their rules and routes since the last good backup."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    since = since_good(failure, reads)
    entries = of_provider(failure.vm.subscription, "Microsoft.Network", since, reads)
    return Activity(since, tuple(entry for entry in entries if path.is_part(entry.resource)))


def _needed_by(version: tuple[int, ...] | None, failure: Failure, reads: Reads) -> Iterable[str]:
    storage = read_vm(failure, reads)["properties"].get("storageProfile") or {}
    disks = [disk for disk in (storage.get("osDisk"), *(storage.get("dataDisks") or ())) if disk]
    if any("managedDisk" not in disk for disk in disks):
        yield "unmanaged_disk"
    if any(disk.get("writeAcceleratorEnabled") for disk in disks):
        yield "write_accelerator"
    os = _os(failure, reads)
    if version and os in MINIMUM and version < MINIMUM[os]:
        yield "unsupported_agent"
    if failure.workload not in ("", "AzureIaasVM"):
        yield "workload"


def _os(failure: Failure, reads: Reads) -> str:
    storage = read_vm(failure, reads)["properties"].get("storageProfile") or {}
    return str((storage.get("osDisk") or {}).get("osType", "")).lower()


def _version(failure: Failure, reads: Reads) -> tuple[int, ...] | Unknown:
    """The agent's version, if it shows one that parses."""
    view = seen_view(failure, reads)
    if view is None:
        return Unknown(Reason.NOT_SAMPLED)
    parts = str((view.get("vmAgent") or {}).get("vmAgentVersion") or "").split(".")
    parses = all(part.isascii() and part.isdigit() for part in parts)
    return tuple(map(int, parts)) if parses else Unknown(Reason.AGENT_NOT_READY)


class _Path(Struct, frozen=True):
    """The way from the VM to Azure, and the resources that make it."""

    denied_by: str
    decided_by_id: str
    way_out: str
    hop: str
    resources: tuple[str, ...]

    def is_part(self, resource: str) -> bool:
        return is_part(resource, self.resources)


def is_part(resource: str, of: Iterable[str]) -> bool:
    """Whether a resource is one of some, or lies below one; ids in lower case."""
    return any(resource == own or resource.startswith(f"{own}/") for own in of)


def network_of(vm: dict[str, Any], reads: Reads) -> tuple[str, ...]:
    """The interface, virtual network, security groups and route table of the VM, as ids in lower case."""
    place = _place(vm, reads)
    network_id = place.subnet_id.partition("/subnets/")[0]
    return tuple(found.lower() for found in (place.nic_id, network_id, *place.group_ids, place.table_id) if found)


class _Place(Struct, frozen=True):
    """Where the VM's primary interface lies, and the ids of what decides about its packets there."""

    nic_id: str
    configuration: dict[str, Any]
    subnet_id: str
    subnet: dict[str, Any]
    group_ids: tuple[str, ...]
    table_id: str


def _place(vm: dict[str, Any], reads: Reads) -> _Place:
    interfaces = ((vm.get("properties") or {}).get("networkProfile") or {}).get("networkInterfaces") or []
    if not interfaces:
        raise Unread(Reason.NO_DATA)
    primary = next((nic for nic in interfaces if (nic.get("properties") or {}).get("primary")), interfaces[0])
    nic = reads.get(primary["id"], API)["properties"]
    configuration = _configuration(nic)
    subnet_id = str((configuration.get("subnet") or {}).get("id") or "")
    subnet = reads.get(subnet_id, API)["properties"] if subnet_id else {}
    ids = tuple(found for part in (nic, subnet) if (found := (part.get("networkSecurityGroup") or {}).get("id")))
    return _Place(primary["id"], configuration, subnet_id, subnet, ids, (subnet.get("routeTable") or {}).get("id") or "")


def _path(vm: dict[str, Any], reads: Reads) -> _Path:
    place = _place(vm, reads)
    table = reads.get(place.table_id, API) if place.table_id else {}
    source = _Source(place.configuration.get("privateIPAddress") or "", place.subnet)
    blackhole, hop, routed = _default_route(table)
    way_out = _way_out(place.configuration, place.subnet, routed)
    denials = [(rule, found) for found in place.group_ids if (rule := _denied(reads.get(found, API), source))]
    denials += [(blackhole, place.table_id)] if blackhole else []
    name = place.subnet_id.rpartition("/")[2]
    denials += [] if way_out or hop else [(f"{name} (defaultOutboundAccess=false)", place.subnet_id)]
    denied_by, denied_by_id = (denials or [("", "")])[0]
    resources = tuple(found.lower() for found in (place.nic_id, place.subnet_id, *place.group_ids, place.table_id) if found)
    return _Path(denied_by, denied_by_id or (place.table_id if hop else ""), way_out, hop, resources)


def _way_out(configuration: dict[str, Any], subnet: dict[str, Any], routed: str) -> str:
    """What leads out. https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access"""
    endpoints = {str(endpoint.get("service", "")).lower() for endpoint in subnet.get("serviceEndpoints") or ()}
    ways = {
        "nat_gateway": bool((subnet.get("natGateway") or {}).get("id")),
        "public_ip": bool(configuration.get("publicIPAddress")),
        "load_balancer": bool(configuration.get("loadBalancerBackendAddressPools")),
        routed: bool(routed),
        "endpoint": any(service.startswith("microsoft.storage") for service in endpoints),
        "default": subnet.get("defaultOutboundAccess") is not False,
    }
    return next((name for name, leads in ways.items() if leads), "")


class _Source(Struct, frozen=True):
    """Where the VM's packets come from: its address, and the subnet that it lies in."""

    address: str
    subnet: dict[str, Any]

    def is_in(self, prefix: str) -> bool:
        if prefix.lower() in ("*", "any", "virtualnetwork", "0.0.0.0/0"):
            return True
        try:
            return bool(self.address) and ip_address(self.address) in ip_network(prefix, strict=False)
        except ValueError:
            return False


def _configuration(nic: dict[str, Any]) -> dict[str, Any]:
    """The primary IP configuration."""
    configurations: list[dict[str, Any]] = [part.get("properties") or {} for part in nic.get("ipConfigurations") or ()]
    primary = [part for part in configurations if part.get("primary")] or configurations
    return primary[0] if primary else {}


def _denied(group: dict[str, Any], source: _Source) -> str:
    """The rule of a security group that denies one of the goals, as `group/rule`; empty when none does."""
    for goal in GOALS:
        for rule in sorted(_outbound(group), key=lambda rule: int(rule.get("priority") or 65_000)):
            if _matches(rule, goal, source):
                if str(rule.get("access", "")).lower() == "deny":
                    return f"{_name(group)}/{rule['name']} (Deny {goal} 443)"
                break
    return ""


def _outbound(group: dict[str, Any]) -> list[dict[str, Any]]:
    rules = (group.get("properties") or {}).get("securityRules") or ()
    flat = [{"name": rule.get("name", "?"), **(rule.get("properties") or {})} for rule in rules]
    return [rule for rule in flat if str(rule.get("direction", "")).lower() == "outbound"]


def _matches(rule: dict[str, Any], goal: str, source: _Source) -> bool:
    from_here = [str(p) for p in (rule.get("sourceAddressPrefix"), *(rule.get("sourceAddressPrefixes") or ())) if p]
    if from_here and not any(source.is_in(prefix) for prefix in from_here):
        return False
    prefixes = {
        str(p).lower() for p in (rule.get("destinationAddressPrefix"), *(rule.get("destinationAddressPrefixes") or ())) if p
    }
    reaches = bool(prefixes & ANYWHERE) or any(prefix.partition(".")[0] == goal for prefix in prefixes)
    ports = [p for p in (rule.get("destinationPortRange"), *(rule.get("destinationPortRanges") or ())) if p]
    return reaches and str(rule.get("protocol", "*")).lower() in ("tcp", "*") and any(_holds_443(str(port)) for port in ports)


def _holds_443(port: str) -> bool:
    low, _, high = port.partition("-")
    return port == "*" or (low.isdigit() and int(low) <= 443 <= int(high if high.isdigit() else low))


def _default_route(table: dict[str, Any]) -> tuple[str, str, str]:
    """The default route, as what it is: one that ends nowhere, one through an appliance or gateway, or one that leads out."""
    for route in (table.get("properties") or {}).get("routes") or ():
        properties = route.get("properties") or {}
        if properties.get("addressPrefix") == "0.0.0.0/0":
            kind = str(properties.get("nextHopType") or "")
            shown = f"{_name(table)}/{route.get('name', '?')} (0.0.0.0/0 {kind})"
            if kind.lower() == "none":
                return shown, "", ""
            return ("", shown, "") if kind.lower() in ("virtualappliance", "virtualnetworkgateway") else ("", "", shown)
    return "", "", ""


def _name(body: dict[str, Any]) -> str:
    parsed = ResourceId.parse(body.get("id"))
    return str(body.get("name") or (parsed.name if parsed else "?"))
