"""What is read of the vault, its key, its item, and of what others did to restore points and disks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.facts.activity import _denied
from handlers.facts.vault_settings import _object_id
from handlers.model import Activity, Reason, Unknown, VaultKey
from tests.facts.conftest import Facts

BASE = "Microsoft.Compute/restorePointCollections"
SEALED = "vault: {key_vault: kv}\nkey_vaults: [{name: kv, access_policies: [{principal: vault, keys: [get, list, wrapKey, unwrapKey]}]}]"
KEYLESS = "vault: {key_vault: kv}\nkey_vaults: [{name: kv, exists: false"


def operations(found: Any) -> list[str]:
    assert isinstance(found, Activity)
    return [entry.operation for entry in found.operations]


def test_the_vaults_region_is_in_the_list_that_all_share(facts: Facts) -> None:
    assert facts("vault: {location: northeurope}", "vault_region")["vault_region"] == "northeurope"
    refused = "faults: [{match: 'GET */Microsoft.RecoveryServices/vaults?*', status: 403}]"
    assert facts(refused, "vault_region")["vault_region"].why is Reason.FORBIDDEN


def test_a_vault_without_a_key_of_the_customers_has_none_to_read(facts: Facts) -> None:
    assert facts("", "vault_key")["vault_key"] is None


def test_the_vaults_key_is_told_with_its_state_and_with_those_who_may_wrap_with_it(facts: Facts) -> None:
    found = facts(SEALED, "vault_key")["vault_key"]
    assert isinstance(found, VaultKey)
    assert (found.is_granted, found.key and found.key.enabled, found.key_vault.rbac) == (True, True, False)


def test_an_identity_that_may_only_get_is_not_among_them(facts: Facts) -> None:
    assert not facts(SEALED.replace("wrapKey, unwrapKey", "wrapKey"), "vault_key")["vault_key"].is_granted


def test_a_key_vault_that_azure_keeps_as_deleted_is_missing_and_any_other_that_is_in_no_list_is_unread(facts: Facts) -> None:
    deleted = facts(f"{KEYLESS}, soft_deleted: true, deleted: -3h}}]", "vault_key")["vault_key"].key_vault
    elsewhere = facts(f"{KEYLESS}}}]", "vault_key")["vault_key"].key_vault
    assert (deleted.found, deleted.deleted_at is None) == (False, False)
    assert (elsewhere.found, elsewhere.unread) == (True, Unknown(Reason.NOT_FOUND))


def test_what_keeps_the_key_from_being_read_is_told(facts: Facts) -> None:
    refused = facts(f"{SEALED}\nfaults: [{{match: 'GET */Microsoft.KeyVault/vaults?*', status: 403}}]", "vault_key")["vault_key"]
    assert refused.why is Reason.FORBIDDEN


def test_the_identity_is_the_one_that_the_vault_names_for_its_key() -> None:
    own = {"principalId": "own", "userAssignedIdentities": {"/A": {"principalId": "a"}}}
    assert [_object_id(own, named) for named in ("", "/a", "/b")] == ["own", "a", ""]


def test_a_count_that_azure_does_not_show_is_none(facts: Facts) -> None:
    assert str(facts("vault: {more_items: 4}\nneighbours: 2", "vault_usage")["vault_usage"]) == "7 VM, 7"
    name = "/subscriptions/{subscription}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv-shop/usages/ProtectedItemCount"
    assert facts(f"resources: {{'{name}': null}}", "vault_usage")["vault_usage"].items is None


def test_of_the_vaults_group_only_the_vault_and_its_item_count(facts: Facts) -> None:
    item = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write"
    other = "/subscriptions/{subscription}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv-other"
    world = (
        f"activity: [{{operation: {item}, at: -2h, resource: item}}, {{operation: Microsoft.RecoveryServices/vaults/write, at: -1h, resource: vault}}, "
        f"{{operation: Microsoft.RecoveryServices/vaults/write, at: -1h, resource: '{other}'}}]"
    )
    assert len(operations(facts(world, "vault_activity")["vault_activity"])) == 2


def test_the_tenant_of_the_subscription_and_that_of_the_vaults_identity_are_read_apart(facts: Facts) -> None:
    same, moved = (facts(text, "subscription_tenant", "vault_settings") for text in ("", "vault: {tenant: former}"))
    assert same["subscription_tenant"] == same["vault_settings"].tenant_id
    assert moved["subscription_tenant"] != moved["vault_settings"].tenant_id


def test_a_deletion_counts_for_the_vm_by_its_collection_its_name_or_the_whole_group(facts: Facts) -> None:
    entries = [
        "{operation: Microsoft.Compute/restorePointCollections/delete, at: -3h, resource: collection}",
        "{operation: Microsoft.Compute/restorePointCollections/restorePoints/delete, at: -2h, resource: collection/restorePoints/p}",
        f"{{operation: {BASE}/delete, at: -2h, resource: 'restore_point_group/providers/{BASE}/AzureBackup_vm-small-world-2_1'}}",
        f"{{operation: {BASE}/delete, at: -2h, resource: 'restore_point_group/providers/{BASE}/AzureBackup_vm-small-world_9'}}",
        "{operation: Microsoft.Resources/subscriptions/resourceGroups/delete, at: -1h, resource: restore_point_group}",
    ]
    found = facts(f"activity: [{', '.join(entries)}]", "restore_point_deletions")["restore_point_deletions"]
    assert len(found.operations) == 4
    assert not any("world-2_1" in entry.resource for entry in found.operations)


@pytest.mark.parametrize("points", ["{exists: false}", "{exists: false, resource_group: AzureBackupRG_westeurope_1}"])
def test_where_the_collection_is_gone_the_log_of_the_likely_group_still_tells(facts: Facts, points: str) -> None:
    world = f"restore_points: {points}\nactivity: [{{operation: {BASE}/delete, at: -3h, resource: collection}}]"
    assert operations(facts(world, "restore_point_deletions")["restore_point_deletions"]) == ["restorepointcollections/delete"]


def test_a_denial_names_its_assignment_and_one_that_is_somebody_elses_is_left_out(facts: Facts) -> None:
    world = (
        "activity: [{operation: Microsoft.Authorization/policies/deny/action, at: -40m, resource: restore_point_group, denied_by: tags}, "
        "{operation: Microsoft.Authorization/policies/deny/action, at: -40m, resource: vm_group, denied_by: names}]"
    )
    (entry,) = facts(world, "policy_denials")["policy_denials"].operations
    assert (entry.denied, entry.assignment.rpartition("/")[2]) == (True, "tags")


@pytest.mark.parametrize(
    ("properties", "assignment"),
    [
        ({"statusMessage": '{"error":{"code":"RequestDisallowedByPolicy","additionalInfo":[{"info":{"policyAssignmentId":"/a/b"}}]}}'}, "/a/b"),
        ({"statusMessage": "RequestDisallowedByPolicy"}, ""),
        ({"statusCode": "Conflict"}, None),
        ("not a mapping", None),
    ],
)  # fmt: skip
def test_a_failed_write_may_say_that_a_policy_disallowed_it(properties: Any, assignment: str | None) -> None:
    assert _denied("microsoft.compute/restorepointcollections/write", "Failed", properties) == assignment
    assert _denied("microsoft.compute/restorepointcollections/write", "Succeeded", properties) is None


def test_azure_backups_object_id_is_in_its_own_entries(facts: Facts) -> None:
    by_backup = (
        f"activity: [{{operation: {BASE}/restorePoints/write, at: -23h, resource: collection/restorePoints/p, by_backup: true}}]"
    )
    assert len(facts(by_backup, "backup_principal")["backup_principal"]) == 36
    assert facts("", "backup_principal")["backup_principal"].why is Reason.NO_DATA


def test_other_products_snapshots_are_told_with_their_times(facts: Facts) -> None:
    write = (
        "{operation: Microsoft.Compute/snapshots/write, at: -2h, resource: 'vm_group/providers/Microsoft.Compute/snapshots/n'}"
    )
    world = f"disk_snapshots: [{{name: nightly, at: -2h}}]\nactivity: [{write}]"
    found = facts(world, "disk_snapshots", "snapshot_activity")
    (snapshot,) = found["disk_snapshots"]
    assert (datetime.now(UTC) - snapshot.created_at).total_seconds() > 7_000
    assert operations(found["snapshot_activity"]) == ["snapshots/write"]


def test_locks_of_a_storage_account_are_those_of_the_disks_own_account(facts: Facts) -> None:
    world = "vm: {disks: [{managed: false}]}\nlocks: [{name: a, scope: storage_account}, {name: b, scope: vm}, {name: c, scope: vm_group}]"
    found = facts(world, "storage_account_locks", "unmanaged_disks")
    assert [lock.name for lock in found["storage_account_locks"]] == ["a", "c"]
    assert len(found["unmanaged_disks"]) == 1


def test_an_account_that_is_in_no_list_has_no_known_locks(facts: Facts) -> None:
    name = "/subscriptions/{subscription}/resourceGroups/rg-shop/providers/Microsoft.Storage/storageAccounts/saunmanaged"
    found = facts(f"vm: {{disks: [{{managed: false}}]}}\nresources: {{'{name}': null}}", "storage_account_locks")
    assert found["storage_account_locks"].why is Reason.NOT_FOUND


def test_where_all_disks_are_managed_no_lock_is_read(facts: Facts) -> None:
    found = facts("faults: [{match: 'GET */locks*', status: 403}]", "storage_account_locks", "unmanaged_disks")
    assert (found["storage_account_locks"], found["unmanaged_disks"]) == ((), ())


def test_a_restore_is_an_operation_and_no_backup(facts: Facts) -> None:
    world = "jobs: [{status: Completed, started: -1d, ended: -23h}, {operation: Restore, status: InProgress, started: -2h}]"
    found = facts(world, "other_operations", "overlapping_backup_jobs", "last_good", "recent_backup_jobs")
    assert [job.operation for job in found["other_operations"]] == ["Restore"]
    assert found["overlapping_backup_jobs"] == ()
    assert {job.operation for job in found["recent_backup_jobs"]} == {"Backup"}


def test_a_key_is_a_certificates_only_where_azure_shows_so(facts: Facts) -> None:
    encrypted = "vm: {encrypted: {vault: kv, kek: true}}\nkey_vaults: [{name: kv"
    assert facts(f"{encrypted}, contents: {{secrets/kek-1: true}}}}]", "certificate_names")["certificate_names"] == ("kek-1",)
    assert facts(f"{encrypted}}}]", "certificate_names")["certificate_names"] == ()
