"""restore_point_group_locked, restore_point_limit_reached, too_many_backups, disk_sas_outstanding, key_vault_permissions_missing,
key_from_certificate, encryption_key_unreachable, disk_too_large, backup_in_progress, transfer_slow, vm_deleted_or_moved,
platform_incident."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.causes import (
    backup_in_progress,
    disk_sas_outstanding,
    disk_too_large,
    encryption_key_unreachable,
    key_from_certificate,
    key_vault_permissions_missing,
    platform_incident,
    restore_point_group_locked,
    restore_point_limit_reached,
    too_many_backups,
    transfer_slow,
    vm_deleted_or_moved,
)
from handlers.model import (
    Disk,
    DiskKey,
    Job,
    JobTask,
    KeyVault,
    Lock,
    Reason,
    RestorePoint,
    RestorePointCollection,
    ServiceIssue,
    SnapshotPolicy,
    Unknown,
    Verdict,
)

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/AzureBackupRG_westeurope_1"
LOCK = Lock(f"{GROUP}/providers/Microsoft.Authorization/locks/keep", "keep", "CanNotDelete", GROUP)
SECRET = DiskKey("secret", "https://kv.vault.azure.net/secrets/bek/1", "/kv")
KEY = DiskKey("key", "https://kv.vault.azure.net/keys/kek/1", "/kv")
UNREAD = Unknown(Reason.FORBIDDEN)


def collection(count: int, state: str = "Succeeded") -> RestorePointCollection:
    return RestorePointCollection("/c", "c", "g", "Succeeded", tuple(RestorePoint(f"p{i}", state=state) for i in range(count)))


def vault(**fields: object) -> KeyVault:
    return KeyVault("/kv", "kv", **{"found": True, **fields})  # type: ignore[arg-type]


def job(hours_ago: float, status: str = "Completed", hours: float = 1, **tasks: str) -> Job:
    started = NOW - timedelta(hours=hours_ago)
    ended = None if status == "InProgress" else started + timedelta(hours=hours)
    names = {"snapshot": "Take Snapshot", "transfer": "Transfer data to vault"}
    return Job(
        "id", status, "Backup", started_at=started, ended_at=ended, tasks=tuple(JobTask(names[k], v) for k, v in tasks.items())
    )


def test_a_lock_that_covers_the_restore_points_is_the_cause() -> None:
    assert restore_point_group_locked.check((LOCK,)).verdict is Verdict.CONFIRMED
    assert restore_point_group_locked.check(()).verdict is Verdict.RULED_OUT


def test_a_lock_is_inherited_downwards_and_by_whole_names_only() -> None:
    assert LOCK.covers(f"{GROUP}/providers/Microsoft.Compute/restorePointCollections/c")
    assert not LOCK.covers(f"{GROUP}2/providers/Microsoft.Compute/restorePointCollections/c")
    assert Lock("x", "x", "ReadOnly", "/subscriptions/S").covers(GROUP)


@pytest.mark.parametrize(("counts", "verdict"), [((18,), Verdict.CONFIRMED), ((10, 8), Verdict.CONFIRMED), ((14,), Verdict.POSSIBLE),
                                                 ((13,), Verdict.RULED_OUT), ((), Verdict.RULED_OUT)])  # fmt: skip
def test_the_points_of_all_collections_count(counts: tuple[int, ...], verdict: Verdict) -> None:
    assert restore_point_limit_reached.check(tuple(map(collection, counts))).verdict is verdict


def test_backups_of_one_day_are_held_against_the_policy() -> None:
    standard, enhanced = SnapshotPolicy("p", "V1", 5), SnapshotPolicy("p", "V2", 1)
    five = tuple(job(30, hours=0.1) for _ in range(5))
    assert too_many_backups.check(five, standard).verdict is Verdict.CONFIRMED
    assert too_many_backups.check(five, enhanced).verdict is Verdict.POSSIBLE
    assert too_many_backups.check((job(48), job(24)), standard).verdict is Verdict.RULED_OUT
    assert too_many_backups.check(five[:4], standard).verdict is Verdict.CONFIRMED, "four a day for five days are more than 18"
    assert too_many_backups.check(five[:2], UNREAD).verdict is Verdict.POSSIBLE


def test_a_disk_in_export_cannot_lose_its_snapshots() -> None:
    assert disk_sas_outstanding.check((Disk("a", state="ActiveSAS"), Disk("b", state="Attached"))).verdict is Verdict.CONFIRMED
    assert disk_sas_outstanding.check((Disk("b", state="Attached"),)).verdict is Verdict.RULED_OUT


def test_key_vault_rights_nobody_holds_are_confirmed_missing() -> None:
    assert key_vault_permissions_missing.check((SECRET,), (vault(),)).verdict is Verdict.CONFIRMED


def test_key_vault_rights_that_somebody_holds_are_possibly_missing() -> None:
    assert key_vault_permissions_missing.check((SECRET,), (vault(holders=("someone",)),)).verdict is Verdict.POSSIBLE


def test_a_vm_without_encrypted_disks_needs_no_key_vault() -> None:
    for check in (key_vault_permissions_missing.check, encryption_key_unreachable.check):
        assert check((), ()).verdict is Verdict.RULED_OUT
    assert key_from_certificate.check(()).verdict is Verdict.RULED_OUT


def test_whether_a_key_is_a_certificates_only_the_vaults_data_tells() -> None:
    assert key_from_certificate.check((SECRET,)).verdict is Verdict.RULED_OUT
    assert key_from_certificate.check((SECRET, KEY)).verdict is Verdict.UNKNOWN


def test_a_deleted_vault_or_a_disabled_key_is_confirmed() -> None:
    assert encryption_key_unreachable.check((SECRET,), (vault(found=False),)).verdict is Verdict.CONFIRMED
    assert encryption_key_unreachable.check((SECRET,), (vault(broken_keys=("bek",)),)).verdict is Verdict.CONFIRMED
    assert encryption_key_unreachable.check((SECRET,), (vault(),)).verdict is Verdict.RULED_OUT


@pytest.mark.parametrize(
    ("sizes", "encrypted", "verdict"),
    [
        ((128, 20_480), False, Verdict.RULED_OUT),
        ((128, 32_767), False, Verdict.RULED_OUT),
        ((128, 33_792), False, Verdict.CONFIRMED),
        ((32_000,) * 9, False, Verdict.CONFIRMED),
        ((128, None), False, Verdict.UNKNOWN),
        ((33_792, None), False, Verdict.CONFIRMED),
        ((5_000,), True, Verdict.POSSIBLE),
    ],
)
def test_disk_sizes_are_held_against_todays_limits(sizes: tuple[int | None, ...], encrypted: bool, verdict: Verdict) -> None:
    disks = tuple(Disk(f"d{i}", size_gib=size, ade_encrypted=encrypted) for i, size in enumerate(sizes))
    assert disk_too_large.check(disks).verdict is verdict


def test_another_backup_that_ran_then_is_the_cause_even_if_it_has_ended() -> None:
    assert backup_in_progress.check((job(1, "InProgress"),), ()).verdict is Verdict.CONFIRMED
    assert backup_in_progress.check((job(3),), ()).verdict is Verdict.CONFIRMED
    assert backup_in_progress.check((), (collection(1, "Creating"),)).verdict is Verdict.POSSIBLE
    assert backup_in_progress.check((), UNREAD).verdict is Verdict.RULED_OUT


def test_a_transfer_that_runs_for_half_a_day_is_slow() -> None:
    assert (
        transfer_slow.check((job(13, "InProgress", snapshot="Completed", transfer="InProgress"),), NOW).verdict
        is Verdict.CONFIRMED
    )
    assert (
        transfer_slow.check((job(2, "InProgress", snapshot="Completed", transfer="InProgress"),), NOW).verdict is Verdict.POSSIBLE
    )
    assert transfer_slow.check((job(2, "InProgress", snapshot="InProgress"),), NOW).verdict is Verdict.RULED_OUT
    assert transfer_slow.check((), NOW).verdict is Verdict.RULED_OUT


def test_a_vm_that_azure_does_not_find_was_deleted_or_moved() -> None:
    assert vm_deleted_or_moved.check("missing").verdict is Verdict.CONFIRMED
    assert vm_deleted_or_moved.check("present").verdict is Verdict.RULED_OUT


def test_a_service_issue_at_that_time_is_the_cause() -> None:
    assert platform_incident.check((ServiceIssue("x", "Active"),)).verdict is Verdict.CONFIRMED
    assert platform_incident.check(()).verdict is Verdict.RULED_OUT
