"""The decision tables of failed restores: restore_sku_unavailable, restore_quota, restore_target_storage, restore_name_conflict,
restore_snapshot_missing, restore_marketplace_plan, restore_olr_unsupported, restore_cross_subscription."""

from __future__ import annotations

from copy import replace
from typing import Any

import pytest

from handlers.model import Disk, Lock, RestorePoint
from handlers.model.restore import ChosenPoint, NamedVm, PlanTerms, RestoreRequest, StorageAccount, TargetSize, Usage
from tests.causes.cases import (
    CONFIRMED,
    END,
    FAILED,
    FORBIDDEN,
    NOW,
    POSSIBLE,
    RULED_OUT,
    START,
    UNKNOWN,
    Case,
    Table,
    ago,
    collection,
    opinion_of,
)

RESTORE = replace(FAILED, operation="Restore", tasks=())
STATED = {"job": RESTORE, "states": True, "listed": True}
LISTED = {**STATED, "states": False}
LATER = {"now": ago(minutes=-90)}
MUCH_LATER = {"now": ago(hours=-5)}
POINT = ChosenPoint(ago(days=1), ("InstantRP", "HardenedRP"), "Standard_D2s_v5", (), False, True, "", 0)
ACCOUNT = StorageAccount(
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/sarestore",
    "westeurope",
    "Allow",
    "Enabled",
    ago(days=90),
)
SIZE = TargetSize("Standard_D2s_v5", family="standardDSv5Family", cores=2)
ROOM = (Usage("cores", 8, 100), Usage("standardDSv5Family", 4, 50), Usage("StandardDiskCount", 3, 1000))
FULL = (Usage("cores", 99, 100), *ROOM[1:])
PLAN = PlanTerms("contoso", "appliance", "byol", accepted=True)
REFUSED = replace(PLAN, accepted=False)
OTHER = NamedVm("vm-web-01", ago(days=30))
REQUEST = RestoreRequest("Recover virtual machine", POINT.at, "sarestore", "rg-target", ("rg-target", "vm-web-01"))

sku = Table("restore_sku_unavailable", STATED)
sku(1, CONFIRMED, "restricted in the region", target_size=replace(SIZE, barred=True))
sku(1, CONFIRMED, "not offered in the region", target_size=replace(SIZE, offered=False))
sku(1, CONFIRMED, "restricted in the zone of the VM", target_size=replace(SIZE, zones=("2",), barred_zones=("1", "2")))
sku(1, CONFIRMED, "read an hour and a half later, and the code says so", LATER, target_size=replace(SIZE, barred=True))
sku(
    1,
    POSSIBLE,
    "read an hour and a half later, and the code only lists it",
    {**LISTED, **LATER},
    target_size=replace(SIZE, barred=True),
)
sku(1, POSSIBLE, "read much later", MUCH_LATER, target_size=replace(SIZE, barred=True))
sku(2, RULED_OUT, "no restriction", target_size=SIZE)
sku(2, RULED_OUT, "restricted in another zone", target_size=replace(SIZE, zones=("2",), barred_zones=("1",)))
sku(2, RULED_OUT, "restricted in a zone, and the VM has none", target_size=replace(SIZE, barred_zones=("1",)))
sku(3, UNKNOWN, "no restriction an hour and a half later", LATER, target_size=SIZE)
sku(3, UNKNOWN, "the sizes may not be read", target_size=FORBIDDEN)

quota = Table("restore_quota", STATED)
quota(1, CONFIRMED, "all cores of the region", compute_usage=FULL, target_size=SIZE)
quota(1, CONFIRMED, "the cores of the family", compute_usage=(ROOM[0], Usage("standardDSv5Family", 49, 50)), target_size=SIZE)
quota(1, CONFIRMED, "all cores are used, whatever the size is", compute_usage=(Usage("cores", 100, 100),), target_size=FORBIDDEN)
quota(1, POSSIBLE, "read much later", MUCH_LATER, compute_usage=FULL, target_size=SIZE)
quota(
    1,
    POSSIBLE,
    "the disks of a kind, which may be another kind",
    compute_usage=(*ROOM[:2], Usage("PremiumDiskCount", 9, 9)),
    target_size=SIZE,
)
quota(2, RULED_OUT, "room for all", compute_usage=ROOM, target_size=SIZE)
quota(3, UNKNOWN, "room an hour and a half later", LATER, compute_usage=ROOM, target_size=SIZE)
quota(3, UNKNOWN, "room in all, and the size is not known", compute_usage=ROOM, target_size=FORBIDDEN)
quota(3, UNKNOWN, "the quotas may not be read", compute_usage=FORBIDDEN, target_size=SIZE)

