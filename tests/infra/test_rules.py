"""Each way of being told of a failure: an alert in the shape that its rule makes is read by the app as a failed backup, with all that the rule carries."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from handlers import alerts
from handlers.model import Alert, Ignored
from tests.conftest import ROOT
from tests.infra.bicep import Expression, one, read, text_of

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-1"
NAMES = "iaasvmcontainerv2;rg-app;vm-1"
ITEM = f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{NAMES}/protectedItems/VM;{NAMES}"
VM = f"{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm-1"
JOB, CODE = "11111111-2222-3333-4444-555555555555", "UserErrorRpCollectionLimitReached"
ESSENTIALS = {
    "alertId": f"{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/6f2c", "alertRule": "backup-runbooks", "severity": "Sev1",
    "monitorCondition": "Fired", "firedDateTime": "2026-11-22T19:30:00.0000000Z", "description": "", "essentialsVersion": "1.0",
}  # fmt: skip
LOG_RULE, METRIC_RULE = text_of("modules/failed-jobs-alert.bicep"), text_of("modules/vault-health-alert.bicep")
ACTIVITY_RULE, EVENT_RULE = text_of("modules/backup-now-alert.bicep"), text_of("modules/event-grid.bicep")


def common(context: dict[str, Any], **essentials: Any) -> dict[str, Any]:
    data = {"essentials": ESSENTIALS | essentials, "alertContext": context}
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data}


def only(body: object) -> Alert | Ignored:
    (found,) = alerts.read(body)
    assert isinstance(found, Alert | Ignored)
    return found


def failure(body: object) -> Alert:
    found = only(body)
    assert isinstance(found, Alert), found
    return found


# ------------------------------------------------------------------------------------------------ log search


def log_alert(text: str, *, of_vault: bool) -> dict[str, Any]:
    """What the rule sends for a failed job. `of_vault`: Azure took `resourceIdColumn` as the alert's target."""
    rule = one(text, "module", "rule").body["params"]
    row = {"JobUniqueId": JOB, "JobFailureCode": CODE, "VaultResourceId": VAULT, "BackupItemUniqueId": f"westeurope;7001;{NAMES}",
           "JobOperation": "Restore"}  # fmt: skip
    condition = {
        "searchQuery": text_of("queries/failed_jobs.kql"), "metricMeasureColumn": None, "operator": "GreaterThan", "threshold": "0",
        "timeAggregation": "Count", "metricValue": 1,
        "dimensions": [{"name": name, "value": row.get(name, "?")} for name in rule["dimensions"]],
    }  # fmt: skip
    context = {"conditionType": "LogQueryCriteria", "condition": {"windowSize": rule["window"], "allOf": [condition]}}
    workspace = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
    target = VAULT.lower() if of_vault else workspace
    return common(context, monitoringService="Log Alerts V2", signalType="Log", alertTargetIDs=[target])


@pytest.mark.parametrize("of_vault", [True, False])
def test_the_log_alert_carries_the_job_its_code_the_item_and_the_vault(of_vault: bool) -> None:
    alert = failure(log_alert(LOG_RULE, of_vault=of_vault))
    assert (alert.source, alert.job_id, alert.error_code, alert.operation) == ("log_search", JOB, CODE, "restore")
    assert alert.vault_id.lower() == VAULT.lower()
    assert alert.item_id.lower() == ITEM.lower()
    assert (alert.vm_id.lower(), alert.item_name, alert.workload) == (VM.lower(), "vm-1", "AzureIaasVM")


@pytest.mark.parametrize(
    ("name", "field"), [("JobUniqueId", "job_id"), ("JobFailureCode", "error_code"), ("BackupItemUniqueId", "item_id"), ("JobOperation", "operation"),
                        ("VaultResourceId", "vault_id")]
)  # fmt: skip
def test_without_one_of_its_dimensions_the_log_alert_says_less(name: str, field: str) -> None:
    alert = failure(log_alert(LOG_RULE.replace(f"'{name}'", "'SomethingElse'"), of_vault=False))
    assert getattr(alert, field) == ""


def test_the_dimensions_are_columns_that_the_query_ends_with() -> None:
    rule = one(LOG_RULE, "module", "rule").body["params"]
    columns = re.split(r",\s*", text_of("queries/failed_jobs.kql").strip().rpartition("| project ")[2])
    assert {*rule["dimensions"], rule["resourceIdColumn"]} <= set(columns)
    assert len(rule["dimensions"]) <= 6


def test_the_log_alert_tells_each_job_and_is_not_resolved_by_silence() -> None:
    rule = one(LOG_RULE, "module", "rule").body["params"]
    assert rule["isStateful"] is False
    assert rule["query"] == Expression("loadTextContent('../queries/failed_jobs.kql')")
    (minutes,) = re.findall(r"ingestion_time\(\) > ago\((\d+)m\)", text_of("queries/failed_jobs.kql"))
    assert f"PT{int(minutes) - 5}M" == rule["every"]  # some overlap: nothing falls between two runs


# ------------------------------------------------------------------------------------------------ metric


