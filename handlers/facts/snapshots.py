"""Facts about who else touches the VM's restore points and disks: deletions, other products' snapshots, policies that deny.

https://learn.microsoft.com/rest/api/monitor/activity-logs/list and https://learn.microsoft.com/rest/api/compute/snapshots/list
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.activity import READ_ACTIVITY, SOURCE, of_group, since_good
from handlers.facts.compute import READ_VM, read_vm
from handlers.facts.disks import attached_models
from handlers.facts.jobs import READ_JOBS
from handlers.facts.restore_points import READ_COLLECTION, collections_by_vm, collections_of
from handlers.facts.vaults import READ_VAULTS, region_of
from handlers.model import Activity, DiskSnapshot, Failure, Operation, Reason, ResourceId, Unknown, parse_time

SNAPSHOT_API = "2024-03-02"
POINT_DELETIONS = (
    "restorepointcollections/delete",
    "restorepointcollections/restorepoints/delete",
    "subscriptions/resourcegroups/delete",
)
SNAPSHOT_WRITES = ("snapshots/write", "restorepointcollections/restorepoints/write")
MOST_GROUPS = 4
"""Of the groups that may hold the restore points of a VM whose collection is gone."""
type Groups = tuple[tuple[str, str], ...]


@fact(READ_ACTIVITY, READ_COLLECTION, READ_VAULTS, READ_JOBS, source=SOURCE)
def restore_point_deletions(failure: Failure, reads: Reads) -> Activity:
    """Who deleted restore points or collections of the VM, or their group, since the last good backup."""
    since = since_good(failure, reads)
    own = {found.lower() for found in collections_of(failure, reads)}
    entries = [entry for entry in _of_groups(_groups(failure, reads), failure, reads) if entry.operation in POINT_DELETIONS]
    return Activity(since, tuple(entry for entry in entries if _is_of_vm(entry, own, failure)))


def _is_of_vm(entry: Operation, own: set[str], failure: Failure) -> bool:
    """Whether an entry is about the VM's collection or the whole group. A collection is named `AzureBackup_<vm>_<digits>`.

    https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#clean_up_restore_point_collection
    """
    collection = entry.resource.partition("/restorepointcollections/")[2].partition("/")[0]
    named = failure.vm is not None and f"_{failure.vm.name}_".lower() in collection
    return not collection or named or any(entry.resource == found or entry.resource.startswith(f"{found}/") for found in own)


@fact(READ_ACTIVITY, READ_COLLECTION, READ_VAULTS, READ_JOBS, source=SOURCE)
def policy_denials(failure: Failure, reads: Reads) -> Activity:
    """What Azure Policy denied since the last good backup: to Azure Backup, of the VM, or in the groups of its restore points."""
    vm, since = _vm_of(failure), since_good(failure, reads)
    of_vm = (entry for entry in of_group(vm.subscription, vm.group, since, reads) if _concerns(entry, vm.key))
    entries = [*of_vm, *_of_groups(_groups(failure, reads), failure, reads)]
    denied = {(entry.at, entry.resource, entry.operation): entry for entry in entries if entry.denied}
    return Activity(since, tuple(sorted(denied.values(), key=lambda entry: entry.at, reverse=True)))


def _concerns(entry: Operation, key: str) -> bool:
    return entry.by_backup or entry.resource == key or entry.resource.startswith(f"{key}/")


@fact(READ_ACTIVITY, READ_COLLECTION, READ_VAULTS, READ_JOBS, source=SOURCE)
def backup_principal(failure: Failure, reads: Reads) -> str:
    """The object id under which Azure Backup acts in this tenant: its own entries in the activity log hold it."""
    vm, since = _vm_of(failure), since_good(failure, reads)
    for entries in (of_group(vm.subscription, vm.group, since, reads), _of_groups(_groups(failure, reads), failure, reads)):
        if found := next((entry.principal for entry in entries if entry.by_backup and entry.principal), ""):
            return found
    raise Unread(Reason.NO_DATA)


@fact(READ_ACTIVITY, READ_VM, READ_JOBS, source=SOURCE)
def snapshot_activity(failure: Failure, reads: Reads) -> Activity:
    """Who else than Azure Backup took snapshots in the groups of the VM and of its disks since the last good backup."""
    vm, since = _vm_of(failure), since_good(failure, reads)
    groups = {(vm.subscription, vm.group.lower()): None}
    groups |= {(disk.subscription, disk.group.lower()): None for disk in _disks(failure, reads)}
    found = reads.each(groups, lambda group: of_group(*group, since, reads))
    others = (e for entries in found for e in entries if e.operation in SNAPSHOT_WRITES and not e.by_backup)
    return Activity(since, tuple(others))


@fact("Microsoft.Compute/snapshots/read", READ_VM, source="Microsoft.Compute/snapshots")
def disk_snapshots(failure: Failure, reads: Reads) -> tuple[DiskSnapshot, ...]:
    """The snapshots that there are of the VM's managed disks: Azure Backup makes restore points and no such snapshots of them."""
    ids = {disk.key for disk in _disks(failure, reads)}
    listed = reads.list_all(f"/subscriptions/{_vm_of(failure).subscription}/providers/Microsoft.Compute/snapshots", SNAPSHOT_API)
    snapshots = map(_snapshot, listed)
    return tuple(snapshot for snapshot in snapshots if snapshot.disk_id.lower() in ids)


