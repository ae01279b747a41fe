"""Worlds in twins: one point of a scenario's world is changed, and another verdict is right. One twin for each thing that evidence hangs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy, replace
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from handlers.model import Verdict
from sandbox.azure import RunningAzure, running_azure
from sandbox.scenario import FOLDER, Scenario, load
from tests.golden import diagnosis_of

pytestmark = pytest.mark.server
CONFIRMED, POSSIBLE, UNKNOWN, RULED_OUT = Verdict.CONFIRMED, Verdict.POSSIBLE, Verdict.UNKNOWN, Verdict.RULED_OUT


@dataclass(frozen=True)
class Twins:
    """`before` is right in the scenario's world, `after` where the fields in `changes` (`locks.0.created`) are others."""

    about: str
    scenario: str
    cause: str
    before: Verdict
    after: Verdict
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        return self.about


def refused(match: str, **how: Any) -> dict[str, Any]:
    return {"faults": [{"match": match, "status": 403} | how]}


ALL = (
    Twins("the lock was there before", "lock_made_after_the_failure", "restore_point_group_locked",
          RULED_OUT, CONFIRMED, {"locks.0.created": "-2h"}),
    Twins("the locks may not be read", "lock_made_before_the_failure", "restore_point_group_locked",
          CONFIRMED, UNKNOWN, refused("GET */locks*")),
    Twins("the extension failed in the job, not two years ago", "extension_failed_two_years_ago", "other_extension_failed",
          POSSIBLE, CONFIRMED, {"vm.extensions.1.at": "-30m"}),
    Twins("the secret was disabled before", "key_version_disabled_after_the_failure", "encryption_key_unreachable",
          POSSIBLE, CONFIRMED, {"key_vaults.0.updated": "-6h"}),
    Twins("the set's key vault was deleted before", "encryption_set_vault_deleted_after_the_failure", "encryption_key_unreachable",
          POSSIBLE, CONFIRMED, {"key_vaults.0.deleted": "-2h"}),
    Twins("the set's key vault lets nobody in", "encryption_set_is_well", "encryption_key_unreachable",
          RULED_OUT, POSSIBLE, {"key_vaults.0.firewalled": True}),
    Twins("the set's key vault may not be read", "encryption_set_is_well", "encryption_key_unreachable",
          RULED_OUT, UNKNOWN, refused("GET */vaults/kv-des-well?*")),
    Twins("the set does not name its key vault", "encryption_set_is_well", "encryption_key_unreachable",
          RULED_OUT, UNKNOWN, {"encryption_sets.0.vault_named": False}),
    Twins("Azure throttles the read of the secret", "key_version_disabled", "encryption_key_unreachable",
          CONFIRMED, UNKNOWN, refused("GET */kv-disabled/secrets/*", status=429, retry_after=60)),
    Twins("a role of the management group gives nothing", "key_vault_rights_of_the_management_group",
          "key_vault_permissions_missing", POSSIBLE, CONFIRMED, {"key_vaults.0.roles.0.data_actions": []}),
    Twins("the VM was deleted before", "vm_deleted_after_the_failure", "vm_deleted_or_moved",
          POSSIBLE, CONFIRMED, {"activity.0.at": "-3h"}),
    Twins("its subscription may not be seen", "vm_deleted", "vm_deleted_or_moved",
          CONFIRMED, UNKNOWN, refused("GET */virtualMachines/vm-gone-01*", status=404, code="SubscriptionNotFound")),
    Twins("Azure was told to stop it", "shut_down_from_inside", "shut_down_from_guest",
          CONFIRMED, RULED_OUT, {"activity": [{"operation": "start", "at": "-30h"}, {"operation": "powerOff", "at": "-5h"}]}),
    Twins("deallocated before, so that no agent was needed", "vm_deallocated_after_the_failure", "wireserver_blocked",
          UNKNOWN, RULED_OUT, {"activity.0.at": "-3h"}),
    Twins("App Control only noted it", "blocked_by_app_control", "app_control_blocking",
          CONFIRMED, UNKNOWN, {"logs.Event.0.EventID": 3076}),
    Twins("App Control blocked it two days ago", "blocked_by_app_control", "app_control_blocking",
          CONFIRMED, POSSIBLE, {"logs.Event.0.TimeGenerated": "-2d"}),
    Twins("Defender moved the file only now", "antivirus_quarantined_the_extension", "antivirus_blocking",
          CONFIRMED, UNKNOWN, {"logs.Event.0.TimeGenerated": "-1m"}),
    Twins("/var had room", "var_is_full_linux", "os_disk_full", CONFIRMED, RULED_OUT, {"logs.InsightsMetrics.1.Val": 38}),
    Twins("/var was looked at only before", "every_volume_has_room_linux", "os_disk_full",
          RULED_OUT, UNKNOWN, {"logs.InsightsMetrics.1.TimeGenerated": "-3h"}),
    Twins("the log answers in part", "agent_stopped_by_its_own_log", "agent_unresponsive_windows",
          CONFIRMED, POSSIBLE, {"faults": [{"match": "POST */query", "partial": True}]}),
    Twins("the VM was not restarted since", "agent_back_after_a_restart", "agent_unresponsive_windows",
          POSSIBLE, CONFIRMED, {"activity": []}),
    Twins("the snapshot was taken", "agent_not_ready_windows", "wireserver_blocked",
          UNKNOWN, RULED_OUT, {"job.tasks": {"Take Snapshot": "Completed", "Transfer data to vault": "Failed"}}),
    Twins("no backup was ever good with the old agent", "agent_outdated_but_backups_worked", "agent_outdated_linux",
          POSSIBLE, CONFIRMED, {"jobs": []}),
    Twins("the rule is for this subnet", "no_network_rule_for_another_subnet", "no_outbound_access",
          RULED_OUT, POSSIBLE, {"network.rules.0.sourceAddressPrefix": "10.20.1.0/24"}),
    Twins("the rule was made since the last good backup", "no_network_but_backups_worked", "no_outbound_access",
          POSSIBLE, CONFIRMED,
          {"activity": [{"operation": "Microsoft.Network/networkSecurityGroups/securityRules/write", "at": "-6h", "resource": "nsg"}]}),
    Twins("the other backup ran then", "backup_began_after_the_failure", "backup_in_progress",
          POSSIBLE, CONFIRMED, {"jobs.0.started": "-8h"}),
    Twins("the other vault's jobs may not be read", "backup_in_progress_in_an_old_vault", "backup_in_progress",
          CONFIRMED, UNKNOWN, refused("GET */rsv-old/backupJobs*")),
    Twins("the other vault's backup had ended before", "backup_in_progress_in_an_old_vault", "backup_in_progress",
          CONFIRMED, POSSIBLE, {"other_vaults.0.jobs": [{"status": "Completed", "started": "-3h", "ended": "-2h"}]}),
    Twins("an Enhanced policy is a Standard one", "enhanced_policy_with_42_points", "restore_point_limit_reached",
          RULED_OUT, POSSIBLE, {"policy": {"type": "V1", "snapshot_days": 2}}),
    Twins("the policy may not be read", "enhanced_policy_with_42_points", "restore_point_limit_reached",
          RULED_OUT, UNKNOWN, refused("GET */backupPolicies/*")),
    Twins("a user made the VM unavailable", "vm_was_unavailable", "platform_incident",
          CONFIRMED, POSSIBLE, {"availability.1.kind": "UserInitiated"}),
    Twins("the published problem names the VM", "internal_error_while_the_region_has_a_problem", "platform_incident",
          POSSIBLE, CONFIRMED, {"health_events.0.impacts": ["vm"]}),
    Twins("the disk may not be read", "disk_33_tib_linux", "disk_too_large", CONFIRMED, UNKNOWN, refused("GET */disks/*data1*")),
    Twins("the size is free of restrictions", "restore_size_not_available", "restore_sku_unavailable",
          CONFIRMED, POSSIBLE, {"sizes.0.restricted": []}),
    Twins("the size is restricted in a zone, and the VM has none", "restore_size_not_available", "restore_sku_unavailable",
          CONFIRMED, POSSIBLE, {"sizes.0.restricted": ["1"]}),
    Twins("the sizes may not be read", "restore_size_not_available", "restore_sku_unavailable",
          CONFIRMED, UNKNOWN, refused("GET */Microsoft.Compute/skus*")),
    Twins("the region has cores left", "restore_without_cores", "restore_quota", CONFIRMED, POSSIBLE, {"usages.0.used": 50}),
    Twins("the cores of the size's family are used up", "restore_without_cores", "restore_quota",
          CONFIRMED, CONFIRMED, {"usages": [{"name": "cores", "used": 9, "limit": 100}, {"name": "standardDSv5Family", "used": 49, "limit": 50}]}),
    Twins("the snapshot is there", "restore_snapshot_deleted", "restore_snapshot_missing", CONFIRMED, POSSIBLE,
          {"jobs.0.point": {}, "restore_points": {"count": 2, "hours_apart": 23}}),
    Twins("the account is there", "restore_account_deleted", "restore_target_storage",
          CONFIRMED, POSSIBLE, {"storage_accounts.0.name": "sagone"}),
    Twins("the account was made while the restore ran", "restore_account_deleted", "restore_target_storage",
          CONFIRMED, CONFIRMED, {"storage_accounts.0": {"name": "sagone", "created": "-10m"}}),
    Twins("the accounts may not be read", "restore_account_deleted", "restore_target_storage",
          CONFIRMED, UNKNOWN, refused("GET */storageAccounts?*")),
    Twins("the lock is against deletion only", "restore_account_locked", "restore_target_storage",
          CONFIRMED, RULED_OUT, {"locks.0.level": "CanNotDelete"}),
    Twins("the lock was made since", "restore_account_locked", "restore_target_storage", CONFIRMED, POSSIBLE, {"locks.0.created": "-1m"}),
    Twins("the account lets everybody in", "restore_account_behind_a_firewall", "restore_target_storage",
          CONFIRMED, POSSIBLE, {"storage_accounts.0.network": "Allow"}),
    Twins("the target group has no such VM", "restore_name_taken", "restore_name_conflict",
          CONFIRMED, UNKNOWN, {"vm.same_name_in": []}),
    Twins("the terms are accepted", "restore_terms_not_accepted", "restore_marketplace_plan",
          CONFIRMED, POSSIBLE, {"vm.plan.accepted": True}),
    Twins("the VM is not encrypted, and the vault does not say which disks it had", "restore_over_an_encrypted_vm",
          "restore_olr_unsupported", CONFIRMED, POSSIBLE, {"jobs.0.point": {}}),
    Twins("the point is in the vault too", "restore_of_a_snapshot_elsewhere", "restore_cross_subscription",
          CONFIRMED, POSSIBLE, {"jobs.0.tiers": ["InstantRP", "HardenedRP"]}),
    Twins("the disk is within the limit", "disk_33_tib_linux", "disk_too_large",
          CONFIRMED, POSSIBLE, {"vm.disks": [{"size_gib": 128}]}),
)  # fmt: skip


