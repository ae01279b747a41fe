"""restore_point_collection_deleted, storage_account_locked, blob_snapshot_limit_reached, snapshot_rate_exceeded, operation_in_progress,
vault_key_permissions_missing, azure_policy_denies, region_mismatch, vault_quota_exceeded, protection_paused, tenant_moved."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.model import (
    DiskKey,
    DiskSnapshot,
    Extension,
    KeyState,
    KeyVault,
    Reason,
    Unknown,
    VaultKey,
    VaultSettings,
    VaultUsage,
)
from handlers.model.recovery import Protection
from tests.causes.cases import (
    CONFIRMED,
    END,
    FORBIDDEN,
    GOOD_START,
    GROUP,
    LOCK,
    NO_LOGS,
    NOW,
    POSSIBLE,
    RULED_OUT,
    SNAPPED,
    UNKNOWN,
    WINDOW,
    Case,
    Table,
    ago,
    collection,
    done,
    job,
    log,
    opinion_of,
)

STATED = {"states": True, "listed": True}
LISTED, NEITHER = {"states": False, "listed": True}, {"states": False, "listed": False}
LATE = {"now": NOW + timedelta(hours=5), "availability": NO_LOGS}
BEFORE, THEN, AFTER = ago(hours=5), ago(minutes=30), ago(minutes=2)
LONG_AGO = ago(hours=40)
SHORT = log(since=ago(minutes=20))
COLLECTION = collection(2, days_apart=1)

deleted = Table("restore_point_collection_deleted", STATED)
DELETION = done("restorepointcollections/delete", BEFORE, resource=COLLECTION.id.lower())
deleted(
    1,
    CONFIRMED,
    "somebody deleted the collection before the job",
    restore_point_deletions=log(DELETION),
    restore_point_collections=(),
)
deleted(1, CONFIRMED, "its group, under another code", LISTED,
        restore_point_deletions=log(replace(DELETION, operation="subscriptions/resourcegroups/delete", resource=GROUP.lower())))  # fmt: skip
deleted(1, CONFIRMED, "no backup was ever good", {**STATED, "last_good": None}, restore_point_deletions=log(DELETION))
deleted(2, POSSIBLE, "after the job", LISTED, restore_point_deletions=log(replace(DELETION, at=AFTER)))
deleted(2, POSSIBLE, "a good backup ran since", restore_point_deletions=log(replace(DELETION, at=LONG_AGO)))
deleted(2, POSSIBLE, "it is being deleted", restore_point_collections=(replace(COLLECTION, state="Deleting"),))
deleted(3, RULED_OUT, "it is there, and nobody deleted any")
deleted(3, RULED_OUT, "Azure Backup itself deletes old points", restore_point_deletions=log(replace(DELETION, by_backup=True)))
deleted(3, RULED_OUT, "somebody tried, and was not allowed to", restore_point_deletions=log(replace(DELETION, status="Failed")))
deleted(4, UNKNOWN, "the log could not be read", restore_point_deletions=FORBIDDEN)
deleted(4, UNKNOWN, "no collection is there, and the log shows nothing", restore_point_collections=())
deleted(4, UNKNOWN, "the log does not reach back to the last good backup", restore_point_deletions=SHORT)
deleted(
    2,
    POSSIBLE,
    "somebody deleted it, but which backup was good nobody knows",
    {**STATED, "last_good": FORBIDDEN},
    restore_point_deletions=log(DELETION),
)

account = Table("storage_account_locked", STATED)
VHD = ("https://saold.blob.core.windows.net/vhds/os.vhd",)
READ_ONLY = replace(LOCK, level="ReadOnly")
RESTORE = replace(WINDOW["job"], operation="Restore")
account(1, CONFIRMED, "a read-only lock covers it", unmanaged_disks=VHD, storage_account_locks=(READ_ONLY,))
account(1, CONFIRMED, "newer than the last good backup", LISTED, unmanaged_disks=VHD,
        storage_account_locks=(replace(READ_ONLY, created_at=ago(hours=9)),))  # fmt: skip
account(2, POSSIBLE, "backups succeeded with it", LISTED, unmanaged_disks=VHD, storage_account_locks=(READ_ONLY,))
account(2, POSSIBLE, "it only forbids to delete", unmanaged_disks=VHD, storage_account_locks=(LOCK,))
account(3, RULED_OUT, "all disks are managed")
account(3, RULED_OUT, "no lock covers it, and none was removed", unmanaged_disks=VHD)
account(4, UNKNOWN, "locks could not be read", unmanaged_disks=VHD, storage_account_locks=FORBIDDEN)
account(
    4, UNKNOWN, "one was removed since", {**STATED, **LATE}, unmanaged_disks=VHD, lock_changes=log(done("locks/delete", AFTER))
)
account(4, UNKNOWN, "a restore writes to an account that nobody names", {**STATED, "job": RESTORE})
account(4, UNKNOWN, "no job tells what it was", {**STATED, "job": None})

blobs = Table("blob_snapshot_limit_reached", STATED)
REPLICATION = Extension("asr", "Microsoft.Azure.RecoveryServices.SiteRecovery.Windows", state="succeeded")
blobs(1, CONFIRMED, "the code says so, and a disk is unmanaged", unmanaged_disks=VHD)
blobs(1, CONFIRMED, "the code says so, and there are eighteen points", restore_point_collections=(collection(18),))
blobs(2, POSSIBLE, "Site Recovery replicates the VM", extensions=(REPLICATION,))
blobs(3, RULED_OUT, "managed, and two points")
blobs(4, UNKNOWN, "unmanaged, under another code", LISTED, unmanaged_disks=VHD)
blobs(4, UNKNOWN, "the restore points could not be read", restore_point_collections=FORBIDDEN)

rate = Table("snapshot_rate_exceeded", STATED)
SNAPSHOT = DiskSnapshot("nightly", "/d", THEN)
WRITE = done("snapshots/write", THEN, resource="/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/snapshots/nightly")
rate(1, RULED_OUT, "the snapshot of this job was taken", {**STATED, "job": SNAPPED})
rate(2, CONFIRMED, "another one was taken at that time", disk_snapshots=(SNAPSHOT,))
rate(2, CONFIRMED, "not at the last good backup, under another code", LISTED, disk_snapshots=(SNAPSHOT,))
rate(2, CONFIRMED, "in the minute after", disk_snapshots=(replace(SNAPSHOT, created_at=END + timedelta(seconds=30)),))
rate(3, POSSIBLE, "one was taken then that is not there now", snapshot_activity=log(WRITE))
rate(
    3,
    POSSIBLE,
    "at every good backup too",
    NEITHER,
    disk_snapshots=(SNAPSHOT, replace(SNAPSHOT, created_at=GOOD_START)),
)
rate(3, POSSIBLE, "Site Recovery is installed", extensions=(REPLICATION,))
rate(4, RULED_OUT, "nobody else took one")
rate(4, RULED_OUT, "one was taken in the morning", disk_snapshots=(replace(SNAPSHOT, created_at=BEFORE),))
rate(5, UNKNOWN, "the log could not be read", snapshot_activity=FORBIDDEN)
rate(5, UNKNOWN, "the snapshots could not be read", disk_snapshots=FORBIDDEN)
rate(5, UNKNOWN, "snapshots of unmanaged disks leave no trace", unmanaged_disks=VHD)
rate(5, UNKNOWN, "the log begins later", snapshot_activity=SHORT)

other = Table("operation_in_progress", STATED)
RESTORING = job(ago(hours=2), None, "InProgress", operation="Restore")
other(1, CONFIRMED, "a restore was running", other_operations=(RESTORING,))
other(1, CONFIRMED, "one that has ended since, under a code that lists it", LISTED,
      other_operations=(job(ago(hours=2), THEN, operation="Restore"),))  # fmt: skip
other(2, RULED_OUT, "none ran")
other(2, RULED_OUT, "one had ended before", other_operations=(job(ago(hours=3), ago(hours=2), operation="Restore"),))
other(2, RULED_OUT, "one began after", other_operations=(job(AFTER, None, "InProgress", operation="Restore"),))
other(3, UNKNOWN, "the jobs could not be read", other_operations=FORBIDDEN)
other(3, UNKNOWN, "one ran then and at the last good backup too, and nothing ties it to this failure", NEITHER,
      other_operations=(replace(RESTORING, started_at=ago(hours=40)),))  # fmt: skip

own = Table("vault_key_permissions_missing", STATED)
CMK = DiskKey("key", "https://kv.vault.azure.net/keys/cmk/1", "/kv")
KV = KeyVault("/kv", "kv", True, rbac=True, needs=("wrap",), holders=("identity",), changes=log())
WELL_KEY = KeyState("cmk", "key", "1", updated_at=ago(days=90))
WELL = VaultKey(CMK, KV, WELL_KEY, "identity")


def key(**more: Any) -> dict[str, Any]:
    return {"vault_key": replace(WELL, **more)}


def held(**more: Any) -> dict[str, Any]:
    return {"vault_key": replace(WELL, key_vault=replace(KV, **more))}


STRANGER = {"holders": ("somebody",)}
own(1, CONFIRMED, "the identity lacks the rights", **held(**STRANGER))
own(1, CONFIRMED, "the key was disabled before", **key(key=KeyState("cmk", "key", "1", enabled=False, updated_at=BEFORE)))
own(1, CONFIRMED, "the key vault was deleted before", **held(found=False, deleted_at=BEFORE))
own(1, CONFIRMED, "a firewall keeps it away", **held(firewalled=True))
own(1, POSSIBLE, "rights were changed after the job", **held(**STRANGER, changes=log(done("vaults/write", AFTER))))
own(1, POSSIBLE, "disabled after the job", **key(key=KeyState("cmk", "key", "1", enabled=False, updated_at=AFTER)))
own(1, POSSIBLE, "the key has expired: what it wrapped can still be read", **key(key=replace(WELL_KEY, expires_at=BEFORE)))
own(2, RULED_OUT, "Azure's own keys encrypt the vault")
own(2, RULED_OUT, "rights and key are well, and were", **key())
own(3, UNKNOWN, "the settings of the vault could not be read", vault_key=FORBIDDEN)
own(3, UNKNOWN, "the key vault could not be read", **held(unread=FORBIDDEN))
own(3, UNKNOWN, "roles could not be read", **held(holders=(), holders_unread=FORBIDDEN))
own(3, UNKNOWN, "the key could not be read", **key(key=KeyState("cmk", "key", "1", unread=FORBIDDEN)))
own(3, UNKNOWN, "the vault does not say which identity it uses", **key(identity=""))
own(3, UNKNOWN, "a group holds the rights, and nobody knows who is in it", **held(holders=("group",), groups=("group",)))
own(3, UNKNOWN, "well now, and written since", {**STATED, **LATE}, **held(changes=log(done("vaults/write", AFTER))))

denied = Table("azure_policy_denies", STATED)
DENIAL = done("policies/deny", THEN, resource=GROUP.lower())
denied(1, CONFIRMED, "the group was denied while the job ran", policy_denials=log(DENIAL))
denied(1, CONFIRMED, "under a code that lists it", LISTED, policy_denials=log(DENIAL))
denied(2, POSSIBLE, "in the morning", policy_denials=log(replace(DENIAL, at=BEFORE)))
denied(2, POSSIBLE, "as at the last good backup", NEITHER, policy_denials=log(DENIAL, replace(DENIAL, at=GOOD_START)))
denied(3, RULED_OUT, "nothing was denied", LISTED)
denied(4, UNKNOWN, "the log could not be read", policy_denials=FORBIDDEN)
denied(4, UNKNOWN, "the log begins later", policy_denials=SHORT)

region = Table("region_mismatch", STATED)
region(1, CONFIRMED, "another region", vault_region="northeurope")
region(
    1,
    POSSIBLE,
    "another region, but the VM was made since",
    vault_region="northeurope",
    vm=replace(WINDOW["vm"], created_at=AFTER),
)
region(1, POSSIBLE, "another region, under a code that does not list it", NEITHER, vault_region="northeurope")
region(2, RULED_OUT, "the same, otherwise spelled", vault_region="West Europe")
region(3, UNKNOWN, "the vault could not be read", vault_region=FORBIDDEN)
region(3, UNKNOWN, "the VM could not be read", vm=FORBIDDEN)
region(3, UNKNOWN, "the same, but the VM was made since", vm=replace(WINDOW["vm"], created_at=AFTER))

quota = Table("vault_quota_exceeded", STATED)
quota(1, CONFIRMED, "a thousand VMs", vault_usage=VaultUsage(1_000, 1_000))
quota(1, CONFIRMED, "two thousand data sources", vault_usage=VaultUsage(10, 2_000))
quota(1, POSSIBLE, "full, but five hours later", {**STATED, **LATE}, vault_usage=VaultUsage(1_000, 1_000))
quota(1, POSSIBLE, "nearly full", vault_usage=VaultUsage(960, 960))
quota(2, RULED_OUT, "twelve")
quota(3, UNKNOWN, "the counts could not be read", vault_usage=FORBIDDEN)
quota(3, UNKNOWN, "one count is not told", vault_usage=VaultUsage(12))
quota(3, UNKNOWN, "twelve, but five hours later", {**STATED, **LATE})

paused = Table("protection_paused", STATED)
ITEM = "vaults/backupfabrics/protectioncontainers/protecteditems"
STOPPED = Protection("ProtectionStopped")
paused(1, CONFIRMED, "stopped before", protection=STOPPED, vault_activity=log(done(f"{ITEM}/write", BEFORE)))
paused(1, CONFIRMED, "deleted, and kept by soft delete", protection=replace(STOPPED, deferred_delete=True))
paused(1, CONFIRMED, "suspended, under a code that lists it", LISTED, protection=Protection("BackupsSuspended"))
paused(2, POSSIBLE, "stopped after the job", protection=STOPPED, vault_activity=log(done(f"{ITEM}/write", AFTER)))
paused(2, POSSIBLE, "stopped, and the log could not be read", protection=STOPPED, vault_activity=FORBIDDEN)
paused(2, POSSIBLE, "the vault does not know the item", protection=Unknown(Reason.NOT_FOUND))
paused(3, RULED_OUT, "protected all the time")
paused(3, RULED_OUT, "its first backup is due", protection=Protection("IRPending"))
paused(4, UNKNOWN, "the item could not be read", protection=FORBIDDEN)
paused(4, UNKNOWN, "resumed after the job", {**STATED, **LATE}, vault_activity=log(done(f"{ITEM}/write", AFTER)))
paused(4, UNKNOWN, "a state without a meaning", protection=Protection("ProtectionError"))

tenant = Table("tenant_moved", STATED)
OLD = VaultSettings(tenant_id="old")
tenant(1, CONFIRMED, "the vault's identity is of another tenant", vault_settings=OLD)
tenant(1, CONFIRMED, "under a code that lists it", LISTED, vault_settings=OLD)
tenant(1, POSSIBLE, "read five hours later", {**STATED, **LATE}, vault_settings=OLD)
tenant(2, RULED_OUT, "the same tenant, and nobody changed the vault")
tenant(3, UNKNOWN, "the vault has no identity of its own", vault_settings=VaultSettings())
tenant(3, UNKNOWN, "the subscription could not be read", subscription_tenant=FORBIDDEN)
tenant(3, UNKNOWN, "the vault could not be read", vault_settings=FORBIDDEN)
tenant(3, UNKNOWN, "the vault's identity may be a new one", vault_activity=log(done("vaults/write", BEFORE)))
tenant(3, UNKNOWN, "what was done to the vault could not be read", vault_activity=FORBIDDEN)

TABLES = [deleted, account, blobs, rate, other, own, denied, region, quota, paused, tenant]
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line


def test_the_key_of_a_vault_is_shown_with_what_is_wrong_with_it() -> None:
    assert str(WELL) == "kv/cmk: key cmk: enabled"
    assert str(replace(WELL, identity="other")) == "kv/cmk: key cmk: enabled, wrapKey/unwrapKey: missing"
    assert str(replace(WELL, key_vault=replace(KV, found=False))) == "kv/cmk: kv: missing"
