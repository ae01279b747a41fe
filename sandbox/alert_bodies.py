"""Alert bodies as each source sends them, for a scenario's failed job.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.world import World

Body = dict[str, Any]
BACKUP_NOW = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action"


def build(options: Mapping[str, Any], world: World, now: datetime) -> Any:
    """The body of `options["source"]`; `condition: Resolved` and `fired: -3h` are understood by all that can say so."""
    fired = world.time(options.get("fired", "now"))
    if "body" in options:
        return options["body"]
    return SOURCES[options["source"]](dict(options), world, fired)


def _common(options: Body, world: World, fired: datetime, context: Body, **essentials: Any) -> Body:
    found: Body = {
        "alertId": f"/subscriptions/{world.subscription}/providers/Microsoft.AlertsManagement/alerts/{world.guid('alert')}",
        "severity": options.get("severity", "Sev1"),
        "monitorCondition": options.get("condition", "Fired"),
        "alertTargetIDs": [world.vault_id.lower()],
        "configurationItems": [world.vault["name"]],
        "originAlertId": world.guid("origin"),
        "firedDateTime": fired.strftime("%Y-%m-%dT%H:%M:%S.%f") + "2Z",
        "description": "",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
        "targetResourceType": "microsoft.recoveryservices/vaults",
        "targetResourceGroup": world.vault["resource_group"].lower(),
        "region": world.vm["location"],
        **({"resolvedDateTime": fired.isoformat()} if options.get("condition") == "Resolved" else {}),
        **essentials,
    }
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": found, "alertContext": context, "customProperties": None},
    }


def azure_backup(options: Body, world: World, fired: datetime) -> Body:
    code = options.get("code", "")
    help_text = f"For troubleshooting instructions, see https://aka.ms/AB-{code.lower()}" if code else None
    item = str(options.get("item_id") or world.item_id).replace("{vault}", world.vault_id)
    linked = str(options.get("linked_resource") or world.vm_id).replace("{subscription}", world.subscription)
    rule = "Restore Failure" if world.job["operation"] == "Restore" else "Backup Failure"
    error = world.job.get("error") or (world.job.get("errors") or [{}])[0]
    context = {
        "category": "Jobs",
        "sourceId": f"{linked}/providers/Microsoft.RecoveryServices/backupProtectedItem/{item.rpartition('/')[2]}",
        "sourceType": options.get("source_type", "AzureIaasVM"),
        "sourceVersion": "IaasVM",
        "affectedItems": linked,
        "formattedSourceType": options.get("source_type", "AzureIaasVM"),
        "firstLevelContainerId": world.container,
        "secondLevelContainerId": None,
        "protectedItemId": item,
        "linkedResourceId": linked,
        "linkedResourceName": options.get("item_name", world.vm["name"]),
        "alertVersionNumber": "V2020_10",
        "extendedInfo": {"jobId": world.job["id"], "possibleCauses": None, "occurrenceCount": 1, "recommendedActions": help_text},
    }
    return _common(options, world, fired, context, monitoringService="Azure Backup", signalType="Log", alertRule=rule,
                   description=options.get("message", error.get("message") or "The backup failed."))  # fmt: skip


def _dimensions(world: World, code: str) -> list[Body]:
    item = f"{world.vm['location']};900;iaasvmcontainerv2;{world.vm['resource_group']};{world.vm['name']}"
    found = {
        "JobUniqueId": world.job["id"],
        "JobFailureCode": code,
        "BackupItemUniqueId": item.lower(),
        "_ResourceId": world.vault_id.lower(),
    }
    return [{"name": name, "value": value} for name, value in found.items()]


def log_search_v2(options: Body, world: World, fired: datetime) -> Body:
    criterion = {"searchQuery": "AddonAzureBackupJobs\n| where JobStatus == 'Failed'", "metricMeasureColumn": None, "operator": "GreaterThan",
                 "threshold": "0", "timeAggregation": "Count", "dimensions": _dimensions(world, options.get("code", "")), "metricValue": 1.0}  # fmt: skip
    context = {"conditionType": "LogQueryCriteria", "condition": {"windowSize": "PT15M", "allOf": [criterion]}}
    return _common(
        options, world, fired, context, monitoringService="Log Alerts V2", signalType="Log", alertRule="backup-jobs-failed"
    )


def _table(world: World, code: str) -> Body:
    found = [*_dimensions(world, code), {"name": "JobOperation", "value": "Backup"}, {"name": "JobStatus", "value": "Failed"}]
    columns = [{"name": cell["name"], "type": "string"} for cell in found]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [[cell["value"] for cell in found]]}]}


def log_search_v1(options: Body, world: World, fired: datetime) -> Body:
    context = {"SearchQuery": "AddonAzureBackupJobs", "ResultCount": 1, "AlertType": "Number of results",
               "SearchResults": _table(world, options.get("code", ""))}  # fmt: skip
    return _common(
        options, world, fired, context, monitoringService="Log Analytics", signalType="Log", alertRule="backup-jobs-failed-v1"
    )


def legacy_log(options: Body, world: World, fired: datetime) -> Body:
    return {"SubscriptionId": world.subscription, "AlertRuleName": "backup-jobs-failed-legacy", "SearchQuery": "AddonAzureBackupJobs",
            "SearchIntervalEndtimeUtc": fired.strftime("%Y-%m-%dT%H:%M:%SZ"), "ResultCount": 1, "Severity": "1",
            "SearchResult": _table(world, options.get("code", "")), "AlertType": "Number of results"}  # fmt: skip


def _health(options: Body, world: World) -> Body:
    dimensions = {"healthStatus": options.get("health", "PersistentDegraded"), "dataSourceURL": world.vm_id, "backupInstanceUrl": world.item_id,
                  "dataSourceType": "AzureIaasVM", "backupInstanceName": f"VM;{world.container}"}  # fmt: skip
    return {"windowSize": "PT1H", "allOf": [{"metricName": "BackupHealthEvent", "metricNamespace": "Microsoft.RecoveryServices/vaults",
            "operator": "GreaterThan", "threshold": "0", "timeAggregation": "Count", "metricValue": 1,
            "dimensions": [{"name": name, "value": value} for name, value in dimensions.items()]}]}  # fmt: skip


def metric(options: Body, world: World, fired: datetime) -> Body:
    context = {
        "conditionType": "MultipleResourceMultipleMetricCriteria",
        "condition": _health(options, world),
        "properties": None,
    }
    return _common(options, world, fired, context, monitoringService="Platform", signalType="Metric", alertRule="backup-health")


def legacy_metric(options: Body, world: World, fired: datetime) -> Body:
    context = {"timestamp": fired.isoformat(), "id": world.guid("alert"), "name": "backup-health-legacy", "severity": "1",
               "condition": _health(options, world), "resourceId": world.vault_id}  # fmt: skip
    status = "Deactivated" if options.get("condition") == "Resolved" else "Activated"
    return {"schemaId": "AzureMonitorMetricAlert", "data": {"version": "2.0", "status": status, "context": context}}


def _operation(options: Body, world: World, fired: datetime) -> Body:
    message = json.dumps({"error": {"code": options.get("code", ""), "message": options.get("message", "The request failed.")}})
    return {"authorization": {"action": BACKUP_NOW, "scope": world.item_id}, "caller": "ops@contoso.example", "eventSource": "Administrative",
            "eventTimestamp": fired.isoformat(), "eventDataId": world.guid("event"), "level": "Error", "operationName": BACKUP_NOW,
            "resourceId": world.item_id, "status": "Failed", "subStatus": "Conflict (HTTP Status Code: 409)",
            "properties": {"statusMessage": message, "entity": world.item_id}}  # fmt: skip


def activity_log(options: Body, world: World, fired: datetime) -> Body:
    context = {"channels": "Operation", "claims": "{}", **_operation(options, world, fired)}
    return _common(options, world, fired, context, monitoringService="Activity Log - Administrative", signalType="Activity Log",
                   alertRule="backup-now-failed", severity="Sev4")  # fmt: skip


def legacy_activity_log(options: Body, world: World, fired: datetime) -> Body:
    context = {"activityLog": _operation(options, world, fired)}
    return {"schemaId": "Microsoft.Insights/activityLogs", "data": {"status": "Activated", "context": context, "properties": {}}}


def _event_data(options: Body, world: World, fired: datetime) -> Body:
    found = _operation(options, world, fired)
    return {"authorization": found["authorization"], "correlationId": world.guid("correlation"), "operationName": BACKUP_NOW,
            "resourceProvider": "Microsoft.RecoveryServices", "resourceUri": world.item_id, "status": "Failed",
            "subscriptionId": world.subscription}  # fmt: skip


def event_grid(options: Body, world: World, fired: datetime) -> list[Body]:
    return [{"id": world.guid("event"), "topic": f"/subscriptions/{world.subscription}", "subject": world.item_id,
             "eventType": "Microsoft.Resources.ResourceActionFailure", "eventTime": fired.isoformat(),
             "data": _event_data(options, world, fired), "dataVersion": "2", "metadataVersion": "1"}]  # fmt: skip


def cloud_events(options: Body, world: World, fired: datetime) -> Body:
    return {"specversion": "1.0", "id": world.guid("event"), "source": f"/subscriptions/{world.subscription}", "subject": world.item_id,
            "type": "Microsoft.Resources.ResourceActionFailure", "time": fired.isoformat(), "data": _event_data(options, world, fired)}  # fmt: skip


def raw(options: Body, world: World, fired: datetime) -> Any:
    return options.get("body")


SOURCES: dict[str, Callable[[Body, World, datetime], Any]] = {
    maker.__name__: maker
    for maker in (azure_backup, log_search_v2, log_search_v1, legacy_log, metric, legacy_metric, activity_log, legacy_activity_log,
                  event_grid, cloud_events, raw)
}  # fmt: skip