def metric_alert(text: str, health: str = "PersistentDegraded", condition: str = "Fired") -> dict[str, Any]:
    criterion = one(text, "resource", "rule").body["properties"]["criteria"]["allOf"][0]
    names = re.findall(r"name: '(\w+)'", criterion["dimensions"]) + re.findall(r"'(\w+)'", one(text, "var", "each").assigned)[:4]
    values = {"healthStatus": health, "backupInstanceUrl": ITEM, "backupInstanceName": NAMES, "dataSourceURL": VM,
              "dataSourceType": "Microsoft.Compute/virtualMachines"}  # fmt: skip
    told = {
        "metricName": criterion["metricName"], "metricNamespace": criterion["metricNamespace"], "operator": criterion["operator"],
        "threshold": str(criterion["threshold"]), "timeAggregation": criterion["timeAggregation"], "metricValue": 1.0,
        "dimensions": [{"name": name, "value": values.get(name, "?")} for name in names],
    }  # fmt: skip
    context = {"conditionType": "MultipleResourceMultipleMetricCriteria", "condition": {"windowSize": "P1D", "allOf": [told]}}
    return common(
        context, monitoringService="Platform", signalType="Metric", alertTargetIDs=[VAULT.lower()], monitorCondition=condition
    )


def test_the_metric_alert_carries_the_item_the_vault_and_the_vm() -> None:
    alert = failure(metric_alert(METRIC_RULE))
    assert (alert.source, alert.fired) == ("metric", True)
    assert (alert.item_id, alert.vault_id, alert.vm_id, alert.item_name) == (ITEM, VAULT, VM, "vm-1")


def test_the_metric_alert_says_when_it_is_over() -> None:
    assert failure(metric_alert(METRIC_RULE, condition="Resolved")).fired is False
    assert one(METRIC_RULE, "resource", "rule").body["properties"]["autoMitigate"] is True


def test_healthy_events_are_not_counted_and_would_be_no_failure() -> None:
    criterion = one(METRIC_RULE, "resource", "rule").body["properties"]["criteria"]["allOf"][0]
    assert "{ name: 'healthStatus', operator: 'Exclude', values: ['Healthy'] }" in criterion["dimensions"]
    assert isinstance(only(metric_alert(METRIC_RULE, health="Healthy")), Ignored)


def test_without_its_dimensions_the_metric_alert_says_less() -> None:
    alert = failure(metric_alert(METRIC_RULE.replace("'backupInstanceUrl', ", "'somethingElse', ")))
    assert alert.item_id == ""


def test_another_metric_would_be_ignored() -> None:
    assert isinstance(only(metric_alert(METRIC_RULE.replace("BackupHealthEvent", "ReplicationHealthEvent"))), Ignored)


# ------------------------------------------------------------------------------------------------ activity log, Event Grid


def activity_alert(text: str) -> dict[str, Any]:
    conditions = one(text, "resource", "rule").body["properties"]["condition"]["allOf"]
    asked = {condition["field"]: condition["equals"] for condition in conditions}
    context = {
        "eventSource": asked["category"], "operationName": asked["operationName"], "status": asked["status"], "subStatus": "Conflict",
        "properties": {"statusMessage": json.dumps({"error": {"code": CODE, "message": "Refused."}})},
        "authorization": {"action": asked["operationName"], "scope": ITEM},
    }  # fmt: skip
    return common(
        context, monitoringService="Activity Log - Administrative", signalType="Activity Log", alertTargetIDs=[ITEM.lower()]
    )


def test_the_activity_log_alert_is_a_failed_backup_now() -> None:
    alert = failure(activity_alert(ACTIVITY_RULE))
    assert (alert.source, alert.item_id, alert.vault_id, alert.error_code) == ("activity_log", ITEM, VAULT, CODE)


@pytest.mark.parametrize(("good", "bad"), [("protectedItems/backup/action", "protectedItems/write"), ("'Failed'", "'Succeeded'")])
def test_an_activity_log_alert_on_something_else_would_be_ignored(good: str, bad: str) -> None:
    assert isinstance(only(activity_alert(ACTIVITY_RULE.replace(good, bad))), Ignored)


def event(text: str) -> dict[str, Any]:
    properties = one(text, "resource", "failures").body["properties"]
    assert properties["eventDeliverySchema"] == "CloudEventSchemaV1_0"
    (kind,), (operations,) = properties["filter"]["includedEventTypes"], properties["filter"]["advancedFilters"]
    assert (operations["operatorType"], operations["key"]) == ("StringIn", "data.operationName")
    return {
        "specversion": "1.0", "id": "e-1", "source": SUBSCRIPTION, "type": kind, "subject": ITEM, "time": "2026-11-22T19:30:00Z",
        "data": {"operationName": operations["values"][0], "status": "Failed", "resourceUri": ITEM, "correlationId": "c-1"},
    }  # fmt: skip


def test_an_event_that_passes_the_filter_is_a_failed_backup_now() -> None:
    alert = failure(event(EVENT_RULE))
    assert (alert.source, alert.item_id, alert.vault_id) == ("event_grid", ITEM, VAULT)


