"""What was changed of the VM and of what it needs: the change records of Azure Resource Graph, which keeps them for 14 days.

https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes
They show values before and after, but no locks, role assignments and policies: those are in the activity log (activity.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import replace
from datetime import datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.backup import READ_GRAPH
from handlers.facts.compute import READ_DISK, READ_VM, read_vm
from handlers.facts.network import READ_NETWORK, is_part, network_of
from handlers.facts.queries import graph_query
from handlers.model import Failure, PropertyChange, Reason, ResourceChange, ResourceChanges, ResourceId, Unknown, parse_time
from handlers.model.facts import BACKUP_SERVICE_APP

KEPT = timedelta(days=14)
"""How long Resource Graph keeps change records."""
NETWORKS = ("microsoft.network/networksecuritygroups", "microsoft.network/routetables", "microsoft.network/virtualnetworks")
NOISE = ("provisioningstate", "etag", "timecreated", "lastownershipupdatetime", "uniqueid", "resourceguid", "instanceview")
"""Properties that Azure itself writes along with others, by a part of their path."""
MOST_CHARACTERS, MOST_PROPERTIES, MOST_CHANGES = 200, 20, 200
"""Of a value, of a change, of all: the evidence is kept."""


@fact(
    READ_GRAPH,
    "Microsoft.Resources/changes/read",
    READ_VM,
    READ_DISK,
    "Microsoft.Compute/virtualMachines/extensions/read",
    "Microsoft.Compute/diskEncryptionSets/read",
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.Network/virtualNetworks/read",
    *READ_NETWORK,
    source="Microsoft.ResourceGraph/resourcechanges",
)
def resource_changes(failure: Failure, reads: Reads) -> ResourceChanges:
    """The change records of the VM, its extensions, disks, interfaces, network, key vault and encryption sets, of 14 days."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    body, since = _body(failure, reads), failure.began_at - KEPT
    ids = {failure.vm.key, *(found.lower() for found in named_in(body))}
    query = graph_query("changes", since=since, ids=sorted(ids), extensions=f"{failure.vm.key}/extensions/")
    subscriptions = {parsed.subscription.lower() for found in ids if (parsed := ResourceId.parse(found))}
    rows = reads.alone(lambda: reads.azure.query_graph(query, sorted(subscriptions)))
    changes = [change for row in rows if (change := _change(row.get("properties") or {}))]
    own = _own(changes, body, since, reads)
    newest = sorted(own.changes, key=lambda change: change.at, reverse=True)
    return replace(own, changes=tuple(newest[:MOST_CHANGES]))


def _body(failure: Failure, reads: Reads) -> dict[str, Any]:
    """The VM; empty when it is gone: what was changed of it can still be read."""
    body = reads.or_unknown(lambda: read_vm(failure, reads))
    if isinstance(body, Unknown) and body.why is not Reason.NOT_FOUND:
        raise Unread(body.why, body.detail)
    return {} if isinstance(body, Unknown) else body


def named_in(vm: dict[str, Any]) -> Iterable[str]:
    """The ids of the disks, interfaces, encryption sets and key vaults that the VM's own body names."""
    properties = vm.get("properties") or {}
    storage = properties.get("storageProfile") or {}
    disks = [disk for disk in (storage.get("osDisk"), *(storage.get("dataDisks") or ())) if disk]
    for disk in disks:
        managed = disk.get("managedDisk") or {}
        yield from filter(None, (managed.get("id"), (managed.get("diskEncryptionSet") or {}).get("id")))
    for nic in (properties.get("networkProfile") or {}).get("networkInterfaces") or ():
        yield from filter(None, (nic.get("id"),))
    shown = [
        setting
        for disk in (properties.get("instanceView") or {}).get("disks") or ()
        for setting in disk.get("encryptionSettings") or ()
    ]
    for setting in (*shown, *(disk["encryptionSettings"] for disk in disks if disk.get("encryptionSettings"))):
        for part in ("diskEncryptionKey", "keyEncryptionKey"):
            yield from filter(None, (((setting.get(part) or {}).get("sourceVault") or {}).get("id"),))


def _own(changes: list[ResourceChange], vm: dict[str, Any], since: datetime, reads: Reads) -> ResourceChanges:
    """Without the networks of others. The VM's own network is read only when some network has changed."""
    own = [change for change in changes if change.type not in NETWORKS]
    if len(own) == len(changes):
        return ResourceChanges(since, tuple(own))
    network = reads.or_unknown(lambda: network_of(vm, reads))
    if isinstance(network, Unknown):
        return ResourceChanges(since, tuple(own), network)
    return ResourceChanges(
        since, tuple(change for change in changes if change in own or is_part(change.resource_id.lower(), network))
    )


def _change(record: dict[str, Any]) -> ResourceChange | None:
    """A change record; None for one that shows nothing but what Azure writes along, or that Azure Backup made itself."""
    attributes = record.get("changeAttributes") or {}
    at, who = parse_time(attributes.get("timestamp")), str(attributes.get("changedBy") or "")
    operation = str(record.get("changeType") or "").lower()
    properties = tuple(_properties(record.get("changes") or {}))[:MOST_PROPERTIES]
    if at is None or who.lower() == BACKUP_SERVICE_APP or (operation == "update" and not properties):
        return None
    who = "" if who.lower() in ("unknown", "unspecified") else who
    return ResourceChange(at, str(record.get("targetResourceId") or ""), str(record.get("targetResourceType") or "").lower(),
                          operation, who, properties)  # fmt: skip


def _properties(changes: dict[str, Any]) -> Iterable[PropertyChange]:
    for path, change in sorted(changes.items()):
        written_along = str(change.get("changeCategory") or "").lower() == "system" or path.lower().startswith("tags")
        if not written_along and not any(word in path.lower() for word in NOISE):
            yield PropertyChange(path, _shown(change.get("previousValue")), _shown(change.get("newValue")))


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:MOST_CHARACTERS]
