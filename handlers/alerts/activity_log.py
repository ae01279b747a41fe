"""Activity log alerts, common and legacy schema (`Microsoft.Insights/activityLogs`).

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples#sample-activity-log-alerts
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-non-common-schema-definitions

About backup is the failed request `Backup now` for a protected item, and the failed request to restore one of its recovery
points. A scheduled job is no request to Azure Resource Manager and never appears here. Any other operation, and a request that
started or succeeded, is something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import replace
from typing import Any

from handlers.alerts.envelope import alert_of, context, is_common, is_fired, service, targets
from handlers.alerts.fields import fold, ignored, line, objects, part, prose, short, text, value, walk
from handlers.alerts.ids import item_name, item_of, vault_of, vm_guess, workload
from handlers.model import Alert, Ignored, parse_time
from handlers.model.failure import RESTORE

ORDER = 50
ITEMS = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
REQUESTS = {f"{ITEMS}/backup/action": "", f"{ITEMS}/recoverypoints/restore/action": RESTORE}
"""https://learn.microsoft.com/azure/role-based-access-control/permissions/management-and-governance#microsoftrecoveryservices"""
FAMILIES = "(?:BMS)?UserError|(?:No)?Exten[st]ion|GuestAgent|VMAgent|BackUp|BCM|VMRestorePoint"
CODE = re.compile(rf"(?:(?:{FAMILIES})[a-z0-9]+|[a-z0-9]+UserError)", re.IGNORECASE)
"""What a backup error code looks like, unlike Azure Resource Manager's own (`Conflict`, `AuthorizationFailed`)."""
JOB = re.compile(r"/backupJobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)


def claims(body: object) -> bool:
    told = service(body).startswith("activitylog") or _is_legacy(body)
    return told or (is_common(body) and bool(_operation(context(body))))


def parse(body: object) -> list[Alert | Ignored]:
    if not _is_legacy(body):
        return [read_operation(context(body) | {"targets": targets(body)}, alert_of(body, "activity_log"))]
    entry = part(body, "data", "context", "activityLog")
    return [read_operation(entry, _legacy_alert(body, entry))]


def read_operation(entry: dict[str, Any], head: Alert) -> Alert | Ignored:
    """An operation of Azure Resource Manager; Event Grid tells them in the same fields."""
    operation, status, rule = _operation(entry), _word(entry, "status"), short(head.rule)
    if fold(operation) not in REQUESTS:
        return ignored(f"The rule {rule} tells of the operation {short(operation)}, not of a failed backup or restore.")
    if fold(status) not in ("failed", "failure"):
        return ignored(f"The rule {rule} tells of a backup or restore request with the status {short(status)}.")
    return _alert(entry, replace(head, operation=REQUESTS[fold(operation)]))


def _alert(entry: dict[str, Any], head: Alert) -> Alert:
    item_id = next(filter(None, map(item_of, _told_ids(entry))), "")
    vault_id = vault_of(item_id)
    errors = _errors(entry)
    codes = [_word(entry, "subStatus"), *(text(error, "code") for error in errors)]
    return replace(
        head,
        message=next(filter(None, (prose(error, "message") for error in errors)), head.message),
        error_code=next(filter(CODE.fullmatch, codes), ""),
        job_id=_job_id(entry),
        item_id=item_id,
        item_name=item_name(item_id),
        vault_id=vault_id,
        vm_id=vm_guess(vault_id, item_id),
        workload=workload(item_id),
    )


def _operation(entry: dict[str, Any]) -> str:
    return _word(entry, "operationName") or text(part(entry, "authorization"), "action")


def _word(entry: dict[str, Any], name: str) -> str:
    """A word, plain or as the activity log's own pair of `value` and `localizedValue`."""
    return text(entry, name) or text(part(entry, name), "value")


def _told_ids(entry: dict[str, Any]) -> Iterator[str]:
    """Everything in the entry that may be the item's id, the likeliest first."""
    yield from (text(entry, "resourceId"), text(entry, "resourceUri"), text(part(entry, "authorization"), "scope"))
    yield from map(line, walk(entry))


def _errors(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors in `statusMessage`, the details before the error around them."""
    said = _decoded(value(part(entry, "properties"), "statusMessage"))
    outer = part(said, "error") or part(said)
    return [*objects(outer, "details"), outer]


def _decoded(said: object) -> object:
    """`statusMessage` is JSON in a string, or plain words."""
    try:
        return json.loads(said) if isinstance(said, str) else said
    except (ValueError, RecursionError):
        return {"message": said}


def _job_id(entry: dict[str, Any]) -> str:
    properties = part(entry, "properties")
    paths = (JOB.search(said) for said in walk(properties))
    return text(properties, "jobId", "backupJobId") or next((path[1] for path in paths if path), "")


def _is_legacy(body: object) -> bool:
    return fold(text(body, "schemaId")) == "microsoft.insights/activitylogs"


def _legacy_alert(body: object, entry: dict[str, Any]) -> Alert:
    return Alert(
        source="activity_log",
        id=text(entry, "eventDataId", "correlationId"),
        fired=is_fired(text(part(body, "data"), "status")),
        fired_at=parse_time(value(entry, "eventTimestamp")),
        rule=text(part(body, "data", "context"), "name"),
        message=prose(entry, "description"),
    )
