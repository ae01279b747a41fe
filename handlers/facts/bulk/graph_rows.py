"""What Azure Resource Graph shows of many VMs and of what belongs to them: a few queries instead of many reads.

https://learn.microsoft.com/azure/governance/resource-graph/overview. A row is the resource as Azure Resource Manager shows it,
without what only a read of its own shows (the instance view, restore points). Rows that the app may not see are left out without
a word, and a row may lag behind the resource for minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from handlers.azure.arm import Azure
from handlers.azure.shared_reads import Shared
from handlers.facts.queries import graph_query
from handlers.model import ResourceId

type Body = dict[str, Any]
type Bodies = Mapping[str, Body]
"""By id in lower case."""

LAG = timedelta(minutes=3)
"""How far rows may be behind. Azure promises no bound: most changes show within a minute, some after "a few minutes".
https://learn.microsoft.com/azure/governance/resource-graph/concepts/fields-slow-updates"""
IDS_A_QUERY = 250
"""https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests#grouping-queries: under 300."""
VM, DISK, NIC = "microsoft.compute/virtualmachines", "microsoft.compute/disks", "microsoft.network/networkinterfaces"
VNET, NSG, ROUTES = (
    "microsoft.network/virtualnetworks",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/routetables",
)
SUBNET, GROUP = f"{VNET}/subnets", "microsoft.resources/subscriptions/resourcegroups"


class GraphRows:
    """The rows about some VMs, read kind by kind when the first of them is asked for. Shared by threads."""

    def __init__(self, azure: Azure, vms: Iterable[ResourceId]) -> None:
        self._azure, self._vms = azure, {vm.key: vm for vm in vms}
        self._subscriptions = sorted({vm.subscription.lower() for vm in self._vms.values()})
        self._answers = Shared(failures_seconds=math.inf)
        self.read_at = datetime.now(UTC)

    def speak_for(self, moment: datetime) -> bool:
        """Whether rows that were read now are newer than that moment, however far they lag behind."""
        return moment <= self.read_at - LAG

    def body(self, kind: str, resource_id: str) -> Body | None:
        """The resource, or None when there is no row of it."""
        return self.of_kind(kind).get(resource_id.lower())

    def of_kind(self, kind: str) -> Bodies:
        """All resources of a kind that belong to the VMs: their disks, interfaces, subnets, security groups, route tables."""
        return self._answers.get(kind, lambda: self._read(kind), seconds=math.inf)

    def _read(self, kind: str) -> Bodies:
        if kind == SUBNET:
            return {subnet["id"].lower(): subnet for network in self.of_kind(VNET).values() for subnet in _subnets(network)}
        if kind == GROUP:
            return self._groups()
        bodies = self._by_id(kind, sorted(set(filter(None, self._ids(kind)))))
        return self._with_extensions(bodies) if kind == VM else bodies

    def _ids(self, kind: str) -> Iterator[str]:
        """The ids, in lower case, of the resources of a kind."""
        match kind:
            case "microsoft.compute/virtualmachines":
                yield from self._vms
            case "microsoft.compute/disks":
                yield from (disk for vm in self.of_kind(VM).values() for disk in disk_ids(vm))
            case "microsoft.network/networkinterfaces":
                yield from (primary_nic_id(vm) for vm in self.of_kind(VM).values())
            case "microsoft.network/virtualnetworks":
                yield from (subnet_id(nic).rpartition("/subnets/")[0] for nic in self.of_kind(NIC).values())
            case "microsoft.network/networksecuritygroups":
                yield from (part_id(body, "networkSecurityGroup") for body in self._guarded())
            case "microsoft.network/routetables":
                yield from (part_id(body, "routeTable") for body in self._used_subnets())

    def _guarded(self) -> Iterator[Body]:
        yield from self.of_kind(NIC).values()
        yield from self._used_subnets()

    def _used_subnets(self) -> Iterator[Body]:
        subnets = self.of_kind(SUBNET)
        return (subnets[used] for used in {subnet_id(nic) for nic in self.of_kind(NIC).values()} if used in subnets)

    def _by_id(self, kind: str, ids: Iterable[str]) -> Bodies:
        rows: list[Body] = []
        for some in batched(ids, IDS_A_QUERY, strict=False):
            rows += self._azure.query_graph(graph_query("resources_by_id", kind=kind, ids=some), self._subscriptions)
        return {row["id"].lower(): row for row in rows}

    def _groups(self) -> Bodies:
        rows: list[Body] = []
        for some in batched(sorted({vm.group_id.lower() for vm in self._vms.values()}), IDS_A_QUERY, strict=False):
            rows += self._azure.query_graph(graph_query("groups_by_id", ids=some), self._subscriptions)
        return {row["id"].lower(): row for row in rows}

    def _with_extensions(self, vms: Bodies) -> Bodies:
        """The VMs with their extensions below `resources`, where Azure Resource Manager shows them."""
        groups = sorted({vm.group.lower() for vm in self._vms.values()})
        for some in batched(groups, IDS_A_QUERY, strict=False):
            for row in self._azure.query_graph(graph_query("extensions_of_groups", groups=some), self._subscriptions):
                vm = vms.get(row["id"].lower().rpartition("/extensions/")[0])
                if vm is not None:
                    vm.setdefault("resources", []).append(row)
        return vms


def disk_ids(vm: Body) -> Iterator[str]:
    storage = vm["properties"].get("storageProfile") or {}
    for disk in filter(None, (storage.get("osDisk"), *(storage.get("dataDisks") or ()))):
        yield str((disk.get("managedDisk") or {}).get("id") or "").lower()


def primary_nic_id(vm: Body) -> str:
    nics = (vm["properties"].get("networkProfile") or {}).get("networkInterfaces") or []
    primary = [nic for nic in nics if (nic.get("properties") or {}).get("primary")] or nics
    return str(primary[0].get("id") or "").lower() if primary else ""


def subnet_id(nic: Body) -> str:
    configurations = [part.get("properties") or {} for part in nic["properties"].get("ipConfigurations") or ()]
    primary = [part for part in configurations if part.get("primary")] or configurations
    return str((primary[0].get("subnet") or {}).get("id") or "").lower() if primary else ""


def part_id(body: Body, part: str) -> str:
    return str(((body.get("properties") or {}).get(part) or {}).get("id") or "").lower()


def _subnets(network: Body) -> list[Body]:
    subnets: list[Body] = network["properties"].get("subnets") or []
    return subnets
