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
    Twins("the collection was deleted after the job", "restore_point_collection_deleted", "restore_point_collection_deleted",
          CONFIRMED, POSSIBLE, {"activity.0.at": "-2m"}),
    Twins("Azure Backup deleted the old points itself", "restore_point_collection_deleted", "restore_point_collection_deleted",
          CONFIRMED, POSSIBLE, {"activity.0.by_backup": True}),
    Twins("the log of the restore points' group may not be read", "restore_point_collection_deleted",
          "restore_point_collection_deleted", CONFIRMED, UNKNOWN, refused("GET */eventtypes/management/values*AzureBackupRG*")),
    Twins("the lock lets Azure Backup in", "storage_account_locked", "storage_account_locked",
          CONFIRMED, POSSIBLE, {"locks.0.level": "CanNotDelete"}),
    Twins("the lock was made after the job", "storage_account_locked", "storage_account_locked",
          CONFIRMED, POSSIBLE, {"locks.0.created": "-2m"}),
    Twins("the storage accounts may not be read", "storage_account_locked", "storage_account_locked",
          CONFIRMED, UNKNOWN, refused("GET */storageAccounts*")),
    Twins("the disk is a managed one", "unmanaged_disk_with_too_many_snapshots", "blob_snapshot_limit_reached",
          CONFIRMED, POSSIBLE, {"vm.disks": [{"managed": True}]}),
    Twins("the other product had its turn in the morning", "another_product_takes_snapshots", "snapshot_rate_exceeded",
          CONFIRMED, POSSIBLE, {"disk_snapshots.0.at": "-6h"}),
    Twins("snapshots may not be read", "another_product_takes_snapshots", "snapshot_rate_exceeded",
          CONFIRMED, UNKNOWN, refused("GET */Microsoft.Compute/snapshots*")),
    Twins("the restore had ended before", "restore_in_progress", "operation_in_progress",
          CONFIRMED, POSSIBLE, {"jobs.1": {"operation": "Restore", "status": "Completed", "started": "-3h", "ended": "-2h"}}),
    Twins("the restore was of another VM", "restore_in_progress", "operation_in_progress", CONFIRMED, POSSIBLE, {"jobs.1.vm_group": "rg-other"}),
    Twins("the role lets the identity wrap", "vault_identity_without_rights", "vault_key_permissions_missing", CONFIRMED, POSSIBLE,
          {"key_vaults.0.roles.0.data_actions": ["Microsoft.KeyVault/vaults/keys/*"]}),
    Twins("the roles of the key vault may not be read", "vault_identity_without_rights", "vault_key_permissions_missing",
          CONFIRMED, UNKNOWN, refused("GET */roleAssignments*")),
    Twins("Azure's own key encrypts the vault", "vault_identity_without_rights", "vault_key_permissions_missing",
          CONFIRMED, POSSIBLE, {"vault": {"name": "rsv-sealed"}}),
    Twins("the vault's key was disabled after the job", "vault_key_disabled_linux", "vault_key_permissions_missing",
          CONFIRMED, POSSIBLE, {"key_vaults.0.updated": "-2m"}),
    Twins("the policy denied in the morning", "denied_by_policy", "azure_policy_denies", CONFIRMED, POSSIBLE, {"activity.0.at": "-6h"}),
    Twins("another group was denied", "denied_by_policy", "azure_policy_denies",
          CONFIRMED, POSSIBLE, {"activity.0.resource": "/subscriptions/{subscription}/resourceGroups/rg-other"}),
    Twins("the vault is in the VM's region", "vault_in_another_region", "region_mismatch",
          CONFIRMED, POSSIBLE, {"vault.location": "Japan East"}),
    Twins("the vaults may not be read", "vault_in_another_region", "region_mismatch",
          CONFIRMED, UNKNOWN, refused("GET */Microsoft.RecoveryServices/vaults?*")),
    Twins("the vault has room", "vault_is_full", "vault_quota_exceeded", CONFIRMED, POSSIBLE, {"vault.more_items": 20}),
    Twins("the counts may not be read", "vault_is_full", "vault_quota_exceeded", CONFIRMED, UNKNOWN, refused("GET */usages*")),
    Twins("protection was stopped after the job", "protection_was_stopped", "protection_paused",
          CONFIRMED, POSSIBLE, {"activity.0.at": "-2m"}),
    Twins("the item may not be read", "protection_was_stopped", "protection_paused",
          CONFIRMED, UNKNOWN, refused("GET */protectedItems/*")),
    Twins("Azure Backup's own entry tells that it is somebody else who holds the rights", "key_vault_holder_unknown",
          "key_vault_permissions_missing", POSSIBLE, CONFIRMED,
          {"activity": [{"operation": "extensions/write", "at": "-23h", "by_backup": True}]}),
    Twins("the key that wraps the secrets is a certificate's", "key_vault_policy_windows", "key_from_certificate",
          UNKNOWN, POSSIBLE, {"key_vaults.0.contents": {"secrets/kek-1": True}}),
    Twins("the subscription stayed in its tenant", "subscription_in_another_tenant", "tenant_moved",
          CONFIRMED, POSSIBLE, {"vault.tenant": "tenant"}),
    Twins("the subscription may not be read", "subscription_in_another_tenant", "tenant_moved", CONFIRMED, UNKNOWN,
          refused("GET /subscriptions/????????-????-????-????-????????????*api-version=2022-12-01")),
    Twins("access was given to the disk and not to its restore point", "access_to_a_restore_point", "disk_sas_outstanding",
          CONFIRMED, RULED_OUT,
          {"activity.0.operation": "Microsoft.Compute/disks/beginGetAccess/action", "activity.0.resource": "os_disk",
           "vm.disks": [{"state": "ActiveSAS"}]}),
    Twins("access was taken back", "access_to_a_restore_point", "disk_sas_outstanding", CONFIRMED, RULED_OUT,
          {"activity": [{"operation": f"Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/{verb}GetAccess/action",
                         "at": at, "resource": "collection/restorePoints/old/diskRestorePoints/os"} for verb, at in (("begin", "-9d"), ("end", "-8d"))]}),
    Twins("the service starts on demand again", "com_plus_disabled", "com_plus_stopped", CONFIRMED, POSSIBLE,
          {"logs.Event.0.RenderedDescription":
           "The start type of the Distributed Transaction Coordinator service was changed from disabled to demand start."}),
    Twins("the log may not be read", "com_plus_disabled", "com_plus_stopped", CONFIRMED, UNKNOWN, refused("POST */query")),
    Twins("the writer failed only after the job", "vss_writer_failed", "vss_writer_failed",
          CONFIRMED, POSSIBLE, {"logs.Event.0.TimeGenerated": "-2m"}),
    Twins("the service was disabled only after the job", "vss_service_disabled", "vss_service_failed",
          CONFIRMED, POSSIBLE, {"logs.Event.0.TimeGenerated": "-1m"}),
    Twins("SQL Server logged no error", "sql_writer_failed", "sql_vss_conflict", CONFIRMED, RULED_OUT, {"logs.Event.0.EventID": 24590}),
    Twins("SQL Server wrote a backup to a file", "sql_writer_failed", "sql_vss_conflict", CONFIRMED, POSSIBLE,
          {"logs.Event.0": {"TimeGenerated": "-20m", "EventLog": "Application", "EventID": 18264, "Source": "MSSQLSERVER", "_ResourceId": "{vm}",
                            "RenderedDescription": "Database backed up. Device information: (FILE=1, TYPE=DISK: {'D:/shop.bak'})."}}),
    Twins("COM+ stopped with another error", "desktop_heap_exhausted", "desktop_heap_exhausted", CONFIRMED, RULED_OUT,
          {"logs.Event.0.RenderedDescription": "The run-time environment has detected an inconsistency. Error code 0x80070005"}),
    Twins("COM+ got no memory two days ago", "desktop_heap_exhausted", "desktop_heap_exhausted",
          CONFIRMED, POSSIBLE, {"logs.Event.0.TimeGenerated": "-40h"}),
    Twins("no update waits", "update_waits_for_a_restart", "reboot_pending", POSSIBLE, RULED_OUT, {"vm.patches.reboot_pending": False}),
    Twins("updates were assessed only after the job", "update_waits_for_a_restart", "reboot_pending",
          POSSIBLE, UNKNOWN, {"vm.patches.at": "-1m"}),
    Twins("the extension lacked its certificate years ago", "certificate_expired_linux", "agent_certificate_missing",
          CONFIRMED, POSSIBLE, {"vm.extensions.0.at": "-700d"}),
    Twins("Defender only reported the file", "extension_files_quarantined", "extension_files_missing",
          POSSIBLE, UNKNOWN, {"logs.Event.0.EventID": 1116}),
    Twins("the VM is a supported Ubuntu", "coreos_linux", "os_unsupported", CONFIRMED, RULED_OUT,
          {"vm.os_name": "ubuntu", "vm.image": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}}),
    Twins("CoreOS needs nothing with a crash-consistent policy", "coreos_linux", "os_unsupported", CONFIRMED, RULED_OUT,
          {"policy": {"type": "V2", "consistency": "OnlyCrashConsistent"}}),
    Twins("backups succeeded with CoreOS", "coreos_linux", "os_unsupported", CONFIRMED, POSSIBLE,
          {"jobs": [{"status": "Completed", "started": "-1d", "ended": "-23h"}]}),
    Twins("the client is Windows 11", "windows_8_client", "os_unsupported", CONFIRMED, POSSIBLE,
          {"vm.os_name": "Windows 11 Enterprise", "vm.image": {"publisher": "MicrosoftWindowsDesktop", "offer": "windows-11", "sku": "win11-23h2-ent"}}),
    Twins("the removal began after the job", "extension_stuck_deleting_linux", "extension_stuck_deleting",
          CONFIRMED, POSSIBLE, {"vm.extensions.0.at": "-1m"}),
    Twins("the removal has ended", "extension_stuck_uninstalling_windows", "extension_stuck_deleting",
          CONFIRMED, POSSIBLE, {"activity.0.status": "Succeeded"}),
    Twins("the disk's errors are of two days ago", "disk_errors_while_freezing_linux", "fs_freeze_failed", CONFIRMED, POSSIBLE,
          {"logs.Syslog.0.TimeGenerated": "-2d", "logs.Syslog.1.TimeGenerated": "-2d"}),
    Twins("the log answers in part", "disk_errors_while_freezing_linux", "fs_freeze_failed", CONFIRMED, UNKNOWN,
          {"faults": [{"match": "POST */query", "partial": True}]}),
    Twins("the freeze went well: its snapshot was taken", "freeze_failed_without_a_log_linux", "duplicate_mounts",
          UNKNOWN, RULED_OUT, {"job.tasks": {"Take Snapshot": "Completed", "Transfer data to vault": "Failed"}}),
    Twins("SELinux only noted it", "selinux_denied_the_agent_linux", "selinux_blocking", CONFIRMED, UNKNOWN,
          {"logs.Syslog.0.SyslogMessage": "avc:  denied  { execute } for pid=4711 comm=waagent path=/var/lib/waagent/x permissive=1"}),
    Twins("SELinux denied it yesterday too", "selinux_denied_the_agent_linux", "selinux_blocking",
          CONFIRMED, POSSIBLE, {"logs.Syslog.0.TimeGenerated": "-23h30m"}),
    Twins("the VM has two disks", "many_disks_without_a_result_linux", "many_disks_linux", POSSIBLE, RULED_OUT,
          {"vm.disks": [{"size_gib": 64}, {}]}),
    Twins("the extension said it two days ago", "pre_script_failed_linux", "script_failed",
          CONFIRMED, POSSIBLE, {"vm.extensions.0.at": "-2d"}),
    Twins("the database's scripts say nothing", "database_scripts_lack_rights_linux", "database_script_misconfigured",
          CONFIRMED, UNKNOWN, {"job.error.message": "The prescript returned an error."}),
    Twins("the VM is well since a month", "vm_failed_before_the_job_windows", "vm_provisioning_failed",
          CONFIRMED, POSSIBLE, {"vm.status": "succeeded", "vm.status_at": "-30d"}),
    Twins("the VM failed after the job", "vm_failed_before_the_job_windows", "vm_provisioning_failed",
          CONFIRMED, POSSIBLE, {"vm.status_at": "-2m"}),
    Twins("the other extension failed after the job", "vm_failed_by_an_extension_linux", "other_extension_failed",
          CONFIRMED, POSSIBLE, {"vm.status_at": "-2m", "vm.extensions.1.at": "-2m"}),
    Twins("the VM was not restarted, and its heartbeats went on", "vm_restarted_during_the_job", "vm_not_running",
          CONFIRMED, POSSIBLE, {"activity": []}),
    Twins("the VM was restarted two hours before", "vm_restarted_during_the_job", "vm_not_running",
          CONFIRMED, POSSIBLE, {"activity.0.at": "-3h"}),
    Twins("the log of the VM may not be read", "vm_restarted_during_the_job", "vm_not_running",
          CONFIRMED, UNKNOWN, refused("GET */eventtypes/management/values*")),
    Twins("the VM runs", "sql_register_while_the_vm_is_off", "vm_not_running",
          CONFIRMED, POSSIBLE, {"vm.power": "running", "activity": [{"operation": "start", "at": "-4h"}]}),
    Twins("the processor was idle", "processor_exhausted_windows", "vm_resources_exhausted",
          CONFIRMED, POSSIBLE, {"metrics.0.cpu": 20}),
    Twins("the metrics may not be read", "processor_exhausted_windows", "vm_resources_exhausted",
          CONFIRMED, UNKNOWN, refused("GET */Microsoft.Insights/metrics*")),
    Twins("the memory was as scarce yesterday, which the code does not forgive", "memory_exhausted_linux", "vm_resources_exhausted",
          CONFIRMED, CONFIRMED, {"metrics.0.from": "-2d"}),
    Twins("the memory was scarce before the job only", "memory_exhausted_linux", "vm_resources_exhausted",
          CONFIRMED, POSSIBLE, {"metrics.0.from": "-3h", "metrics.0.to": "-2h"}),
    Twins("the disks were far from their limit", "disk_at_its_iops_limit", "iops_throttled",
          CONFIRMED, RULED_OUT, {"metrics.0.iops": 30}),
    Twins("at their limit yesterday too, and the guest says nothing", "disk_at_its_iops_limit", "iops_throttled",
          CONFIRMED, POSSIBLE, {"metrics.0.from": "-2d", "logs.Event": []}),
    Twins("the VM was changed the day before", "vm_changed_during_the_job", "vm_model_changed",
          CONFIRMED, POSSIBLE, {"activity.0.at": "-20h"}),
    Twins("Azure Backup itself wrote the VM", "vm_changed_during_the_job", "vm_model_changed",
          CONFIRMED, POSSIBLE, {"activity.0.caller": "262044b1-e2ce-469f-a196-69ab7ada62d3"}),
    Twins("the lock is only against deletion", "vm_locked_read_only", "vm_locked", CONFIRMED, POSSIBLE, {"locks.0.level": "CanNotDelete"}),
    Twins("the read-only lock was made after the job", "vm_locked_read_only", "vm_locked", CONFIRMED, POSSIBLE, {"locks.0.created": "-2m"}),
    Twins("the locks of the subscription may not be read", "vm_locked_read_only", "vm_locked", CONFIRMED, UNKNOWN, refused("GET */locks*")),
    Twins("both disks were encrypted in one way", "disks_encrypted_in_two_ways", "disk_encryption_mode_mixed",
          CONFIRMED, POSSIBLE, {"vm.disks.0.ade_version": "1.1"}),
    Twins("no disk is excluded", "disk_excluded_on_an_encrypted_vm", "disk_exclusion_encrypted",
          CONFIRMED, POSSIBLE, {"item": {}}),
    Twins("the vault's item may not be read", "disk_excluded_on_an_encrypted_vm", "disk_exclusion_encrypted",
          CONFIRMED, UNKNOWN, refused("GET */protectedItems/*")),
    Twins("it has twenty disks", "thirty_three_data_disks", "disk_count_exceeded", CONFIRMED, POSSIBLE, {"vm.disks": [{}] * 20}),
    Twins("an Enhanced policy takes the Ultra disk", "ultra_disk_with_a_standard_policy", "disk_type_unsupported",
          CONFIRMED, POSSIBLE, {"policy": {"type": "V2"}}),
    Twins("an Enhanced policy with crash-consistent snapshots only does not", "ultra_disk_with_a_standard_policy", "disk_type_unsupported",
          CONFIRMED, CONFIRMED, {"policy": {"type": "V2", "consistency": "OnlyCrashConsistent"}}),
    Twins("the Ultra disk is excluded", "ultra_disk_with_a_standard_policy", "disk_type_unsupported",
          CONFIRMED, POSSIBLE, {"item": {"exclude_disks": [0]}}),
    Twins("the data disk is not shared", "shared_disk_of_a_cluster", "shared_disk", CONFIRMED, POSSIBLE, {"vm.disks.1.max_shares": 1}),
    Twins("the shared disk may not be read", "shared_disk_of_a_cluster", "shared_disk", CONFIRMED, UNKNOWN, refused("GET */disks/*data1*")),
    Twins("no disk has Write Accelerator", "write_accelerator_of_old", "write_accelerator_disk",
          CONFIRMED, POSSIBLE, {"vm.disks": [{}, {}]}),
    Twins("the disk is well since a month", "disk_not_allocated_since_before", "disk_not_allocated",
          CONFIRMED, POSSIBLE, {"vm.disks": [{}, {}]}),
    Twins("the account is one of Resource Manager", "disks_in_a_classic_account", "classic_storage",
          CONFIRMED, POSSIBLE, {"storage_accounts.0.classic": False}),
    Twins("the account is not shown to the app", "disks_in_a_classic_account", "classic_storage",
          CONFIRMED, UNKNOWN, refused("GET */storageAccounts/saoldvhds*")),
    Twins("the account holds 3 TiB", "premium_account_is_full", "premium_storage_full",
          CONFIRMED, POSSIBLE, {"storage_accounts.0.used_tib": 3}),
    Twins("the account's use may not be read", "premium_account_is_full", "premium_storage_full",
          CONFIRMED, UNKNOWN, refused("GET */Microsoft.Insights/metrics*")),
    Twins("the VM has Trusted Launch still", "trusted_launch_is_gone", "trusted_launch_changed",
          CONFIRMED, POSSIBLE, {"vm.security_type": "TrustedLaunch"}),
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