NOT_FOUND = {**STATED, "code": "UserErrorBCMRestoreStorageAccountNotFound"}
CLOSED = {**STATED, "code": "UserErrorNetworkAclSANotSupported"}
LOCKED = {**LISTED, "code": "UserErrorStorageAccountIsLocked"}
LOCK = Lock("/l", "keep", "ReadOnly", "/subscriptions/s/resourceGroups/rg", created_at=ago(days=9))
WELL: dict[str, Any] = {
    "restore_request": REQUEST,
    "target_storage": ACCOUNT,
    "target_storage_locks": (),
    "vault_region": "westeurope",
}
storage = Table("restore_target_storage", NOT_FOUND)
storage(1, CONFIRMED, "the subscription has none", **{**WELL, "target_storage": None})
storage(1, CONFIRMED, "it was made since", **{**WELL, "target_storage": replace(ACCOUNT, created_at=ago(minutes=10))})
storage(1, CONFIRMED, "another region", CLOSED, **{**WELL, "vault_region": "northeurope"})
storage(1, CONFIRMED, "a read-only lock that was there before", LOCKED, **{**WELL, "target_storage_locks": (LOCK,)})
storage(1, CONFIRMED, "its firewall", CLOSED, **{**WELL, "target_storage": replace(ACCOUNT, network="Deny")})
storage(1, CONFIRMED, "no public access", CLOSED, **{**WELL, "target_storage": replace(ACCOUNT, public_access="Disabled")})
storage(
    1,
    POSSIBLE,
    "a lock that was made since",
    LOCKED,
    **{**WELL, "target_storage_locks": (replace(LOCK, created_at=ago(minutes=3)),)},
)
storage(
    1,
    POSSIBLE,
    "a firewall, and the code says that it was not found",
    **{**WELL, "target_storage": replace(ACCOUNT, network="Deny")},
)
storage(1, POSSIBLE, "the subscription has none much later", MUCH_LATER, **{**WELL, "target_storage": None})
storage(2, RULED_OUT, "there, open, in the vault's region", **WELL)
storage(2, RULED_OUT, "a lock against deletion only", **{**WELL, "target_storage_locks": (replace(LOCK, level="CanNotDelete"),)})
storage(3, UNKNOWN, "all is well an hour and a half later", LATER, **WELL)
storage(3, UNKNOWN, "the accounts may not be read", **{**WELL, "target_storage": FORBIDDEN})
storage(3, UNKNOWN, "the locks may not be read", **{**WELL, "target_storage_locks": FORBIDDEN})
storage(3, UNKNOWN, "the vault's region may not be read", **{**WELL, "vault_region": FORBIDDEN})

name = Table("restore_name_conflict", STATED)
name(1, CONFIRMED, "the job's details name it", restore_request=REQUEST, target_group_vms=(OTHER,))
name(
    1,
    CONFIRMED,
    "the message names it",
    {"message": "The VM 'vm-web-01' already exists."},
    restore_request=FORBIDDEN,
    target_group_vms=(OTHER,),
)
name(1, POSSIBLE, "it was made since", restore_request=REQUEST, target_group_vms=(replace(OTHER, created_at=ago(minutes=4)),))
name(2, RULED_OUT, "the group has no VM", restore_request=REQUEST, target_group_vms=())
name(3, UNKNOWN, "the job names none of them", restore_request=replace(REQUEST, told=()), target_group_vms=(OTHER,))
name(3, UNKNOWN, "no VM an hour and a half later", LATER, restore_request=REQUEST, target_group_vms=())
name(3, UNKNOWN, "the group may not be read", restore_request=REQUEST, target_group_vms=FORBIDDEN)

MADE = replace(collection(0), points=(RestorePoint("p", POINT.at),))
snapshot = Table("restore_snapshot_missing", STATED)
snapshot(
    1,
    CONFIRMED,
    "its snapshot tier is not valid",
    chosen_point=replace(POINT, tiers=("HardenedRP",)),
    restore_point_collections=(MADE,),
)
snapshot(1, CONFIRMED, "the vault lists no such point", chosen_point=None, restore_point_collections=())
snapshot(1, CONFIRMED, "the restore point is gone", chosen_point=POINT, restore_point_collections=(collection(2),))
snapshot(
    1,
    POSSIBLE,
    "its snapshot tier is not valid much later",
    MUCH_LATER,
    chosen_point=replace(POINT, tiers=()),
    restore_point_collections=(MADE,),
)
snapshot(2, RULED_OUT, "valid, and there", MUCH_LATER, chosen_point=POINT, restore_point_collections=(MADE,))
snapshot(3, UNKNOWN, "the collections may not be read", chosen_point=POINT, restore_point_collections=FORBIDDEN)
snapshot(3, UNKNOWN, "the point may not be read", chosen_point=FORBIDDEN, restore_point_collections=(MADE,))

