"""Log search alerts on the vaults' logs: V2 (one set of dimensions) and V1 (embedded rows), common and flat legacy.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples#sample-log-search-alerts
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-log-webhook (flat, bare or in a `LogAlert`)
https://learn.microsoft.com/azure/azure-monitor/reference/tables/addonazurebackupjobs (the columns)
https://learn.microsoft.com/azure/backup/backup-reports-system-functions#_azurebackup_getjobs (other names for the same)

About backup is what queries the backup jobs (AddonAzureBackupJobs, AzureBackupReport of AzureDiagnostics, the reports'
functions, Resource Graph), or has a column that only they have among its dimensions or rows. V2 embeds no rows: the
rule's dimensions should be JobUniqueId, JobFailureCode, BackupItemUniqueId, JobOperation and _ResourceId (the vault). A row is a
job: a backup, a restore, or what sets a backup up. One that completed, still runs, was cancelled or ends a backup is ignored.
"""

from __future__ import annotations

import re
from copy import replace
from typing import Any

from handlers.alerts.envelope import alert_of, condition_type, context, is_common, service, target_vault
from handlers.alerts.fields import fold, ignored, items, joined_id, objects, part, prose, severity, short, text, value
from handlers.alerts.ids import item_name, item_of, vault_of, vm_guess, vm_item, vm_of, workload
from handlers.model import Alert, Ignored, parse_time
from handlers.model.failure import operation_named

ORDER = 30
COLUMNS = {"jobuniqueid", "jobfailurecode", "backupitemuniqueid", "backupitemfriendlyname", "backupinstanceid"}
QUERIES = ("addonazurebackupjobs", "azurebackupreport", "_azurebackup_getjobs", "recoveryservices/vaults/backupjobs")
RESOURCES = ("_resourceid", "resourceid", "vaultresourceid", "vault", "backupinstanceid", "datasourceresourceid")
JOB, CODE, STATUS = ("jobuniqueid", "uniqueid"), ("jobfailurecode", "errortitle"), ("jobstatus", "status")
OPERATION, TYPE = ("joboperation", "operationcategory"), ("backupmanagementtype", "datasourcetype")
NAME = ("backupitemfriendlyname", "backupinstancefriendlyname", "datasourcefriendlyname", "vm")
SERVICES = ("logalertsv2", "loganalytics", "applicationinsights")
NOT_FAILED = ("completed", "inprogress", "cancel")


def claims(body: object) -> bool:
    found = _found(body)
    told = condition_type(body) == "logquerycriteria" or service(body) in SERVICES
    flat = bool(text(found, "SearchQuery") and text(found, "AlertRuleName", "SearchIntervalStartTimeUtc"))
    return told or flat or bool(_tables(found))


def parse(body: object) -> list[Alert | Ignored]:
    found = _found(body)
    head = _common_alert(body) if is_common(body) else _legacy_alert(found)
    dimensions = _dimensions(found)
    rows = [row for row in _rows(found) if COLUMNS & row.keys()]
    if not (rows or COLUMNS & dimensions.keys() or _queries_jobs(found)):
        return [ignored(f"The log search alert rule {short(head.rule)} does not query backup jobs.")]
    if not rows:
        return [_read(head, dimensions)]
    return [_read(_numbered(head, row, number), dimensions | row) for number, row in enumerate(rows, 1)]


def _read(head: Alert, row: dict[str, Any]) -> Alert | Ignored:
    job, rule = short(text(row, *JOB)), short(head.rule)
    status, code, operation = text(row, *STATUS), text(row, *CODE), text(row, *OPERATION)
    if fold(status).startswith(NOT_FAILED) or fold(code) == "success":
        return ignored(f"The backup job {job} in the alert of {rule} has not failed: {short(status or code)}.")
    if operation and not operation_named(operation):
        return ignored(f"The job {job} in the alert of {rule} is neither a backup nor a restore: {short(operation)}.")
    return _alert(head, row)


def _alert(head: Alert, row: dict[str, Any]) -> Alert:
    ids = [text(row, name) for name in RESOURCES]
    vault_id = next(filter(None, map(vault_of, ids)), head.vault_id)
    container = _container(row)
    item_id = next(filter(None, map(item_of, ids)), "") or vm_item(vault_id, container)
    return replace(
        head,
        message=prose(row, "message", "errormessage") or head.message,
        error_code=text(row, *CODE),
        job_id=text(row, *JOB),
        item_id=item_id,
        item_name=text(row, *NAME) or item_name(item_id or container),
        vault_id=vault_id,
        vm_id=next(filter(None, map(vm_of, ids)), "") or vm_guess(vault_id, item_id or container),
        workload=workload(item_id or container, text(row, *TYPE)),
        operation=operation_named(text(row, *OPERATION)),
    )


def _container(row: dict[str, Any]) -> str:
    """A VM's container, from its unique id `<region>;<vault>;iaasvmcontainerv2;<group>;<vm>`; empty for other items."""
    parts = text(row, "backupitemuniqueid").split(";")
    is_vm = fold(text(row, "backupmanagementtype")) == "iaasvm" or "iaasvmcontainerv2" in map(fold, parts[2:3])
    return ";".join(("iaasvmcontainerv2", *parts[3:5])) if is_vm and len(parts) == 5 else ""


def _numbered(head: Alert, row: dict[str, Any], number: int) -> Alert:
    """The alert of one row among others: its id is the row's own."""
    return replace(head, id=joined_id(head.id, text(row, *JOB), str(number)))


def _queries_jobs(found: dict[str, Any]) -> bool:
    conditions = objects(part(found, "condition"), "allOf")
    queries = [prose(condition, "searchQuery") for condition in (found, *conditions)]
    return any(table in fold(query) for query in queries for table in QUERIES)


def _dimensions(found: dict[str, Any]) -> dict[str, Any]:
    conditions = objects(part(found, "condition"), "allOf")
    pairs = [pair for condition in (found, *conditions) for pair in objects(condition, "dimensions")]
    return {_column(pair): value(pair, "value") for pair in pairs}


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for table in _tables(found):
        columns = [_column(column) for column in items(table, "columns")]
        cells = [row for row in items(table, "rows") if isinstance(row, list)]
        rows += [{column: cell for column, cell in zip(columns, row, strict=False) if cell} for row in cells]
    return rows


def _tables(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [table for name in ("SearchResults", "SearchResult") for table in objects(part(found, name), "tables")]


def _column(named: object) -> str:
    """A column's name in lower case, without the type that AzureDiagnostics puts behind it (`JobStatus_s`)."""
    return re.sub(r"_[sgdtb]$", "", fold(text(named, "name")))


def _found(body: object) -> dict[str, Any]:
    """What holds the search: the context, or the flat form, which may lie in `data`."""
    wrapped = fold(text(body, "schemaId")) == "microsoft.insights/logalert"
    return context(body) if is_common(body) else part(body, "data") if wrapped else part(body)


def _common_alert(body: object) -> Alert:
    return replace(alert_of(body, "log_search"), vault_id=target_vault(body))


def _legacy_alert(found: dict[str, Any]) -> Alert:
    rule, ended = text(found, "AlertRuleName"), text(found, "SearchIntervalEndtimeUtc")
    return Alert(
        source="log_search",
        id=text(found, "AlertId") or joined_id(rule, ended),
        fired_at=parse_time(ended),
        rule=rule,
        severity=severity(text(found, "Severity")),
        message=prose(found, "Description"),
    )
