"""The reads of a storm's member: answered from what was read for all members at once, by the readers of single failures.

What no list tells (what the agent reports, a job's own error, restore points, the history of the VM's health) is not read: it is
`Unknown`, and says so. A few members of each vault are read alone instead, as any failure is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from handlers.azure.arm import Azure
from handlers.facts import FACTS, SHARED_SECONDS, Reads, Unread
from handlers.facts.bulk.graph_rows import DISK, GROUP, NIC, NSG, ROUTES, SUBNET, VM, GraphRows
from handlers.facts.bulk.many_logs import ManyLogs
from handlers.facts.bulk.vault_items import READ_ITEM_LIST, items_of_vault
from handlers.facts.queries import graph_query
from handlers.model import Failure, Reason, ResourceId

KINDS = (VM, DISK, NIC, NSG, ROUTES, SUBNET)
"""What Azure Resource Graph shows as Azure Resource Manager does."""
OF_ROWS = ("vm", "vm_presence", "power_state", "disks", "disk_keys", "agent_provisioned", "attached_disks", "extensions_allowed",
           "extension_names", "operating_system", "outbound_access", "vm_tags", "group_tags")  # fmt: skip
ROWS = "Microsoft.ResourceGraph/resources"
NEEDS = (READ_ITEM_LIST, "Microsoft.Compute/virtualMachines/extensions/read", "Microsoft.Network/virtualNetworks/read")
"""Rights that only reads in bulk need: a row shows what its reader may read."""
OF_ONE_VM = ("microsoft.compute/virtualmachines", "microsoft.compute/restorepointcollections")


class Bulk:
    """What is read once for some members: rows, logs, the other vaults' items."""

    def __init__(self, azure: Azure, failures: Sequence[Failure]) -> None:
        vms = {failure.vm.key: failure.vm for failure in failures if failure.vm}
        self.azure, self.rows = azure, GraphRows(azure, vms.values())
        self.logs, self._vms = ManyLogs(azure, list(vms.values())), sorted(vms)
        self._reads = Reads(azure)

    def items_of(self, vm: str, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
        """See `Reads.items_of`: one query for all members whose VMs and vaults lie in the same subscriptions."""
        text = graph_query("items_of_vms", vms=[own for own in self._vms if own.split("/")[2] in subscriptions])
        rows = self._reads.once(("graph", text), lambda: self.azure.query_graph(text, subscriptions))
        return [row for row in rows if row.get("vm") == vm]


class BulkReads(Reads):
    """Azure as the facts of one member see it."""

    def __init__(self, failure: Failure, bulk: Bulk) -> None:
        super().__init__(bulk.azure, sharing=True)
        self._failure, self._bulk = failure, bulk

    def get(self, path: str, api_version: str, **query: str) -> Any:
        kind = _kind_of(path)
        if kind in KINDS and not query:
            return self._row(kind, path)
        _refuse_alone(kind)
        return self._shared("get", path, query, lambda: self.azure.get(path, api_version, **query))

    def list_all(self, path: str, api_version: str, **query: str) -> list[Any]:
        _refuse_alone(_kind_of(path.lower().rpartition("/providers/")[0]))
        return self._shared("list", path, query, lambda: self.azure.list_all(path, api_version, **query))

    def model(self, vm_id: str, api_version: str) -> Any:
        return self._row(VM, vm_id)

    def item(self, vault: ResourceId, container: str, name: str) -> Mapping[str, Any]:
        item = items_of_vault(vault, self.azure).get(name.lower())
        if item is None:
            raise Unread(Reason.NOT_FOUND)
        return item

    def items_of(self, vm: str, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
        return self._bulk.items_of(vm, subscriptions)

    def log_rows(self, name: str, vm: ResourceId, since: datetime, until: datetime) -> list[dict[str, Any]]:
        return self._bulk.logs.rows(name, vm, since, until)

    def group_tags(self, group_id: str) -> Mapping[str, str]:
        return self._row(GROUP, group_id).get("tags") or {}

    def alone[T](self, read: Callable[[], T]) -> T:
        raise Unread(Reason.NOT_SAMPLED)

    def since(self, moment: datetime) -> datetime:
        """The begin of the day: a storm lasts longer than an hour."""
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)

    def source_of(self, name: str) -> str:
        return ROWS if name in OF_ROWS else FACTS[name].source

    def _row(self, kind: str, path: str) -> Any:
        """The resource's row; one that may be older than the failure proves nothing."""
        if not self._bulk.rows.speak_for(self._failure.failed_at):
            raise Unread(Reason.OLD_ROW)
        body = self._bulk.rows.body(kind, path)
        if body is None:
            raise Unread(Reason.NOT_SHOWN)
        return body

    def _shared[T](self, verb: str, path: str, query: Mapping[str, str], read: Callable[[], T]) -> T:
        """What does not belong to one VM, such as a key vault or a service problem, is read once for all."""
        key = " ".join((verb, path.lower(), *(f"{name}={value}" for name, value in sorted(query.items()))))
        return self.azure.shared.get(key, read, seconds=SHARED_SECONDS)


def _kind_of(path: str) -> str:
    """`microsoft.compute/disks` of a resource's path."""
    parts = path.lower().rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]])


def _refuse_alone(kind: str) -> None:
    if kind.startswith(OF_ONE_VM):
        raise Unread(Reason.NOT_SAMPLED)
