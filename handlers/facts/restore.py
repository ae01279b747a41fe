"""Facts of a failed restore: what it was told to do, the point that it restores from, and what its target has room for.

A restore goes to the subscription of its vault unless it is a cross-subscription restore, whose target no API tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from handlers.facts import Reads, Unread, fact
from handlers.facts.backup import LIST_JOBS, LIST_POINTS
from handlers.facts.compute import READ_VM, VM_VIEW, whole_vm
from handlers.facts.jobs import READ_JOBS, READ_POINTS, filter_time
from handlers.facts.locks import locks_of
from handlers.facts.vault_settings import vault_region
from handlers.facts.vaults import READ_VAULTS
from handlers.model import Failure, Lock, Reason, ResourceId, parse_time
from handlers.model.restore import ChosenPoint, NamedVm, PlanTerms, RestoreRequest, StorageAccount, TargetSize, Usage

STORAGE_API, COMPUTE_API, SIZES_API, TERMS_API = "2023-05-01", "2025-04-01", "2021-07-01", "2021-01-01"
SAME_POINT = timedelta(minutes=1)
"""Job details tell the time of a point in whole seconds; two points of an item are hours apart."""
KIND, POINT, STORAGE, GROUP = "job type", "recovery point time", "target storage account name", "target resource group"
"""https://learn.microsoft.com/azure/backup/tutorial-restore-disk (`propertyBag`); for other kinds of restore no example is published."""


@fact(READ_JOBS, source=LIST_JOBS)
def restore_request(failure: Failure, reads: Reads) -> RestoreRequest:
    """What the job's details say of the restore; they are read with the job."""
    if failure.job_unread:
        raise Unread(failure.job_unread.why, failure.job_unread.detail)
    told = {name.strip().lower(): value for name, value in (failure.job.details if failure.job else ())}
    if not told:
        raise Unread(Reason.NO_DATA)
    return RestoreRequest(
        told.get(KIND, ""), _point_time(told.get(POINT, "")), told.get(STORAGE, ""), told.get(GROUP, ""), tuple(told.values())
    )


