"""disk_count_exceeded, shared_disk, disk_type_unsupported, disk_exclusion_encrypted, disk_encryption_mode_mixed, disk_not_allocated,
write_accelerator_disk, classic_storage, premium_storage_full."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.model import Disk, DiskSelection, Extension, Reason, StorageAccount, Unknown, UsedCapacity
from tests.causes.cases import (
    AGENTLESS,
    CONFIRMED,
    ENHANCED,
    FORBIDDEN,
    NO_LOGS,
    NOW,
    OS_DISK,
    POSSIBLE,
    RULED_OUT,
    START,
    UNKNOWN,
    Case,
    Table,
    ago,
    done,
    log,
    opinion_of,
)

STATED, LISTED = {"states": True, "listed": True}, {"listed": True}
LATE = {"now": NOW + timedelta(hours=5), "availability": NO_LOGS}
JUST_WRITTEN = {"activity": log(done("write", ago(hours=9)))}
"""The VM was changed since the last good backup, and before the job."""
SINCE = {"activity": log(done("write", ago(minutes=2)))}
"""It was changed after the job."""


def data(lun: int = 0, **more: Any) -> Disk:
    return replace(OS_DISK, **{"name": f"data{lun}", "id": f"/d{lun}", "lun": lun, **more})


def disks(*found: Disk) -> tuple[Disk, ...]:
    return (OS_DISK, *found)


UNREAD = data(9, unread=FORBIDDEN, sku="", provisioning="")
WRITTEN = log(done("disks/write", ago(minutes=2), resource="/d0"))

count = Table("disk_count_exceeded", STATED)


def many(number: int, **more: Any) -> tuple[Disk, ...]:
    return disks(*(data(lun, **more) for lun in range(number)))


count(1, CONFIRMED, "33 data disks", attached_disks=many(33))
count(1, CONFIRMED, "17 unmanaged ones", attached_disks=many(17, managed=False, id=""))
count(1, CONFIRMED, "32 data disks and the OS disk, and the code says that it is too many", attached_disks=many(32))
count(
    1,
    CONFIRMED,
    "33, and backups succeeded before the last were attached",
    LISTED | JUST_WRITTEN | {"states": False},
    attached_disks=many(33),
)
count(1, POSSIBLE, "33, as when backups succeeded", LISTED | {"states": False}, attached_disks=many(33))
count(1, POSSIBLE, "disks were attached after the job", STATED | LATE | SINCE, attached_disks=many(33))
count(2, RULED_OUT, "one disk")
count(2, RULED_OUT, "31 data disks", attached_disks=many(31))
count(3, UNKNOWN, "the VM could not be read", attached_disks=FORBIDDEN)
count(3, UNKNOWN, "32 data disks, and another code", {"states": False}, attached_disks=many(32))
count(3, UNKNOWN, "33, some of them excluded", attached_disks=(*many(30), *(data(lun, excluded=True) for lun in (30, 31, 32))))
count(3, UNKNOWN, "a disk was detached after the job", STATED | LATE | SINCE)

shared = Table("shared_disk", STATED)
SHARED_DISK = data(max_shares=2)
EXCLUDED = replace(SHARED_DISK, excluded=True)
shared(1, CONFIRMED, "two VMs can attach it", disks=disks(SHARED_DISK))
shared(
    1,
    CONFIRMED,
    "it was attached since the last good backup",
    LISTED | JUST_WRITTEN | {"states": False},
    disks=disks(SHARED_DISK),
)
shared(1, CONFIRMED, "another disk could not be had", disks=disks(SHARED_DISK, UNREAD))
shared(1, POSSIBLE, "backups succeeded with it", LISTED | {"states": False}, disks=disks(SHARED_DISK))
shared(1, POSSIBLE, "it was written after the job", STATED | LATE, disks=disks(SHARED_DISK), disk_activity=WRITTEN)
shared(
    1,
    POSSIBLE,
    "the list of excluded disks could not be had",
    disks=disks(replace(SHARED_DISK, excluded=None)),
    disk_selection=FORBIDDEN,
)
shared(2, RULED_OUT, "none is shared")
shared(2, RULED_OUT, "none is shared, whatever is excluded", disks=disks(data(excluded=None)), disk_selection=FORBIDDEN)
shared(3, UNKNOWN, "a disk could not be read", disks=disks(UNREAD))
shared(3, UNKNOWN, "the only one is excluded", disks=disks(EXCLUDED), disk_selection=DiskSelection(luns=(0,)))
shared(3, UNKNOWN, "none is, and a disk was written after the job", STATED | LATE, disk_activity=WRITTEN)
shared(3, UNKNOWN, "none is, and what was done to the disks could not be read", STATED | LATE, disk_activity=FORBIDDEN)

kind = Table("disk_type_unsupported", STATED)
ULTRA, V2 = data(sku="UltraSSD_LRS"), data(sku="PremiumV2_LRS")
EPHEMERAL = replace(OS_DISK, ephemeral=True, id="")
kind(1, CONFIRMED, "an Ultra disk with a Standard policy", disks=disks(ULTRA))
kind(1, CONFIRMED, "Premium SSD v2 with crash-consistent snapshots only", disks=disks(V2), snapshot_policy=AGENTLESS)
kind(1, CONFIRMED, "an ephemeral OS disk, with whatever policy", disks=(EPHEMERAL,), snapshot_policy=ENHANCED)
kind(1, CONFIRMED, "an ephemeral OS disk, and the policy could not be had", disks=(EPHEMERAL,), snapshot_policy=FORBIDDEN)
kind(1, POSSIBLE, "an Ultra disk, and backups succeeded with it", LISTED | {"states": False}, disks=disks(ULTRA))
kind(1, POSSIBLE, "an Ultra disk, and the policy was read hours later", STATED | LATE, disks=disks(ULTRA))
kind(2, RULED_OUT, "Premium SSD with a Standard policy")
kind(2, RULED_OUT, "an Ultra disk with an Enhanced policy", disks=disks(ULTRA), snapshot_policy=ENHANCED)
kind(2, RULED_OUT, "Premium SSD, and the policy could not be had", snapshot_policy=FORBIDDEN)
kind(3, UNKNOWN, "a disk could not be read", disks=disks(UNREAD))
kind(3, UNKNOWN, "the policy could not be read, and an Ultra disk is there", disks=disks(ULTRA), snapshot_policy=FORBIDDEN)
kind(3, UNKNOWN, "the Ultra disk is excluded", disks=disks(replace(ULTRA, excluded=True)))

excluding = Table("disk_exclusion_encrypted", STATED)
CHOSEN, ADE = DiskSelection(luns=(0,)), replace(OS_DISK, ade_encrypted=True, ade_version="1.1")
excluding(1, CONFIRMED, "a disk is excluded, and the OS disk is encrypted", disk_selection=CHOSEN, disks=(ADE,))
excluding(1, CONFIRMED, "only the OS disk is backed up", disk_selection=DiskSelection(included=True), disks=(ADE,))
excluding(1, POSSIBLE, "read hours later: when was the list made?", STATED | LATE, disk_selection=CHOSEN, disks=(ADE,))
excluding(2, RULED_OUT, "nothing is excluded", disks=(ADE,))
excluding(2, RULED_OUT, "no disk is encrypted", disk_selection=CHOSEN)
excluding(2, RULED_OUT, "nothing is excluded, and no disk could be had", disks=FORBIDDEN)
excluding(3, UNKNOWN, "the list of excluded disks could not be read", disk_selection=FORBIDDEN, disks=(ADE,))
excluding(3, UNKNOWN, "a disk could not be read", disk_selection=CHOSEN, disks=disks(UNREAD))
excluding(3, UNKNOWN, "nothing is excluded, hours later", STATED | LATE, disks=(ADE,))

mixed = Table("disk_encryption_mode_mixed", STATED)
WITH_APP = data(ade_encrypted=True, ade_version="1.0")
OLD_EXTENSION = Extension("AzureDiskEncryption", "Microsoft.Azure.Security.AzureDiskEncryption", "1.1.0.4", "succeeded")
mixed(1, CONFIRMED, "one disk with an Entra app, one without", disks=(ADE, WITH_APP))
mixed(
    1, CONFIRMED, "the disks say without, the extension is the one with an Entra app", disks=(ADE,), extensions=(OLD_EXTENSION,)
)
mixed(1, CONFIRMED, "the same on Linux", disks=(ADE,), extensions=(
    replace(OLD_EXTENSION, handler="Microsoft.Azure.Security.AzureDiskEncryptionForLinux", version="0.1.0.999"),))  # fmt: skip
mixed(1, POSSIBLE, "a disk was written after the job", STATED | LATE, disks=(ADE, WITH_APP), disk_activity=WRITTEN)
mixed(2, RULED_OUT, "all without", disks=(ADE, data(ade_encrypted=True, ade_version="1.1")))
mixed(2, RULED_OUT, "all with an Entra app, and the extension too", disks=(WITH_APP,), extensions=(OLD_EXTENSION,))
mixed(3, UNKNOWN, "a disk could not be read", disks=(ADE, UNREAD))
mixed(3, UNKNOWN, "a disk does not say", disks=(ADE, replace(WITH_APP, ade_version="")))
mixed(3, UNKNOWN, "no disk is encrypted any more")

allocated = Table("disk_not_allocated", LISTED)
FAILED_DISK = data(status="failed", status_at=ago(hours=2))
allocated(1, CONFIRMED, "the VM's view says so since before the job", disks=disks(FAILED_DISK))
allocated(1, CONFIRMED, "the disk itself says so, and nothing was done since", disks=disks(data(provisioning="Failed")))
allocated(2, POSSIBLE, "since two minutes ago", disks=disks(replace(FAILED_DISK, status_at=ago(minutes=2))))
allocated(2, POSSIBLE, "the disk itself says so, hours later", LISTED | LATE, disks=disks(data(provisioning="Updating")))
allocated(3, RULED_OUT, "all of them for a month")
allocated(3, RULED_OUT, "the one that is not is excluded", disks=disks(replace(FAILED_DISK, excluded=True)))
allocated(4, UNKNOWN, "a disk could not be read", disks=disks(UNREAD))
allocated(4, UNKNOWN, "the VM's view has no time", disks=disks(data(status_at=None)))
allocated(4, UNKNOWN, "since the middle of the job", disks=disks(data(status_at=START + timedelta(minutes=5))))

accelerated = Table("write_accelerator_disk", STATED)
WA = data(write_accelerated=True)
accelerated(1, CONFIRMED, "the code says so, and a disk has it", attached_disks=disks(WA))
accelerated(2, POSSIBLE, "a disk has it, under another code", {"states": False}, attached_disks=disks(WA))
accelerated(2, POSSIBLE, "a disk has it, and the VM was changed after the job", STATED | LATE | SINCE, attached_disks=disks(WA))
accelerated(3, RULED_OUT, "no disk has it")
accelerated(4, UNKNOWN, "the VM could not be read", attached_disks=FORBIDDEN)
accelerated(4, UNKNOWN, "the only one is excluded", attached_disks=disks(replace(WA, excluded=True)))

classic = Table("classic_storage", STATED)
UNMANAGED = Disk("os", managed=False, account="saold")
CLASSIC, OF_ARM = StorageAccount("saold", "/a", "Microsoft.ClassicStorage"), StorageAccount("saold", "/a", "Microsoft.Storage")
classic(1, CONFIRMED, "its account is classic", attached_disks=(UNMANAGED,), storage_accounts=(CLASSIC,))
classic(
    1,
    POSSIBLE,
    "its account is classic, as when backups succeeded",
    {"states": False},
    attached_disks=(UNMANAGED,),
    storage_accounts=(CLASSIC,),
)
classic(2, RULED_OUT, "managed disks")
classic(2, RULED_OUT, "its account is one of Resource Manager", attached_disks=(UNMANAGED,), storage_accounts=(OF_ARM,))
classic(3, UNKNOWN, "the accounts could not be read", attached_disks=(UNMANAGED,), storage_accounts=FORBIDDEN)
classic(
    3,
    UNKNOWN,
    "the account is not shown to the app, so it could not be read",
    attached_disks=(UNMANAGED,),
    storage_accounts=(StorageAccount("saold"),),
)
classic(3, UNKNOWN, "managed disks, and the VM was changed after the job", STATED | LATE | SINCE)

full = Table("premium_storage_full", STATED)


def held(tib: float, at: Any = START) -> tuple[UsedCapacity, ...]:
    return (UsedCapacity("saold", at, tib),)


full(1, CONFIRMED, "30 TiB of 35 used while the job ran", attached_disks=(UNMANAGED,), used_capacity=held(30))
full(2, RULED_OUT, "managed disks")
full(2, RULED_OUT, "3 TiB used while the job ran", attached_disks=(UNMANAGED,), used_capacity=held(3))
full(3, UNKNOWN, "the capacity could not be read", attached_disks=(UNMANAGED,), used_capacity=FORBIDDEN)
full(3, UNKNOWN, "Azure has no value", attached_disks=(UNMANAGED,), used_capacity=Unknown(Reason.NO_DATA))
full(3, UNKNOWN, "the only value is of the day before", attached_disks=(UNMANAGED,), used_capacity=held(30, ago(days=1)))

TABLES = (count, shared, kind, excluding, mixed, allocated, accelerated, classic, full)
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line
