"""A failed backup job that nobody alerted on, as the app's own sweep queues it: `{"schemaId": "backupRunbooksFailedJob", …}`.

The fields are those of a job: https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts says what is not alerted on.
Everything of this shape is about backup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.alerts.fields import line, text, value
from handlers.alerts.ids import item_name, vault_of, vm_guess, vm_item
from handlers.model import Alert, Ignored, Job, parse_time
from handlers.model.failure import operation_named

ORDER = 60
SCHEMA = "backupRunbooksFailedJob"


def body_of(job: Job, vault_id: str) -> bytes:
    """The alert body for a failed job of a vault."""
    ended = job.ended_at or job.started_at
    return json.dumps(
        {
            "schemaId": SCHEMA,
            "vaultId": vault_id,
            "jobId": job.id,
            "container": job.container,
            "itemName": job.item_name,
            "errorCode": job.error_code,
            "operation": job.operation,
            "failedAt": ended.isoformat() if ended else None,
        }
    ).encode()


def claims(body: object) -> bool:
    return text(body, "schemaId") == SCHEMA


def parse(body: Any) -> list[Alert | Ignored]:
    vault = vault_of(line(value(body, "vaultId")))
    if not vault:
        return [Ignored("a failed job without a vault")]
    told = {key: line(value(body, key)) for key in ("jobId", "container", "itemName", "errorCode", "operation")}
    return [_alert(vault, told, parse_time(value(body, "failedAt")))]


def alert_of(job: Job, vault_id: str) -> Alert:
    """The alert that the body for a failed job is read as."""
    told = {"jobId": job.id, "container": job.container, "itemName": job.item_name, "errorCode": job.error_code}
    return _alert(vault_id, told | {"operation": job.operation}, job.ended_at or job.started_at)


def _alert(vault: str, told: Mapping[str, str], failed_at: datetime | None) -> Alert:
    item = vm_item(vault, told["container"])
    return Alert(
        source="sweep", id=told["jobId"], fired_at=failed_at, error_code=told["errorCode"], job_id=told["jobId"], item_id=item,
        item_name=item_name(item, told["itemName"]), vault_id=vault, vm_id=vm_guess(vault, told["container"]),
        workload="AzureIaasVM", operation=operation_named(told["operation"]),
    )  # fmt: skip
