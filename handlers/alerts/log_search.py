"""Log search alerts on the vaults' diagnostic logs, V2 (dimensions) and V1 (embedded rows), common and legacy form.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples#sample-log-search-alerts
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-non-common-schema-definitions
About backup is what queries AddonAzureBackupJobs (or AzureBackupReport), or carries one of its columns.
V2 embeds no rows: the rule's dimensions carry JobUniqueId, JobFailureCode, BackupItemUniqueId and _ResourceId (the vault).
"""

from __future__ import annotations

from typing import Any

from handlers.alerts.envelope import common, context, is_common
from handlers.alerts.fields import fold, objects, prose, severity, text, value
from handlers.model import Alert, Ignored, parse_time

COLUMNS = {"jobuniqueid", "jobfailurecode", "backupitemuniqueid"}
TABLES = ("addonazurebackupjobs", "azurebackupreport")


def claims(body: dict[str, Any]) -> bool:
    if is_common(body):
        found = context(body)
        return fold(text(found, "conditionType")) == "logquerycriteria" or bool(text(found, "SearchQuery"))
    return bool(text(body, "AlertRuleName", "SearchQuery")) and value(body, "SearchQuery", "SearchResult") is not None


def parse(body: dict[str, Any]) -> list[Alert | Ignored]:
    legacy = not is_common(body)
    found = body if legacy else context(body)
    head = _legacy_head(body) if legacy else common(body)
    rows = _rows(found) or [_dimensions(found)]
    if not _about_backup(found, rows):
        return [Ignored(f"a log alert about something else: {head['rule']:.100}")]
    return [_alert(row, head, index) for index, row in enumerate(rows)]


def _about_backup(found: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    queries = [text(found, "SearchQuery")] + [text(item, "searchQuery") for item in objects(found, "condition", "allOf")]
    return any(table in query.lower() for query in queries for table in TABLES) or any(COLUMNS & set(row) for row in rows)


def _alert(row: dict[str, Any], head: dict[str, Any], index: int) -> Alert | Ignored:
    """One row of the jobs table, its column names in lower case."""
    code, status = text(row, "jobfailurecode"), fold(text(row, "jobstatus"))
    if code.lower() == "success" or status.startswith("completed"):
        return Ignored("a backup job that did not fail")
    operation = text(row, "joboperation")
    if operation and operation.lower() != "backup":
        return Ignored(f"a {operation:.40} job, not a backup")
    job_id, parts = text(row, "jobuniqueid"), text(row, "backupitemuniqueid").split(";")
    vault_id = text(row, "_resourceid", "resourceid", "vault")
    group, name = (parts[3], parts[4]) if len(parts) > 4 else ("", "")
    return Alert(
        source="log_search",
        **(head | {"id": f"{head['id']}/{job_id or index}" if index else head["id"]}),
        error_code=code,
        job_id=job_id,
        item_id=_item_id(vault_id, group, name),
        item_name=text(row, "backupitemfriendlyname", "datasourcefriendlyname", "vm") or name,
        vault_id=vault_id if "/vaults/" in vault_id.lower() else "",
        vm_id=_vm_id(row, vault_id, group, name),
        workload="AzureIaasVM"
        if fold(text(row, "backupmanagementtype")) in ("", "iaasvm", "azureiaasvm")
        else text(row, "backupmanagementtype"),
    )


def _item_id(vault_id: str, group: str, name: str) -> str:
    if not (name and "/vaults/" in vault_id.lower()):
        return ""
    container = f"iaasvmcontainerv2;{group};{name}"
    return f"{vault_id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{container}/protectedItems/VM;{container}"


def _vm_id(row: dict[str, Any], vault_id: str, group: str, name: str) -> str:
    said = text(row, "datasourceresourceid")
    if "/virtualmachines/" in said.lower():
        return said
    subscription = vault_id.strip("/").split("/")
    if not name or len(subscription) < 2:
        return ""
    return f"/subscriptions/{subscription[1]}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"


def _dimensions(found: dict[str, Any]) -> dict[str, Any]:
    pairs = [pair for item in objects(found, "condition", "allOf") for pair in objects(item, "dimensions")]
    pairs += objects(found, "dimensions", "Dimensions")
    return {text(pair, "name").lower(): value(pair, "value") for pair in pairs}


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for result in ("SearchResults", "SearchResult"):
        for table in objects(found, result, "tables"):
            names = [text(column, "name").lower() for column in objects(table, "columns")]
            cells = value(table, "rows")
            rows += (
                [dict(zip(names, row, strict=False)) for row in cells if isinstance(row, list)] if isinstance(cells, list) else []
            )
    return rows


def _legacy_head(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": text(body, "AlertId", "AlertRuleName"),
        "fired": True,
        "fired_at": parse_time(value(body, "SearchIntervalEndtimeUtc")),
        "rule": text(body, "AlertRuleName"),
        "severity": severity(text(body, "Severity")),
        "message": prose(body, "Description"),
    }
