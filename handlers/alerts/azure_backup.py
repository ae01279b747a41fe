"""Azure Backup's built-in alerts: one for each failed job, in the common schema.

https://learn.microsoft.com/azure/backup/backup-azure-monitoring-built-in-monitor
https://learn.microsoft.com/azure/backup/move-to-azure-monitor-alerts (the names and categories of all of them)

About backup is what `monitoringService` Azure Backup tells in category Jobs: `Backup Failure` and `Restore Failure`, but not the
two about a database's set-up (`Unsupported backup type`, `Workload extension unhealthy`), behind which no job has failed.
Category Security (deleted backup data, soft delete switched off …) is something else.

`signalType` says Log, though no log is searched. There is no field for the error code: it is behind the troubleshooting
link (aka.ms/AB-<code>), else in the tail of `originAlertId`.
"""

from __future__ import annotations

import re
from copy import replace

from handlers.alerts.envelope import alert_of, context, essentials, service, target_vault
from handlers.alerts.fields import fold, ignored, part, short, text, value, walk
from handlers.alerts.ids import item_name, vault_of, vm_guess, vm_of, workload
from handlers.model import Alert, Ignored
from handlers.model.failure import RESTORE

ORDER = 20
OTHER_RULES = ("unsupportedbackuptype", "workloadextensionunhealthy")
LINK = re.compile(r"aka\.ms/AB-([a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?)", re.IGNORECASE)
ORIGIN = re.compile(r"azure(?:iaasvm|workload)([a-z][a-z0-9-]{3,79})log", re.IGNORECASE)


def claims(body: object) -> bool:
    return service(body) == "azurebackup" or bool(text(context(body), "protectedItemId"))


def parse(body: object) -> list[Alert | Ignored]:
    category, rule = text(context(body), "category"), text(essentials(body), "alertRule")
    if _is_something_else(fold(category), fold(rule)):
        kind = f"in category {short(category)}" if category else "without a category"
        return [ignored(f"The Azure Backup alert {short(rule)} {kind} is not about a failed backup or restore.")]
    return [_alert(body)]


def _is_something_else(category: str, rule: str) -> bool:
    if any(word in rule for word in OTHER_RULES):
        return True
    return category != "jobs" if category else "failure" not in (rule or "failure")


def _alert(body: object) -> Alert:
    found = context(body)
    item_id = text(found, "protectedItemId")
    vault_id = vault_of(item_id) or target_vault(body)
    return replace(
        alert_of(body, "azure_backup"),
        error_code=_error_code(body),
        job_id=text(part(found, "extendedInfo"), "jobId"),
        item_id=item_id,
        item_name=item_name(item_id, text(found, "linkedResourceName")),
        vault_id=vault_id,
        vm_id=_vm_id(body) or vm_guess(vault_id, item_id),
        workload=workload(item_id, text(found, "sourceType")),
        operation=RESTORE if fold(text(essentials(body), "alertRule")).startswith("restore") else "",
    )


def _vm_id(body: object) -> str:
    said = (vm_of(text(context(body), name)) for name in ("linkedResourceId", "sourceId"))
    return next(filter(None, said), "")


def _error_code(body: object) -> str:
    info = value(context(body), "extendedInfo")
    said = [*walk(value(info, "recommendedActions")), *walk(info), *walk(value(essentials(body), "description"))]
    links = (LINK.search(found[:16_384]) for found in said)
    found = next(filter(None, links), None) or _origin(text(essentials(body), "originAlertId"))
    return found[1] if found else ""


def _origin(origin: str) -> re.Match[str] | None:
    start = max(origin.lower().rfind("azureiaasvm"), origin.lower().rfind("azureworkload"))
    return ORIGIN.fullmatch(origin, start) if start >= 0 else None
