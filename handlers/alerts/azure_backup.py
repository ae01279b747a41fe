"""The built-in Azure Backup alert: one per failed job, in the common schema, with `signalType` Log and no error-code field.

https://learn.microsoft.com/azure/backup/backup-azure-monitoring-built-in-monitor
The code is behind the troubleshooting link (aka.ms/AB-…), else in the tail of `originAlertId`. Restore failures and security
alerts come the same way; they are about something else.
"""

from __future__ import annotations

import re
from typing import Any

from handlers.alerts.envelope import common, context, essentials, is_common, service, vault_target
from handlers.alerts.fields import error_code, fold, part, prose, text, vault_of, vm_of, workload_of
from handlers.model import Alert, Ignored


def claims(body: dict[str, Any]) -> bool:
    return is_common(body) and (service(body) == "azurebackup" or bool(text(context(body), "protectedItemId")))


def parse(body: dict[str, Any]) -> list[Alert | Ignored]:
    found, rule = context(body), text(essentials(body), "alertRule")
    category = fold(text(found, "category"))
    if category and category != "jobs":
        return [Ignored(f"Azure Backup alert of category {text(found, 'category')!r:.60}: {rule:.100}")]
    if "restore" in rule.lower():
        return [Ignored(f"a restore, not a backup: {rule:.100}")]
    item_id = text(found, "protectedItemId")
    return [
        Alert(
            source="azure_backup",
            **common(body),
            error_code=_error_code(body),
            job_id=text(part(found, "extendedInfo"), "jobId"),
            item_id=item_id,
            item_name=text(found, "linkedResourceName") or item_id.rpartition(";")[2],
            vault_id=vault_of(item_id) or vault_target(body),
            vm_id=_vm_id(text(found, "linkedResourceId", "sourceId")) or vm_of(item_id),
            workload=workload_of(item_id, text(found, "sourceType")),
        )
    ]


def _error_code(body: dict[str, Any]) -> str:
    info = part(context(body), "extendedInfo")
    linked = error_code(prose(info, "recommendedActions"), prose(info, "possibleCauses"), prose(essentials(body), "description"))
    tail = re.search(
        r"azure(?:iaasvm|workload|storage)([a-z][a-z0-9]{6,79}?)log$", text(essentials(body), "originAlertId").lower()
    )
    return linked or (tail[1] if tail else "")


def _vm_id(source: str) -> str:
    match = re.match(r"(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/virtualMachines/[^/]+", source)
    return match[0] if match else ""