plan = Table("restore_marketplace_plan", STATED)
plan(1, CONFIRMED, "its terms are not accepted", plan_terms=REFUSED)
plan(1, POSSIBLE, "they are not accepted much later", MUCH_LATER, plan_terms=REFUSED)
plan(2, RULED_OUT, "the VM has no plan", MUCH_LATER, plan_terms=None)
plan(2, RULED_OUT, "its terms are accepted", plan_terms=PLAN)
plan(3, UNKNOWN, "its terms are accepted an hour and a half later", LATER, plan_terms=PLAN)
plan(3, UNKNOWN, "Azure knows no agreement", plan_terms=FORBIDDEN)

THERE: dict[str, Any] = {"vm_presence": "present", "chosen_point": POINT, "disks": (Disk("os"),)}
olr = Table("restore_olr_unsupported", STATED)
for feature in ({"encrypted": True}, {"managed": False}, {"disks_left_out": 1}):
    olr(1, CONFIRMED, f"the point: {feature}", MUCH_LATER, **{**THERE, "chosen_point": replace(POINT, **feature)})
olr(1, CONFIRMED, "the VM is gone", **{**THERE, "vm_presence": "missing", "disks": FORBIDDEN})
olr(1, CONFIRMED, "a disk with Write Accelerator", **{**THERE, "disks": (Disk("os"), Disk("d", write_accelerated=True))})
olr(1, CONFIRMED, "an unmanaged disk", **{**THERE, "disks": (Disk("os", managed=False),)})
olr(1, POSSIBLE, "the VM is gone much later", MUCH_LATER, **{**THERE, "vm_presence": "missing", "disks": ()})
olr(
    1,
    CONFIRMED,
    "the VM is gone, whatever the point has",
    **{**THERE, "vm_presence": "missing", "chosen_point": FORBIDDEN, "disks": ()},
)
olr(2, RULED_OUT, "nothing forbids it", **THERE)
olr(3, UNKNOWN, "nothing forbids it an hour and a half later", LATER, **THERE)
olr(3, UNKNOWN, "the point may not be read", **{**THERE, "chosen_point": FORBIDDEN})
olr(3, UNKNOWN, "the disks may not be read", **{**THERE, "disks": FORBIDDEN})
olr(3, UNKNOWN, "the point does not say what its disks were", **{**THERE, "chosen_point": replace(POINT, disks_left_out=None)})


def rule(name: str) -> dict[str, Any]:
    return {**STATED, "code": f"UserErrorCrossSubscriptionRestore{name}"}


SNAPSHOT, ENCRYPTED = rule("NotSuppportedFromSnapshot"), rule("NotSuppportedForEncryptedAzureVM")
across = Table("restore_cross_subscription", SNAPSHOT)
across(1, CONFIRMED, "only a snapshot", chosen_point=replace(POINT, tiers=("InstantRP",)))
across(1, CONFIRMED, "encrypted, read much later", {**ENCRYPTED, **MUCH_LATER}, chosen_point=replace(POINT, encrypted=True))
across(1, CONFIRMED, "unmanaged disks", rule("NotSuppportedForUnManagedAzureVM"), chosen_point=replace(POINT, managed=False))
across(
    1,
    CONFIRMED,
    "Trusted Launch",
    rule("NotSuppportedForTrustedLaunchAzureVM"),
    chosen_point=replace(POINT, security="TrustedLaunch"),
)
across(
    1,
    CONFIRMED,
    "a cross-region restore",
    {**rule("NotSuppportedForCRR"), "job": replace(RESTORE, operation="CrossRegionRestore")},
    chosen_point=FORBIDDEN,
)
across(1, POSSIBLE, "only a snapshot much later", MUCH_LATER, chosen_point=replace(POINT, tiers=("InstantRP",)))
across(2, RULED_OUT, "in the vault too", chosen_point=POINT)
across(2, RULED_OUT, "not encrypted", ENCRYPTED, chosen_point=POINT)
across(3, UNKNOWN, "in the vault too an hour and a half later", LATER, chosen_point=POINT)
across(3, UNKNOWN, "the target subscription is not known", rule("InvalidTenant"), chosen_point=POINT)
across(3, UNKNOWN, "the point is not listed", chosen_point=None)
across(3, UNKNOWN, "the point may not be read", chosen_point=FORBIDDEN)

CASES: list[Case] = [case for table in (sku, quota, storage, name, snapshot, plan, olr, across) for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_gives_its_verdict(case: Case) -> None:
    assert opinion_of(case).verdict is case.verdict


def test_the_healthy_restore_ended_a_moment_before_its_target_was_read() -> None:
    assert START < END < NOW
