"""Outbound access of the VM, from its network's configuration.

https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/get and …/subnets/get, …/network-security-groups/get
Plain reads of the configured rules: the effective ones need a POST and a running VM.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.compute import READ_VIEW, READ_VM, instance_view, read_vm
from handlers.model import Failure, OutboundAccess, Reason, ResourceId

API = "2024-05-01"
MINIMUM = {"windows": (2, 7, 41491, 1010), "linux": (2, 2, 53, 1)}
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version"""
GOALS = ("storage", "azurebackup", "azureactivedirectory")
"""What backup traffic of the guest must reach on 443, as service tags."""
ANYWHERE = {"*", "internet", "0.0.0.0/0", "azurecloud", "any"}


@fact(
    READ_VM,
    READ_VIEW,
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/virtualNetworks/subnets/read",
    "Microsoft.Network/networkSecurityGroups/read",
    "Microsoft.Network/routeTables/read",
    source="Microsoft.Network/networkSecurityGroups, routeTables",
)
def outbound_access(failure: Failure, reads: Reads) -> OutboundAccess:
    """Whether backup of this VM needs outbound access at all; if it does, whether rules and routes allow it."""
    needed_by = tuple(_needed_by(failure, reads))
    if not needed_by:
        return OutboundAccess(())
    allowed, decided_by = _decide(read_vm(failure, reads), reads)
    return OutboundAccess(needed_by, allowed, decided_by)


def _needed_by(failure: Failure, reads: Reads) -> Iterable[str]:
    storage = read_vm(failure, reads)["properties"].get("storageProfile") or {}
    disks = [disk for disk in (storage.get("osDisk"), *(storage.get("dataDisks") or ())) if disk]
    if any("managedDisk" not in disk for disk in disks):
        yield "unmanaged_disk"
    if any(disk.get("writeAcceleratorEnabled") for disk in disks):
        yield "write_accelerator"
    if _below_minimum(failure, reads):
        yield "unsupported_agent"
    if failure.workload not in ("", "AzureIaasVM"):
        yield "workload"


def _below_minimum(failure: Failure, reads: Reads) -> bool:
    os = str(((read_vm(failure, reads)["properties"].get("storageProfile") or {}).get("osDisk") or {}).get("osType", ""))
    parts = str((instance_view(failure, reads).get("vmAgent") or {}).get("vmAgentVersion") or "").split(".")
    known = os.lower() in MINIMUM and all(part.isascii() and part.isdigit() for part in parts)
    return known and tuple(map(int, parts)) < MINIMUM[os.lower()]


def _decide(vm: dict[str, Any], reads: Reads) -> tuple[bool | None, str]:
    interfaces = (vm["properties"].get("networkProfile") or {}).get("networkInterfaces") or []
    if not interfaces:
        raise Unread(Reason.NO_DATA)
    primary = next((nic for nic in interfaces if (nic.get("properties") or {}).get("primary")), interfaces[0])
    nic = reads.get(primary["id"], API)["properties"]
    subnet_id = _subnet_id(nic)
    subnet = reads.get(subnet_id, API)["properties"] if subnet_id else {}
    group_ids = [(part.get("networkSecurityGroup") or {}).get("id") for part in (nic, subnet)]
    groups = reads.each([found for found in group_ids if found], lambda found: reads.get(found, API))
    denied = [verdict for group in groups if (verdict := _denied(group))]
    if denied:
        return False, denied[0]
    table_id = (subnet.get("routeTable") or {}).get("id")
    return _routed(reads.get(table_id, API)) if table_id else (True, "default rules and routes")


def _subnet_id(nic: dict[str, Any]) -> str:
    configurations = [part.get("properties") or {} for part in nic.get("ipConfigurations") or ()]
    primary = [part for part in configurations if part.get("primary")] or configurations
    return str((primary[0].get("subnet") or {}).get("id") or "") if primary else ""


def _denied(group: dict[str, Any]) -> str:
    """The rule of a security group that denies one of the goals, as `group/rule`; empty when none does."""
    for goal in GOALS:
        for rule in sorted(_outbound(group), key=lambda rule: int(rule.get("priority") or 65_000)):
            if _matches(rule, goal):
                if str(rule.get("access", "")).lower() == "deny":
                    return f"{_name(group)}/{rule['name']} (Deny {goal} 443)"
                break
    return ""


def _outbound(group: dict[str, Any]) -> list[dict[str, Any]]:
    rules = (group.get("properties") or {}).get("securityRules") or ()
    flat = [{"name": rule.get("name", "?"), **(rule.get("properties") or {})} for rule in rules]
    return [rule for rule in flat if str(rule.get("direction", "")).lower() == "outbound"]


def _matches(rule: dict[str, Any], goal: str) -> bool:
    prefixes = {
        str(p).lower() for p in (rule.get("destinationAddressPrefix"), *(rule.get("destinationAddressPrefixes") or ())) if p
    }
    reaches = bool(prefixes & ANYWHERE) or any(prefix.partition(".")[0] == goal for prefix in prefixes)
    ports = [p for p in (rule.get("destinationPortRange"), *(rule.get("destinationPortRanges") or ())) if p]
    return reaches and str(rule.get("protocol", "*")).lower() in ("tcp", "*") and any(_holds_443(str(port)) for port in ports)


def _holds_443(port: str) -> bool:
    low, _, high = port.partition("-")
    return port == "*" or (low.isdigit() and int(low) <= 443 <= int(high if high.isdigit() else low))


def _routed(table: dict[str, Any]) -> tuple[bool | None, str]:
    for route in (table.get("properties") or {}).get("routes") or ():
        properties = route.get("properties") or {}
        if properties.get("addressPrefix") == "0.0.0.0/0":
            hop = str(properties.get("nextHopType") or "")
            shown = f"{_name(table)}/{route.get('name', '?')} (0.0.0.0/0 {hop})"
            if hop.lower() == "none":
                return False, shown
            if hop.lower() == "virtualappliance":
                return None, shown
    return True, _name(table)


def _name(body: dict[str, Any]) -> str:
    parsed = ResourceId.parse(body.get("id"))
    return str(body.get("name") or (parsed.name if parsed else "?"))
