"""Activity-log alerts of a failed `Backup now`, common and legacy form.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples#sample-activity-log-alerts
Scheduled jobs are no ARM operations and never appear here.
"""

from __future__ import annotations

import re
from typing import Any

from handlers.alerts.envelope import common, context, is_common
from handlers.alerts.fields import fold, item_of, part, prose, text, value, vault_of, vm_of, walk, workload_of
from handlers.model import Alert, Ignored, parse_time

BACKUP_NOW = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/backup/action"
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def claims(body: dict[str, Any]) -> bool:
    if fold(text(body, "schemaId")) == "microsoft.insights/activitylogs":
        return True
    found = context(body)
    named = bool(text(found, "operationName")) and value(found, "status", "eventSource", "channels") is not None
    return is_common(body) and named


def parse(body: dict[str, Any]) -> list[Alert | Ignored]:
    if is_common(body):
        return [operation_alert(context(body), common(body), "activity_log")]
    data = part(body, "data")
    entry = part(data, "context", "activityLog")
    head = {
        "id": text(entry, "eventDataId", "correlationId"),
        "fired": fold(text(data, "status")) not in ("deactivated", "resolved"),
        "fired_at": parse_time(value(entry, "eventTimestamp")),
        "rule": text(part(body, "data", "context"), "name"),
        "severity": "",
        "message": prose(entry, "description"),
    }
    return [operation_alert(entry, head, "activity_log")]


def operation_alert(entry: dict[str, Any], head: dict[str, Any], source: str) -> Alert | Ignored:
    """An ARM operation as alert, when it is a failed `Backup now`. Event Grid tells operations in the same fields."""
    operation, status = text(entry, "operationName"), fold(text(entry, "status"))
    if operation.lower() != BACKUP_NOW:
        return Ignored(f"another operation: {operation or 'none':.120}")
    if status not in ("failed", "failure"):
        return Ignored(f"a backup request whose status is {status or 'missing':.40}")
    authorization = part(entry, "authorization")
    item_id = item_of(text(entry, "resourceId", "resourceUri")) or item_of(text(authorization, "scope")) or _item_anywhere(entry)
    properties = part(entry, "properties")
    said = prose(properties, "statusMessage", "message")
    return Alert(
        source=source,
        **(head | {"message": said if said and BACKUP_NOW not in said.lower() else head["message"]}),
        error_code=_error_code(text(entry, "subStatus"), said),
        job_id=_job_id(text(properties, "jobId", "JobId"), said),
        item_id=item_id,
        item_name=item_id.rpartition(";")[2],
        vault_id=vault_of(item_id),
        vm_id=vm_of(item_id),
        workload=workload_of(item_id),
    )


def _item_anywhere(entry: dict[str, Any]) -> str:
    return next(filter(None, map(item_of, walk(entry))), "")


def _error_code(sub_status: str, said: str) -> str:
    """A code such as `UserErrorBackupOperationInProgress`: from the status message's `code`, else the sub-status."""
    match = re.search(r'"code"\s*:\s*"([A-Za-z][A-Za-z0-9]{7,79})"', said)
    if match:
        return match[1]
    plain = sub_status.partition(" ")[0]
    return plain if re.fullmatch(r"(UserError|Extension|Guest|BackUp|Backup)[A-Za-z0-9]{4,70}", plain) else ""


def _job_id(said: str, message: str) -> str:
    if GUID.fullmatch(said):
        return said
    match = re.search(rf"backupJobs/({GUID.pattern})", message, re.IGNORECASE)
    return match[1] if match else ""