def changed(scenario: Scenario, number: int, changes: Mapping[str, Any]) -> Scenario:
    data = deepcopy(dict(scenario.data))
    for path, value in changes.items():
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = data
        for part in way:
            place = place[part]
        place[last] = value
    return replace(scenario, name=f"{scenario.name}_twin_{number}", data=data)


def world(twins: Twins) -> Scenario:
    return load(FOLDER / f"{twins.scenario}.yaml")


def twin(twins: Twins) -> Scenario:
    return changed(world(twins), ALL.index(twins), twins.changes)


@pytest.fixture(scope="module")
def azure() -> Iterator[RunningAzure]:
    worlds = {scenario.name: scenario for twins in ALL for scenario in (world(twins), twin(twins))}
    with running_azure(list(worlds.values())) as running:
        yield running


@cache
def verdicts(name: str, url: str) -> Mapping[str, Verdict]:
    scenario = next(found for twins in ALL for found in (world(twins), twin(twins)) if found.name == name)
    return {finding.cause: finding.verdict for finding in diagnosis_of(scenario, url, datetime.now(UTC)).findings}


@pytest.mark.parametrize("twins", ALL, ids=str)
def test_the_same_world_changed_in_one_point_has_the_other_verdict(twins: Twins, azure: RunningAzure) -> None:
    assert verdicts(world(twins).name, azure.url)[twins.cause] is twins.before
    assert verdicts(twin(twins).name, azure.url)[twins.cause] is twins.after
