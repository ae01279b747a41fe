"""Activity log alerts of requests to Azure Resource Manager."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.alerts.samples import VAULT, changed, item_id, one_alert, one_reason, sample, vm_id

BODY, LEGACY = sample("activity_log"), sample("activity_log_legacy")
BACKUP_NOW = BODY["data"]["alertContext"]["operationName"]
RESTORE = BACKUP_NOW.replace("backup/action", "recoveryPoints/restore/action")


def entry(name: str, to: Any, body: Any = BODY) -> Any:
    return changed(body, "data", "alertContext", name, to=to)


def said(message: Any, sub_status: Any = None) -> Any:
    return entry("properties", {"statusMessage": message}, entry("subStatus", sub_status))


def test_a_failed_backup_request_is_read_with_its_item() -> None:
    alert = one_alert(BODY)
    assert (alert.source, alert.rule, alert.severity) == ("activity_log", "backup-now-failed", "Sev4")
    assert (alert.item_id, alert.item_name, alert.vault_id) == (item_id("vm-erp-18"), "vm-erp-18", VAULT)
    assert (alert.vm_id, alert.workload, alert.job_id) == (vm_id("vm-erp-18"), "AzureIaasVM", "")


def test_the_details_of_the_error_go_before_the_error_around_them() -> None:
    alert = one_alert(BODY)
    assert alert.error_code == "UserErrorBackupOperationInProgress"
    assert alert.message == "A backup of this machine is still running."


@pytest.mark.parametrize(("message", "sub_status", "code"), [
    ('{"error":{"code":"BMSUserErrorObjectLocked"}}', None, "BMSUserErrorObjectLocked"),
    ('{"code":"ExtentionOperationFailed"}', None, "ExtentionOperationFailed"),
    ({"error": {"code": "GuestAgentSnapshotTaskStatusError"}}, None, "GuestAgentSnapshotTaskStatusError"),
    (None, "UserErrorVmNotInDesirableState", "UserErrorVmNotInDesirableState"),
    (None, {"value": "VMNotInRunningStateUserError"}, "VMNotInRunningStateUserError"),
    ('{"error":{"code":"Conflict"}}', "Conflict (HTTP Status Code: 409)", ""),
    ('{"error":{"code":"AuthorizationFailed"}}', "Forbidden", ""),
    ('{"error":{"code":["UserErrorX"],"details":[null,7]}}', 409, ""),
    ("not JSON", None, ""), ("[" * 100_000, None, ""), (None, None, ""),
])  # fmt: skip
def test_the_error_code_is_what_looks_like_one_of_azure_backup(message: Any, sub_status: Any, code: str) -> None:
    assert one_alert(said(message, sub_status)).error_code == code


def test_a_status_message_in_plain_words_is_the_message() -> None:
    assert one_alert(said("The vault is busy.\nTry later.")).message == "The vault is busy.\nTry later."


def test_without_a_status_message_the_message_is_the_alerts_description() -> None:
    assert (
        one_alert(changed(said(None), "data", "essentials", "description", to="Backup now failed.")).message
        == "Backup now failed."
    )


def test_a_job_id_in_the_properties_is_read() -> None:
    job = "5c8e0018-7f31-4d02-b6a4-e19c0d5a2b77"
    assert one_alert(entry("properties", {"jobId": job})).job_id == job
    assert one_alert(entry("properties", {"statusMessage": json.dumps({"jobs": f"{VAULT}/backupJobs/{job}?api"})})).job_id == job


@pytest.mark.parametrize("lost", [("authorization",), ("authorization", "properties")])
def test_the_item_is_found_wherever_the_alert_names_it(lost: tuple[str, ...]) -> None:
    body = BODY
    for name in lost:
        body = entry(name, None, body)
    assert one_alert(body).item_id.lower() == item_id("vm-erp-18").lower()


def test_an_id_that_goes_on_behind_the_item_names_the_item() -> None:
    body = entry("authorization", {"action": BACKUP_NOW, "scope": item_id("vm-erp-18") + "/operationResults/1"})
    assert one_alert(body).item_id == item_id("vm-erp-18")


def test_the_legacy_schema_is_read_with_its_own_names() -> None:
    alert = one_alert(LEGACY)
    assert (alert.id, alert.fired) == ("19d4e6b0-c7f2-4a83-a5e1-3c8b70d9f264", True)
    assert alert.fired_at == datetime(2026, 11, 20, 14, 5, 31, 447091, UTC)
    assert (alert.item_id, alert.error_code) == (item_id("vm-erp-19"), "BMSUserErrorObjectLocked")
    assert one_alert(changed(LEGACY, "data", "status", to="Deactivated")).fired is False


def test_the_operation_is_recognised_in_any_case_and_by_its_authorization() -> None:
    assert one_alert(entry("operationName", BACKUP_NOW.upper())) == one_alert(BODY)
    assert one_alert(entry("operationName", {"value": BACKUP_NOW, "localizedValue": "Backup Protected Item"})) == one_alert(BODY)
    assert one_alert(entry("operationName", None)) == one_alert(BODY)


@pytest.mark.parametrize("status", ["Started", "Succeeded", "Accepted", "Canceled"])
def test_a_backup_request_that_did_not_fail_is_ignored_by_its_status(status: str) -> None:
    assert f"'{status}'" in one_reason(entry("status", status))


@pytest.mark.parametrize("status", [None, "", 5, ["Failed"]])
def test_a_backup_request_without_a_readable_status_is_ignored(status: Any) -> None:
    assert "backup or restore request" in one_reason(entry("status", status))


def test_another_operation_is_ignored_by_name() -> None:
    assert "'Microsoft.Compute/virtualMachines/restart/action'" in one_reason(sample("activity_log_restart"))
    revoke = RESTORE.replace("restore/action", "revokeInstantItemRecovery/action")
    assert "'Microsoft.RecoveryServices/vaults" in one_reason(entry("operationName", revoke))


def test_a_request_to_restore_that_failed_is_a_failed_restore_of_the_points_item() -> None:
    point = f"{item_id('vm-erp-19')}/recoveryPoints/123456789012345"
    body = changed(entry("operationName", RESTORE), "data", "alertContext", "resourceId", to=point)
    alert = one_alert(body)
    assert (alert.operation, alert.item_id, alert.vm_id) == ("restore", item_id("vm-erp-19"), vm_id("vm-erp-19"))
    assert one_alert(BODY).operation == ""
