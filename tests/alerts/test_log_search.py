"""Log search alerts: V2 with dimensions, V1 with rows, and their legacy form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.alerts import read
from handlers.model import Alert, Failure, Ignored
from tests.alerts.samples import VAULT, changed, item_id, one_alert, one_reason, sample, vm_id

V2, V1, LEGACY = sample("log_search_v2"), sample("log_search_v1"), sample("log_search_legacy")
CRITERION = ("data", "alertContext", "condition", "allOf", 0)
TABLE = ("data", "alertContext", "SearchResults", "tables", 0)


def v2(query: Any = None, **dimensions: Any) -> Any:
    body = changed(V2, *CRITERION, "searchQuery", to=query)
    return changed(body, *CRITERION, "dimensions", to=[{"name": name, "value": found} for name, found in dimensions.items()])


def v1(**row: Any) -> Any:
    body = changed(V1, *TABLE, "columns", to=[{"name": name, "type": "string"} for name in row])
    return changed(body, *TABLE, "rows", to=[list(row.values())])


def test_the_dimensions_of_a_v2_alert_tell_the_job_the_code_the_item_and_the_vault() -> None:
    alert = one_alert(V2)
    assert (alert.source, alert.id, alert.rule) == ("log_search", V2["data"]["essentials"]["alertId"], "backup-jobs-failed")
    assert (alert.severity, alert.message, alert.fired) == ("Sev2", "A backup job failed.", True)
    assert alert.error_code == "ExtensionSnapshotFailedNoNetwork"
    assert alert.job_id == "5c8e0004-7f31-4d02-b6a4-e19c0d5a2b77"
    assert (alert.vault_id, alert.item_name, alert.workload) == (VAULT.lower(), "vm-erp-10", "AzureIaasVM")
    assert alert.vm_id == vm_id("vm-erp-10")


def test_the_item_is_the_same_as_in_azure_backups_own_alert() -> None:
    own = changed(sample("azure_backup_vm"), "data", "alertContext", "protectedItemId", to=item_id("vm-erp-10"))
    keys = {Failure.of(one_alert(body), None, datetime.now(UTC)).key for body in (V2, own)}
    assert len(keys) == 1


def test_a_resolved_v2_alert_has_not_fired() -> None:
    assert one_alert(changed(V2, "data", "essentials", "monitorCondition", to="Resolved")).fired is False


@pytest.mark.parametrize("query", [
    "AddonAzureBackupJobs | count",
    "union addonazurebackupjobs",
    "AzureDiagnostics | where Category == 'AzureBackupReport'",
    "_AzureBackup_GetJobs('a', 'b')",
    'arg("").RecoveryServicesResources | where type =~ "Microsoft.RecoveryServices/vaults/backupJobs"',
])  # fmt: skip
def test_a_query_of_backup_jobs_is_about_backup_even_without_dimensions(query: str) -> None:
    alert = one_alert(v2(query))
    assert (alert.source, alert.job_id, alert.vault_id) == ("log_search", "", "")


def test_a_rule_on_the_vault_itself_tells_the_vault_by_its_target() -> None:
    body = changed(v2("AddonAzureBackupJobs"), "data", "essentials", "alertTargetIDs", to=[None, VAULT])
    assert one_alert(body).vault_id == VAULT


@pytest.mark.parametrize("column", ["JobUniqueId", "JobFailureCode", "BackupItemUniqueId", "jobuniqueid", "JobUniqueId_g"])
def test_a_dimension_that_only_backup_jobs_have_is_about_backup_whatever_the_query(column: str) -> None:
    assert one_alert(v2("MyFunction()", **{column: "x"})).source == "log_search"


def test_a_bare_context_is_read_as_some_documents_show_it() -> None:
    alert = one_alert({"alertContext": V2["data"]["alertContext"]})
    assert (alert.job_id, alert.rule, alert.fired_at) == (one_alert(V2).job_id, "", None)


def test_another_log_search_is_ignored_by_its_rule() -> None:
    assert "'disk-latency-high'" in one_reason(sample("log_search_v2_other"))


@pytest.mark.parametrize("row", [{"JobFailureCode": "Success"}, {"JobFailureCode": "success "}, {"JobStatus": "Completed"},
                                 {"JobStatus": "CompletedWithWarnings"}, {"JobStatus": "In Progress"}, {"JobStatus": "Cancelled"},
                                 {"JobOperation": "DisableBackup"}, {"JobOperation": "DeleteBackupData"}])  # fmt: skip
def test_a_job_that_did_not_fail_or_ends_a_backup_is_ignored(row: dict[str, str]) -> None:
    assert "'job-1'" in one_reason(v2("AddonAzureBackupJobs", JobUniqueId="job-1", **row))
    assert "'job-1'" in one_reason(v1(JobUniqueId="job-1", **row))


@pytest.mark.parametrize(("said", "operation"), [("Backup", "backup"), ("Restore", "restore"), ("Cross Region Restore", "restore"),
                                                 ("ConfigureBackup", "configure"), ("", "")])  # fmt: skip
def test_a_row_names_the_operation_that_failed(said: str, operation: str) -> None:
    assert one_alert(v2("AddonAzureBackupJobs", JobUniqueId="job-1", JobOperation=said)).operation == operation
    assert one_alert(v1(JobUniqueId="job-1", JobOperation=said)).operation == operation


def test_each_row_of_a_v1_alert_is_one_alert_or_ignored() -> None:
    found = read(V1)
    assert [type(alert) for alert in found] == [Alert, Ignored, Alert, Alert]
    alerts = [alert for alert in found if isinstance(alert, Alert)]
    assert [alert.item_name for alert in alerts] == ["vm-erp-11", "vm-erp-13", "vm-erp-14"]
    assert [alert.operation for alert in alerts] == ["backup", "backup", "restore"]
    assert {alert.rule for alert in alerts} == {"backup-jobs-v1"}


def test_the_ids_of_rows_differ_even_when_a_job_is_told_twice() -> None:
    rows = V1["data"]["alertContext"]["SearchResults"]["tables"][0]["rows"]
    ids = [alert.id for alert in read(changed(V1, *TABLE, "rows", to=[rows[0]] * 3)) if isinstance(alert, Alert)]
    assert len(set(ids)) == 3
    assert all(V1["data"]["essentials"]["alertId"] in id_ for id_ in ids)


def test_rows_that_name_no_job_are_one_alert_when_the_query_is_about_backup() -> None:
    body = changed(V1, *TABLE, "columns", to=[{"name": "Count"}])
    assert one_alert(changed(body, *TABLE, "rows", to=[[1], [2], [3]])).id == V1["data"]["essentials"]["alertId"]


def test_what_a_row_leaves_out_the_dimensions_tell() -> None:
    dimensions = [{"name": "JobFailureCode", "value": "UserErrorX"}, {"name": "_ResourceId", "value": VAULT}]
    alert = one_alert(changed(v1(JobUniqueId="j", JobFailureCode=None), "data", "alertContext", "Dimensions", to=dimensions))
    assert (alert.job_id, alert.error_code, alert.vault_id) == ("j", "UserErrorX", VAULT)


def test_a_row_says_its_own_message() -> None:
    assert one_alert(v1(JobUniqueId="j", Message="The row's own.")).message == "The row's own."


def test_the_flat_legacy_form_is_read_like_the_common_one() -> None:
    alert = one_alert(LEGACY)
    assert alert.id == "backup-jobs-diagnostics/2026-11-20T03:00:00Z/5c8e0009-7f31-4d02-b6a4-e19c0d5a2b77/1"
    assert (alert.rule, alert.severity, alert.fired) == ("backup-jobs-diagnostics", "Sev2", True)
    assert alert.fired_at == datetime(2026, 11, 20, 3, tzinfo=UTC)
    assert alert.message == "Failed backup jobs, as AzureDiagnostics tells them."
    assert alert.error_code == "GuestAgentSnapshotTaskStatusError"
    assert alert.item_id.lower() == item_id("vm-erp-15").lower()


def test_the_legacy_form_may_be_wrapped_in_a_log_alert() -> None:
    assert one_alert({"schemaId": "Microsoft.Insights/LogAlert", "data": LEGACY}) == one_alert(LEGACY)


def test_a_legacy_alert_without_embedded_rows_is_about_backup_by_its_query_or_dimensions() -> None:
    assert one_alert(changed(LEGACY, "SearchResult", to=None)).rule == "backup-jobs-diagnostics"
    other = changed(changed(LEGACY, "SearchResult", to=None), "SearchQuery", to="Heartbeat")
    assert "'backup-jobs-diagnostics'" in one_reason(other)
    assert one_alert(other | {"Dimensions": [{"name": "JobUniqueId", "value": "j-2"}]}).job_id == "j-2"


def test_the_reports_functions_names_for_columns_are_understood() -> None:
    ids = {"BackupInstanceId": item_id("vm-1"), "DatasourceResourceId": vm_id("vm-1"), "VaultResourceId": VAULT}
    row = ids | {
        "UniqueId": "j-3",
        "ErrorTitle": "UserErrorX",
        "Status": "Failed",
        "OperationCategory": "Backup",
        "Operation": "Log",
    }
    found = one_alert(v1(**row))
    assert (found.job_id, found.error_code, found.item_id) == ("j-3", "UserErrorX", item_id("vm-1"))
    assert (found.vm_id, found.vault_id, found.workload) == (vm_id("vm-1"), VAULT, "AzureIaasVM")


@pytest.mark.parametrize(("unique_id", "kind", "is_vm"), [
    ("region;1;iaasvmcontainerv2;rg;vm", None, True),
    ("region;1;IaaSVMContainerV2;rg;vm", "", True),
    ("region;1;x;rg;vm", "IaaSVM", True),
    ("region;1;compute;rg;vm", "AzureWorkload", False),
    ("region;1;storage;rg;account;share", "IaaSVM", False),
    ("region;1;server;C:\\", None, False),
    ("", None, False),
    (None, None, False),
    (7, None, False),
])  # fmt: skip
def test_only_a_vms_unique_id_tells_its_item_and_vm(unique_id: Any, kind: Any, is_vm: bool) -> None:
    row = {"JobUniqueId": "j", "BackupItemUniqueId": unique_id, "BackupManagementType": kind, "_ResourceId": VAULT}
    alert = one_alert(v1(**row))
    assert alert.item_id.endswith("VM;iaasvmcontainerv2;rg;vm") == bool(alert.item_id) == is_vm
    assert alert.vm_id.endswith("/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm") == bool(alert.vm_id) == is_vm
    assert alert.workload == ("AzureIaasVM" if is_vm or kind == "IaaSVM" else kind or "")


def test_rows_and_columns_of_wrong_types_are_skipped() -> None:
    body = changed(V1, *TABLE, "columns", to=[{"name": "JobUniqueId"}, 7, None, {"name": ["x"]}])
    found = read(changed(body, *TABLE, "rows", to=[["j-4", 1], None, 7, {"a": 1}, [], ["j-5", 2, 3, 4, 5, 6]]))
    assert [alert.job_id for alert in found if isinstance(alert, Alert)] == ["j-4", "j-5"]