def _snapshot(body: dict[str, Any]) -> DiskSnapshot:
    properties = body.get("properties") or {}
    source = (properties.get("creationData") or {}).get("sourceResourceId")
    return DiskSnapshot(str(body.get("name") or ""), str(source or ""), parse_time(properties.get("timeCreated")))


@fact(READ_VM, source="Microsoft.Compute/virtualMachines")
def unmanaged_disks(failure: Failure, reads: Reads) -> tuple[str, ...]:
    """The addresses of the VM's unmanaged disks: blobs in a storage account."""
    attached = attached_models(failure, reads)
    return tuple(str((disk.get("vhd") or {}).get("uri") or disk.get("name")) for disk in attached if "managedDisk" not in disk)


def _disks(failure: Failure, reads: Reads) -> list[ResourceId]:
    ids = (ResourceId.parse((disk.get("managedDisk") or {}).get("id")) for disk in attached_models(failure, reads))
    return [found for found in ids if found]


def _of_groups(groups: Groups, failure: Failure, reads: Reads) -> Iterable[Operation]:
    since = since_good(failure, reads)
    return [entry for entries in reads.each(groups, lambda group: of_group(*group, since, reads)) for entry in entries]


def _groups(failure: Failure, reads: Reads) -> Groups:
    """The groups that hold the VM's collections. Where it has none: those of its region that hold other VMs', and Azure's default.

    What the log of such a group says is true of it; that it says nothing proves nothing, for the group may be another.
    https://learn.microsoft.com/azure/backup/backup-during-vm-creation#azure-backup-resource-group-for-virtual-machines
    """
    vm = _vm_of(failure)
    own = _parsed(collections_of(failure, reads))
    if own:
        return own
    region = _region(failure, reads)
    found = _parsed(found for ids in collections_by_vm(vm.subscription, reads).values() for found in ids)
    likely = [group for group in found if f"_{region}_" in group[1].lower()] if region else []
    return (*likely[:MOST_GROUPS],) or ((vm.subscription, f"AzureBackupRG_{region}_1"),)


def _region(failure: Failure, reads: Reads) -> str:
    """The VM's region, or its vault's where the VM is gone: they are the same."""
    body = reads.or_unknown(lambda: read_vm(failure, reads))
    return region_of(failure, reads.azure) if isinstance(body, Unknown) else str(body.get("location") or "").lower()


def _parsed(ids: Iterable[str]) -> Groups:
    parsed = filter(None, map(ResourceId.parse, ids))
    return tuple(dict.fromkeys((found.subscription, found.group) for found in parsed))


def _vm_of(failure: Failure) -> ResourceId:
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    return failure.vm