@pytest.mark.parametrize(
    ("good", "bad"), [("ResourceActionFailure", "ResourceActionSuccess"), ("backup/action", "restore/action")]
)
def test_an_event_of_something_else_would_be_ignored(good: str, bad: str) -> None:
    assert isinstance(only(event(EVENT_RULE.replace(good, bad))), Ignored)


def test_events_go_by_identity_into_the_queue_and_what_cannot_is_put_away() -> None:
    properties = one(EVENT_RULE, "resource", "failures").body["properties"]
    assert properties["deliveryWithResourceIdentity"]["destination"]["endpointType"] == "StorageQueue"
    assert properties["deadLetterWithResourceIdentity"]["deadLetterDestination"]["endpointType"] == "StorageBlob"
    assert properties["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
    assert "destination" not in properties  # the form with a key


# ------------------------------------------------------------------------------------------------ built-in, and all of them


def test_azure_backups_own_alert_passes_the_processing_rule() -> None:
    sample = json.loads((ROOT / "tests" / "samples" / "alerts" / "azure_backup_vm.json").read_text(encoding="utf-8"))
    assert passes(sample, text_of("modules/built-in-alerts.bicep"))
    assert failure(sample).source == "azure_backup"
    assert not passes(sample, text_of("modules/built-in-alerts.bicep").replace("'Azure Backup'", "'Platform'"))


def passes(alert: dict[str, Any], text: str) -> bool:
    essentials = alert["data"]["essentials"]
    kinds = ["/".join(target.lower().split("/providers/")[-1].split("/")[:2]) for target in essentials["alertTargetIDs"]]
    told = {"TargetResourceType": kinds[0], "MonitorService": essentials["monitoringService"],
            "MonitorCondition": essentials["monitorCondition"]}  # fmt: skip
    conditions = one(text, "resource", "rule").body["properties"]["conditions"]
    assert all(condition["operator"] == "Equals" for condition in conditions)
    return all(told[condition["field"]].lower() in map(str.lower, condition["values"]) for condition in conditions)


def test_each_way_can_be_switched_off_by_itself() -> None:
    switches = re.findall(r"^  (\w+): bool\?", one(text_of("modules/types.bicep"), "type", "alertSources").text, re.MULTILINE)
    asked = re.findall(r"if \(sources\.\?(\w+) \?\? (?:true|false)\)", text_of("main.bicep") + text_of("modules/watched.bicep"))
    assert sorted(switches) == sorted(asked)
    assert len(switches) == 5


def test_event_grid_alone_is_off_by_default_since_a_subscription_has_one_topic() -> None:
    defaults = dict(
        re.findall(r"if \(sources\.\?(\w+) \?\? (true|false)\)", text_of("main.bicep") + text_of("modules/watched.bicep"))
    )
    assert [name for name, default in defaults.items() if default == "false"] == ["eventGrid"]


def test_logs_are_collected_by_default_only_into_a_workspace_that_nobody_else_sends_to() -> None:
    assert "collectLogs: empty(workspaceId)\n" in text_of("main.bicep")
    assert "if (watched.?collectLogs ?? collectLogs)" in text_of("modules/watched.bicep")


def test_all_categories_of_azures_own_policy_are_collected() -> None:
    """https://learn.microsoft.com/azure/backup/azure-policy-configure-diagnostics"""
    assert read(one(text_of("modules/vault-logs.bicep"), "var", "categories").assigned) == [
        "CoreAzureBackup", "AddonAzureBackupJobs", "AddonAzureBackupAlerts", "AddonAzureBackupPolicy", "AddonAzureBackupStorage",
        "AddonAzureBackupProtectedInstance",
    ]  # fmt: skip


def test_rules_on_logs_lie_in_the_region_of_the_workspace() -> None:
    for module in ("failedJobs", "selfWatch"):
        assert one(text_of("main.bicep"), "module", module).body["params"]["location"] == "logs.outputs.location"


def test_no_two_settings_of_the_app_are_written_at_once() -> None:
    """Azure refuses the second of two changes of one app."""
    assert "dependsOn: [settings]" in one(text_of("main.bicep"), "module", "signIn").text
    assert "@batchSize(1)" in text_of("modules/app.bicep")


def test_every_receiver_gets_the_common_alert_schema() -> None:
    text = text_of("modules/action-group.bicep")
    receivers = len(re.findall(r"emailAddress:|serviceUri:", text))
    assert receivers == len(re.findall(r"useCommonAlertSchema: true", text)) == 3
    assert read(one(text, "var", "secureWebhook").assigned)["useAadAuth"] is True


def test_every_query_is_used_and_those_about_the_app_ask_for_the_app() -> None:
    modules = LOG_RULE + text_of("modules/self-watch.bicep")
    used = re.findall(r"loadTextContent\('\.\./queries/(\w+)\.kql'\)", modules)
    there = sorted(path.stem for path in (ROOT / "infra" / "queries").glob("*.kql"))
    assert sorted(used) == there
    assert [name for name in there if '"{app}"' not in text_of(f"queries/{name}.kql")] == ["failed_jobs"]
    assert "replace(watch.query, '{app}', appName)" in modules
