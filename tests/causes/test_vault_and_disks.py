"""restore_point_group_locked, restore_point_limit_reached, too_many_backups, disk_sas_outstanding, backup_in_progress, transfer_slow,
disk_too_large, key_vault_permissions_missing, key_from_certificate, encryption_key_unreachable."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.model import Disk, DiskKey, EncryptionSet, Extension, Job, KeyState, KeyVault, Lock, Reason, SnapshotPolicy, Unknown
from tests.causes.cases import (
    CONFIRMED,
    ENHANCED,
    FORBIDDEN,
    GROUP,
    LOCK,
    NO_LOGS,
    NOW,
    POSSIBLE,
    RULED_OUT,
    SNAPPED,
    START,
    UNKNOWN,
    WITHOUT_TASKS,
    Case,
    Table,
    ago,
    collection,
    done,
    job,
    log,
    opinion_of,
)

STATED, LISTED = {"states": True, "listed": True}, {"listed": True}
LIMIT = {"code": "UserErrorRpCollectionLimitReached", "listed": True}
LIMIT_STATED = {**LIMIT, "states": True}
NEVER_GOOD = {"last_good": None}
LATE = {"now": NOW + timedelta(hours=5), "availability": NO_LOGS}
AFTER = ago(minutes=2)

locked = Table("restore_point_group_locked", LISTED)
locked(1, CONFIRMED, "the code speaks of too many points, however old the lock is", LIMIT, restore_point_group_locks=(LOCK,))
locked(1, CONFIRMED, "the code speaks of a lock", STATED, restore_point_group_locks=(LOCK,))
locked(
    2,
    CONFIRMED,
    "twenty points where the policy explains five",
    restore_point_group_locks=(LOCK,),
    restore_point_collections=(collection(20),),
)
locked(
    2,
    CONFIRMED,
    "a point that should have gone a month ago",
    restore_point_group_locks=(LOCK,),
    restore_point_collections=(collection(3, days_apart=15),),
)
locked(
    3,
    CONFIRMED,
    "read-only, and newer than the last good backup",
    restore_point_group_locks=(replace(LOCK, level="ReadOnly", created_at=ago(hours=9)),),
)
locked(4, POSSIBLE, "a lock of last year, few points, an unrelated code", restore_point_group_locks=(LOCK,))
locked(
    4,
    POSSIBLE,
    "an unknown code",
    {"listed": False},
    restore_point_group_locks=(LOCK,),
    restore_point_collections=(collection(20),),
)
locked(4, POSSIBLE, "made while the job ran", LIMIT, restore_point_group_locks=(replace(LOCK, created_at=ago(minutes=30)),))
locked(4, POSSIBLE, "an Enhanced policy explains forty-two points", restore_point_group_locks=(LOCK,),
       restore_point_collections=(collection(42),), snapshot_policy=ENHANCED)  # fmt: skip
locked(5, UNKNOWN, "locks may not be read", LIMIT, restore_point_group_locks=FORBIDDEN)
locked(5, UNKNOWN, "no collection of the VM is there", LIMIT, restore_point_group_locks=Unknown(Reason.NO_DATA))
locked(5, UNKNOWN, "one was removed after the job", {**LIMIT, **LATE}, lock_changes=log(done("locks/delete", AFTER), since=START))
locked(5, UNKNOWN, "none now, read late, and the log may not be read", {**LIMIT, **LATE}, lock_changes=FORBIDDEN)
locked(6, RULED_OUT, "none covers it, and none was removed")
locked(6, RULED_OUT, "one was made after the job", LIMIT, restore_point_group_locks=(replace(LOCK, created_at=AFTER),))

limit = Table("restore_point_limit_reached", LISTED)
limit(1, CONFIRMED, "the code says so, and there are eighteen", LIMIT_STATED, restore_point_collections=(collection(18),))
limit(1, CONFIRMED, "over all collections", LIMIT_STATED, restore_point_collections=(collection(10), collection(8)))
limit(2, CONFIRMED, "five hundred", restore_point_collections=(collection(500, days_apart=0.001),), snapshot_policy=ENHANCED)
limit(3, POSSIBLE, "the code says so, but two are left", LIMIT_STATED)
limit(4, POSSIBLE, "fourteen where the policy explains five", restore_point_collections=(collection(14),))
limit(5, UNKNOWN, "a collection could not be read", restore_point_collections=FORBIDDEN)
limit(5, UNKNOWN, "the policy could not be read", snapshot_policy=FORBIDDEN)
limit(5, UNKNOWN, "more than the policy explains, but few", restore_point_collections=(collection(9),))
limit(
    6,
    RULED_OUT,
    "an Enhanced policy explains forty-two young points",
    restore_point_collections=(collection(42),),
    snapshot_policy=ENHANCED,
)
limit(6, RULED_OUT, "no more than the policy explains")

many = Table("too_many_backups", LISTED)
FIVE_DAYS = SnapshotPolicy("p", "V1", 5, 1)


def daily(per_day: int, days: int, **more: Any) -> tuple[Job, ...]:
    began = [ago(days=day, hours=2 + hour) for day in range(days) for hour in range(per_day)]
    return tuple(job(at, at + timedelta(minutes=30), **more) for at in began)


many(1, CONFIRMED, "twenty in five days with a Standard policy", LIMIT, recent_backup_jobs=daily(4, 5), snapshot_policy=FIVE_DAYS)
many(
    1,
    CONFIRMED,
    "on-demand runs lift an Enhanced policy over the limit",
    LIMIT,
    recent_backup_jobs=daily(4, 6, scheduled=False),
    snapshot_policy=ENHANCED,
)
many(2, RULED_OUT, "one a day with a Standard policy", LIMIT)
many(2, RULED_OUT, "an Enhanced policy's own runs", LIMIT, recent_backup_jobs=daily(6, 7), snapshot_policy=ENHANCED)
many(3, POSSIBLE, "the limit, and two a day", LIMIT, recent_backup_jobs=daily(2, 2))
many(3, POSSIBLE, "the limit, and enough of them, but a lock explains it", LIMIT, recent_backup_jobs=daily(4, 5), snapshot_policy=FIVE_DAYS,
     restore_point_group_locks=(LOCK,))  # fmt: skip
many(3, POSSIBLE, "five a day with a Standard policy, under another code", recent_backup_jobs=daily(5, 1))
many(4, UNKNOWN, "an unreadable policy is no Standard policy", recent_backup_jobs=daily(5, 2), snapshot_policy=FORBIDDEN)
many(4, UNKNOWN, "another vault's jobs could not be read", unread_vaults=("rsv-old",))

access = Table("disk_sas_outstanding", LISTED)
POINT = f"{GROUP}/providers/microsoft.compute/restorepointcollections/c/restorepoints/p/diskrestorepoints/os".lower()
VERB = "restorepointcollections/restorepoints/diskrestorepoints/"
GIVEN = done(f"{VERB}begingetaccess", ago(days=9), resource=POINT)
TAKEN = done(f"{VERB}endgetaccess", ago(days=8), resource=POINT)
sixty = ago(days=61)
access(1, CONFIRMED, "the code says so, and access was given", STATED, restore_point_activity=log(GIVEN, since=sixty))
access(2, CONFIRMED, "the limit, old points, no lock, and access was given", LIMIT, restore_point_activity=log(GIVEN, since=sixty),
       restore_point_collections=(collection(20),))  # fmt: skip
access(3, POSSIBLE, "access was given, but no point is left over", LIMIT, restore_point_activity=log(GIVEN, since=sixty))
access(4, RULED_OUT, "it was given and taken back", LIMIT, restore_point_activity=log(GIVEN, TAKEN, since=sixty))
access(4, RULED_OUT, "Azure Backup takes its own", LIMIT, restore_point_activity=log(replace(GIVEN, by_backup=True), since=sixty))
access(4, RULED_OUT, "a live disk in export is something else", LIMIT, disks=(Disk("os", state="ActiveSAS"),))
access(5, UNKNOWN, "the log reaches back a week", LIMIT, restore_point_activity=log(since=ago(days=7)))
access(5, UNKNOWN, "the log could not be read", LIMIT, restore_point_activity=FORBIDDEN)

running = Table("backup_in_progress", STATED)
OTHER_JOB = job(ago(hours=3), None, "InProgress", "Completed", "InProgress")
SNAPPING = job(ago(hours=1), None, "InProgress", "InProgress", "NotStarted")
running(1, CONFIRMED, "one ran then, and the code speaks of it", overlapping_backup_jobs=(OTHER_JOB,))
running(1, CONFIRMED, "one that has ended since", overlapping_backup_jobs=(job(ago(hours=3), ago(minutes=20)),))
running(
    1,
    CONFIRMED,
    "another code lists it, and the other was taking its snapshot",
    {"states": False},
    overlapping_backup_jobs=(SNAPPING,),
)
running(2, POSSIBLE, "another code, and the other only transfers", {"states": False}, overlapping_backup_jobs=(OTHER_JOB,))
running(2, POSSIBLE, "a restore point is being made", restore_point_collections=(collection(1, state="Creating"),))
running(3, RULED_OUT, "every vault was read, and none ran", {"states": False})
running(3, RULED_OUT, "one that began after this one ended", overlapping_backup_jobs=(job(ago(minutes=3), None, "InProgress"),))
running(4, UNKNOWN, "another vault's jobs could not be read", unread_vaults=("rsv-old",))
running(4, UNKNOWN, "which vaults keep the VM is not known", unread_vaults=Unknown(Reason.PARTIAL))
running(4, UNKNOWN, "the jobs could not be read", overlapping_backup_jobs=FORBIDDEN)

slow = Table("transfer_slow", LISTED)
BUSY = {"code": "UserErrorBackupOperationInProgress", "listed": True}
HALF_A_DAY = job(ago(hours=14), None, "InProgress", "Completed", "InProgress")
slow(1, CONFIRMED, "the code says so, and this transfer failed", {**STATED, "job": SNAPPED})
slow(2, CONFIRMED, "another had been in transfer for thirteen hours", BUSY, overlapping_backup_jobs=(HALF_A_DAY,))
slow(3, POSSIBLE, "this transfer failed", {"job": SNAPPED})
slow(3, POSSIBLE, "another was in transfer, for two hours", BUSY, overlapping_backup_jobs=(OTHER_JOB,))
slow(4, RULED_OUT, "this snapshot failed, and no other was in transfer", BUSY)
slow(4, RULED_OUT, "another was taking its snapshot", BUSY, overlapping_backup_jobs=(SNAPPING,))
slow(5, UNKNOWN, "the job shows no tasks", {**BUSY, "job": WITHOUT_TASKS})

large = Table("disk_too_large", STATED)


def disk(size: int | None, **more: Any) -> Disk:
    return Disk("data", "/d", size_gib=size, lun=0, **more)


large(1, CONFIRMED, "33 TiB", disks=(disk(33_792),))
large(1, CONFIRMED, "288 TiB together", disks=(disk(32_000),) * 9)
large(2, CONFIRMED, "5 TiB, encrypted, and the code says so", disks=(disk(5_000, ade_encrypted=True),))
large(3, POSSIBLE, "5 TiB, encrypted, under another code", LISTED | {"states": False}, disks=(disk(5_000, ade_encrypted=True),))
large(3, POSSIBLE, "33 TiB since after the job", {"activity": log(done("write", AFTER))}, disks=(disk(33_792),))
large(4, UNKNOWN, "a disk could not be read", disks=(disk(None, unread=FORBIDDEN),))
large(4, UNKNOWN, "a disk shows no size", disks=(disk(None),))
large(
    4,
    UNKNOWN,
    "small now, but written since",
    LISTED | LATE | {"states": False, "activity": log(done("write", AFTER))},
    disks=(disk(128),),
)
large(5, RULED_OUT, "20 TiB", disks=(disk(20_480),))
large(5, RULED_OUT, "33 TiB, but excluded from backup", disks=(disk(33_792, excluded=True), disk(128)))

rights = Table("key_vault_permissions_missing", STATED)
KEYS = (DiskKey("secret", "https://kv.vault.azure.net/secrets/bek/1", "/kv"),)
NOBODY = KeyVault("/kv", "kv", True, needs=("secret",), changes=log())
SECRET_STATE = KeyState("bek", "secret", "1", updated_at=ago(days=90))
encrypted: dict[str, Any] = {"disk_keys": KEYS, "disks": (disk(128, ade_encrypted=True),)}
rights(2, CONFIRMED, "nobody holds them", **encrypted, key_vaults=(NOBODY,))
rights(3, POSSIBLE, "somebody does", **encrypted, key_vaults=(replace(NOBODY, holders=("someone",)),))
rights(
    3,
    POSSIBLE,
    "nobody now, but rights were changed after the job",
    **encrypted,
    key_vaults=(replace(NOBODY, changes=log(done("vaults/write", AFTER))),),
)
rights(4, UNKNOWN, "a disk could not be read", disks=(disk(128, unread=FORBIDDEN),))
rights(4, UNKNOWN, "roles could not be read", **encrypted, key_vaults=(replace(NOBODY, holders_unread=FORBIDDEN),))
rights(4, UNKNOWN, "the vault could not be read", **encrypted, key_vaults=(replace(NOBODY, unread=FORBIDDEN),))
rights(
    4,
    UNKNOWN,
    "the extension of disk encryption is there",
    extensions=(Extension("a", "Microsoft.Azure.Security.AzureDiskEncryption"),),
)
rights(6, RULED_OUT, "no disk is encrypted, by any sign")

certificate = Table("key_from_certificate", LISTED)
KEK = DiskKey("key", "https://kv.vault.azure.net/keys/kek/1", "/kv")
certificate(3, RULED_OUT, "encrypted, and no key wraps the secrets", **encrypted)
certificate(5, UNKNOWN, "a key wraps them", disk_keys=(*KEYS, KEK))
certificate(5, UNKNOWN, "no encryption was seen")

reach = Table("encryption_key_unreachable", STATED)
WELL = replace(NOBODY, holders=("someone",), keys=(SECRET_STATE,))
DISABLED = KeyState("cmk", "key", "1", enabled=False, updated_at=ago(hours=3))
SET = EncryptionSet("/des", key=KeyState("cmk", "key", "1", updated_at=ago(days=90)))


def vault(**more: Any) -> dict[str, Any]:
    return {**encrypted, "key_vaults": (replace(WELL, **more),)}


reach(1, CONFIRMED, "the vault was deleted before the job", **vault(found=False, deleted_at=ago(hours=3), keys=()))
reach(
    1,
    CONFIRMED,
    "the version in use was disabled before",
    **vault(keys=(replace(SECRET_STATE, enabled=False, updated_at=ago(hours=3)),)),
)
reach(1, CONFIRMED, "the key of an encryption set was disabled", encryption_sets=(replace(SET, key=DISABLED),),
      disks=(disk(128, encryption_set_id="/des"),))  # fmt: skip
reach(2, CONFIRMED, "the vault's firewall keeps everybody out, and did then", **vault(firewalled=True))
reach(2, CONFIRMED, "the set could not take up its new key", encryption_sets=(replace(SET, rotation_error="KeyVaultAccessForbidden"),),
      disks=(disk(128, encryption_set_id="/des"),))  # fmt: skip
reach(3, POSSIBLE, "disabled after the job", **vault(keys=(replace(SECRET_STATE, enabled=False, updated_at=AFTER),)))
reach(3, POSSIBLE, "gone, since nobody knows when", **vault(found=False, keys=()))
reach(
    3,
    POSSIBLE,
    "an encryption set is gone",
    encryption_sets=(EncryptionSet("/des", found=False),),
    disks=(disk(128, encryption_set_id="/des"),),
)
reach(3, POSSIBLE, "expired, which alone stops nothing", **vault(keys=(replace(SECRET_STATE, expires_at=ago(days=1)),)))
reach(4, UNKNOWN, "the key may not be read", **vault(keys=(replace(SECRET_STATE, unread=FORBIDDEN),)))
reach(4, UNKNOWN, "throttled at the vault", **vault(unread=Unknown(Reason.THROTTLED), keys=()))
reach(
    4,
    UNKNOWN,
    "the disk uses another version than the one that Azure shows",
    **vault(keys=(replace(SECRET_STATE, unread=Unknown(Reason.NO_DATA)),)),
)
reach(4, UNKNOWN, "enabled again after the job", LATE, **vault(keys=(replace(SECRET_STATE, updated_at=AFTER),)))
SET_VAULT = KeyVault("/kv-des", "kv-des", True, needs=("key",))


def of_set(**more: Any) -> dict[str, Any]:
    return {"encryption_sets": (replace(SET, **more),), "disks": (disk(128, encryption_set_id="/des"),)}


reach(1, CONFIRMED, "the vault of an encryption set's key was deleted before the job",
      **of_set(key=None, vault=replace(SET_VAULT, found=False, deleted_at=ago(hours=3))))  # fmt: skip
reach(2, CONFIRMED, "the firewall of that vault keeps everybody out, and did then",
      **of_set(vault=replace(SET_VAULT, firewalled=True, changes=log(since=START))))  # fmt: skip
reach(3, POSSIBLE, "that vault was deleted after the job",
      **of_set(key=None, vault=replace(SET_VAULT, found=False, deleted_at=AFTER)))  # fmt: skip
reach(4, UNKNOWN, "that vault may not be read", **of_set(vault=replace(SET_VAULT, unread=FORBIDDEN)))
reach(4, UNKNOWN, "an encryption set does not name its vault", **of_set(key=None, unread=Unknown(Reason.NO_DATA)))
reach(5, RULED_OUT, "the key of an encryption set has been enabled for months", **of_set(vault=SET_VAULT))
reach(5, RULED_OUT, "the version in use is enabled, and has been for months", **vault())
reach(6, RULED_OUT, "no disk uses a key of the customer's")

TABLES = [locked, limit, many, access, running, slow, large, rights, certificate, reach]
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line


def test_a_lock_is_inherited_downwards_and_by_whole_names_only() -> None:
    assert LOCK.covers(f"{GROUP}/providers/Microsoft.Compute/restorePointCollections/c")
    assert not LOCK.covers(f"{GROUP}2/providers/Microsoft.Compute/restorePointCollections/c")
    assert Lock("x", "x", "ReadOnly", "/subscriptions/S").covers(GROUP)


def test_the_vault_that_ran_another_job_is_part_of_the_evidence() -> None:
    elsewhere = replace(
        OTHER_JOB, vault_id="/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/rsv-old"
    )
    assert str(elsewhere).endswith(" rsv-old")
