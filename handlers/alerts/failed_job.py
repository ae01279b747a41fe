"""A failed backup job that nobody alerted on, as the app's own sweep queues it: `{"schemaId": "backupRunbooksFailedJob", …}`.

The fields are those of a job: https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts says what is not alerted on.
Everything of this shape is about backup.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from handlers.alerts.fields import line, text, value
from handlers.alerts.ids import item_name, vault_of, vm_guess, vm_item
from handlers.model import Alert, Ignored, Job, parse_time

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
            "failedAt": ended.isoformat() if ended else None,
        }
    ).encode()


def claims(body: object) -> bool:
    return text(body, "schemaId") == SCHEMA


def parse(body: Any) -> list[Alert | Ignored]:
    vault = vault_of(line(value(body, "vaultId")))
    if not vault:
        return [Ignored("a failed job without a vault")]
    job_id, container, name, code = (line(value(body, key)) for key in ("jobId", "container", "itemName", "errorCode"))
    return [_alert(vault, job_id, container, name, code, parse_time(value(body, "failedAt")))]


def alert_of(job: Job, vault_id: str) -> Alert:
    """The alert that the body for a failed job is read as."""
    return _alert(vault_id, job.id, job.container, job.item_name, job.error_code, job.ended_at or job.started_at)


def _alert(vault: str, job_id: str, container: str, name: str, code: str, failed_at: datetime | None) -> Alert:
    item = vm_item(vault, container)
    return Alert(
        source="sweep", id=job_id, fired_at=failed_at, error_code=code, job_id=job_id, item_id=item,
        item_name=item_name(item, name), vault_id=vault, vm_id=vm_guess(vault, container), workload="AzureIaasVM",
    )  # fmt: skip