def _point_time(text: str) -> datetime | None:
    """`12/25/2019 10:07:11 PM`, in UTC; None in another form."""
    try:
        return datetime.strptime(text.strip(), "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        return parse_time(text)


@fact(READ_POINTS, source=LIST_POINTS)
def chosen_point(failure: Failure, reads: Reads) -> ChosenPoint | None:
    """The point that is restored from; None when the vault lists none of that time.

    https://learn.microsoft.com/rest/api/backup/recovery-points/list
    """
    at, vault, item = restore_request(failure, reads).point_at, _vault_of(failure), failure.item
    if at is None or item is None:
        raise Unread(Reason.NO_DATA)
    *_, container, _, name = item.id.split("/")
    window = f"startDate eq '{filter_time(at - SAME_POINT)}' and endDate eq '{filter_time(at + SAME_POINT)}'"

    def read() -> ChosenPoint | None:
        points = reads.azure.backup(vault.subscription).recovery_points
        listed = points.list(vault.name, vault.group, "Azure", container, name, filter=window)
        chosen = [
            point for resource in listed if (point := _point(resource.properties or {})) and abs(point.at - at) <= SAME_POINT
        ]
        return min(chosen, key=lambda point: abs(point.at - at), default=None)

    return reads.alone(lambda: reads.once(("chosen point", vault.key, name.lower()), read))


def _point(found: Mapping[str, Any]) -> ChosenPoint | None:
    at, disks = parse_time(found.get("recoveryPointTime")), found.get("recoveryPointDiskConfiguration") or {}
    backed_up, attached = disks.get("numberOfDisksIncludedInBackup"), disks.get("numberOfDisksAttachedToVm")
    told = found.get("recoveryPointTierDetails") or ()
    return ChosenPoint(
        at=at,
        tiers=tuple(str(tier.get("type")) for tier in told if str(tier.get("status") or "").lower() == "valid"),
        vm_size=str(found.get("virtualMachineSize") or ""),
        zones=tuple(map(str, found.get("zones") or ())),
        encrypted=found.get("isSourceVMEncrypted"),
        managed=found.get("isManagedVirtualMachine"),
        security=str(found.get("securityType") or ""),
        disks_left_out=attached - backed_up if isinstance(backed_up, int) and isinstance(attached, int) else None,
    ) if at else None  # fmt: skip


@fact("Microsoft.Storage/storageAccounts/read", source="Microsoft.Storage/storageAccounts")
def target_storage(failure: Failure, reads: Reads) -> StorageAccount | None:
    """The staging account that the job names; None when the vault's subscription has none of that name.

    https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list
    """
    name = restore_request(failure, reads).storage_account.lower()
    if not name:
        raise Unread(Reason.NO_DATA)
    path = f"/subscriptions/{_vault_of(failure).subscription}/providers/Microsoft.Storage/storageAccounts"
    found = (body for body in reads.list_all(path, STORAGE_API) if str(body.get("name") or "").lower() == name)
    return next(map(_account, found), None)


def _account(body: Mapping[str, Any]) -> StorageAccount:
    properties: Mapping[str, Any] = body.get("properties") or {}
    return StorageAccount(
        id=str(body.get("id") or ""),
        region=str(body.get("location") or "").lower(),
        network=str((properties.get("networkAcls") or {}).get("defaultAction") or ""),
        public_access=str(properties.get("publicNetworkAccess") or ""),
        created_at=parse_time(properties.get("creationTime")),
    )


@fact("Microsoft.Authorization/locks/read", source="Microsoft.Authorization/locks")
def target_storage_locks(failure: Failure, reads: Reads) -> tuple[Lock, ...]:
    """The locks that cover the staging account: its own, its group's, the subscription's."""
    account, locks = reads.both(lambda: target_storage(failure, reads), lambda: locks_of(_vault_of(failure).subscription, reads))
    return tuple(lock for lock in locks if account and lock.covers(account.id))


@fact("Microsoft.Compute/locations/usages/read", READ_VAULTS, source="Microsoft.Compute/locations/usages")
def compute_usage(failure: Failure, reads: Reads) -> tuple[Usage, ...]:
    """The quotas of the vault's region, and how much of each is used. https://learn.microsoft.com/rest/api/compute/usage/list"""
    place = (
        f"/subscriptions/{_vault_of(failure).subscription}/providers/Microsoft.Compute/locations/{vault_region(failure, reads)}"
    )
    return tuple(map(_usage, reads.list_all(f"{place}/usages", COMPUTE_API)))


def _usage(body: Mapping[str, Any]) -> Usage:
    return Usage(
        str((body.get("name") or {}).get("value") or ""), int(body.get("currentValue") or 0), int(body.get("limit") or 0)
    )


@fact("Microsoft.Compute/skus/read", READ_POINTS, READ_VAULTS, source="Microsoft.Compute/skus")
def target_size(failure: Failure, reads: Reads) -> TargetSize:
    """The size that the VM had when it was backed up, as the vault's region offers it.

    https://learn.microsoft.com/rest/api/compute/resource-skus/list
    """
    point, listed = reads.both(lambda: chosen_point(failure, reads), lambda: _sizes_in(failure, reads))
    if point is None or not point.vm_size:
        raise Unread(Reason.NO_DATA)
    named = (body for body in listed if str(body.get("name") or "").lower() == point.vm_size.lower())
    return next((_size(body, point) for body in named), TargetSize(point.vm_size, offered=False, zones=point.zones))


def _sizes_in(failure: Failure, reads: Reads) -> list[Any]:
    path, region = (
        f"/subscriptions/{_vault_of(failure).subscription}/providers/Microsoft.Compute/skus",
        vault_region(failure, reads),
    )
    listed = reads.list_all(path, SIZES_API, filter=f"location eq '{region}'")
    return [body for body in listed if str(body.get("resourceType") or "").lower() == "virtualmachines"]


def _size(body: Mapping[str, Any], point: ChosenPoint) -> TargetSize:
    barred = [restriction for restriction in body.get("restrictions") or () if isinstance(restriction, dict)]
    zones = [zone for each in barred for zone in (each.get("restrictionInfo") or {}).get("zones") or ()]
    cores = {str(each.get("name")).lower(): str(each.get("value")) for each in body.get("capabilities") or ()}.get("vcpus", "")
    return TargetSize(
        name=str(body["name"]),
        family=str(body.get("family") or ""),
        cores=int(cores) if cores.isdigit() else None,
        barred=any(str(each.get("type")).lower() == "location" for each in barred),
        barred_zones=tuple(map(str, zones)),
        zones=point.zones,
    )


@fact(
    READ_VM,
    "Microsoft.MarketplaceOrdering/offertypes/publishers/offers/plans/agreements/read",
    source="Microsoft.MarketplaceOrdering",
)
def plan_terms(failure: Failure, reads: Reads) -> PlanTerms | None:
    """The Marketplace plan of the VM and whether its terms are accepted; None for a VM whose image has no plan.

    https://learn.microsoft.com/rest/api/marketplaceordering/marketplace-agreements/get
    """
    plan = whole_vm(failure, reads).get("plan") or {}
    publisher, product, name = (str(plan.get(part) or "") for part in ("publisher", "product", "name"))
    if not (publisher and product and name):
        return None
    place = f"/subscriptions/{_vault_of(failure).subscription}/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine"
    names = [quote(part, safe="") for part in (publisher, product, name)]
    agreement = f"{place}/publishers/{names[0]}/offers/{names[1]}/plans/{names[2]}/agreements/current"
    properties = reads.get(agreement, TERMS_API).get("properties") or {}
    if not isinstance(properties.get("accepted"), bool):
        raise Unread(Reason.NO_DATA)
    return PlanTerms(publisher, product, name, properties["accepted"])


@fact(READ_VM, source=VM_VIEW.partition("?")[0])
def target_group_vms(failure: Failure, reads: Reads) -> tuple[NamedVm, ...]:
    """The VMs of the resource group that is restored into. https://learn.microsoft.com/rest/api/compute/virtual-machines/list"""
    group = restore_request(failure, reads).group
    if not group:
        raise Unread(Reason.NO_DATA)
    path = f"/subscriptions/{_vault_of(failure).subscription}/resourceGroups/{quote(group, safe='')}/providers/Microsoft.Compute/virtualMachines"
    return tuple(
        NamedVm(str(body.get("name") or ""), parse_time((body.get("properties") or {}).get("timeCreated")))
        for body in reads.alone(lambda: reads.list_all(path, COMPUTE_API))
    )


def _vault_of(failure: Failure) -> ResourceId:
    if failure.vault is None:
        raise Unread(Reason.NOT_NAMED)
    return failure.vault
