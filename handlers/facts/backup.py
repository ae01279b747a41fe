"""Facts from the vault: other jobs of the item, and its policy. https://learn.microsoft.com/rest/api/backup/"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.jobs import READ_JOBS, is_of_item, job_details, list_jobs
from handlers.model import Failure, Job, Reason, ResourceId, SnapshotPolicy

LOOK_BACK = timedelta(days=7)
LIST_JOBS = "Microsoft.RecoveryServices/vaults/backupJobs"


@fact(READ_JOBS, source=LIST_JOBS)
def recent_backup_jobs(failure: Failure, reads: Reads) -> tuple[Job, ...]:
    """The item's backup jobs of the seven days before the failure and until now, newest first."""
    if failure.vault is None:
        raise Unread(Reason.NOT_NAMED)
    vault = failure.vault
    since, until = failure.failed_at - LOOK_BACK, datetime.now(UTC) + timedelta(hours=1)
    jobs = reads.once(("jobs", vault.key), lambda: list_jobs(vault, since, until, reads.azure))
    return tuple(job for job in jobs if is_of_item(job, failure))


@fact(READ_JOBS, source=LIST_JOBS)
def overlapping_backup_jobs(failure: Failure, reads: Reads) -> tuple[Job, ...]:
    """The item's other jobs that ran when the failed one ran or run now, each with its tasks."""
    found = [job for job in recent_backup_jobs(failure, reads) if _overlaps(job, failure)]
    vault = failure.vault
    return reads.each(found, lambda job: job_details(vault, job.id, reads.azure) if vault else job)


def _overlaps(job: Job, failure: Failure) -> bool:
    failed = failure.job
    if (failed and job.id.lower() == failed.id.lower()) or job.id.lower() == failure.alert.job_id.lower() != "":
        return False
    if job.running:
        return True
    began = failed.started_at if failed and failed.started_at else failure.failed_at
    return bool(job.started_at and job.ended_at and job.started_at <= failure.failed_at and job.ended_at >= began)


@fact(
    "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read",
    "Microsoft.RecoveryServices/Vaults/backupPolicies/read",
    source="Microsoft.RecoveryServices/vaults/backupPolicies",
)
def snapshot_policy(failure: Failure, reads: Reads) -> SnapshotPolicy:
    """The policy of the protected item: its type and how long instant-restore snapshots are kept."""
    vault, item = failure.vault, failure.item
    if vault is None or item is None:
        raise Unread(Reason.NOT_NAMED)
    client = reads.azure.backup(vault.subscription)
    container, name = _names(item)
    protected = client.protected_items.get(vault.name, vault.group, "Azure", container, name)
    policy_name = str(_properties(protected).get("policyId") or "").rpartition("/")[2]
    if not policy_name:
        raise Unread(Reason.NO_DATA)
    found = _properties(client.protection_policies.get(vault.name, vault.group, policy_name))
    days = found.get("instantRpRetentionRangeInDays")
    return SnapshotPolicy(policy_name, str(found.get("policyType") or "V1"), days if isinstance(days, int) else None)


def _properties(resource: Any) -> Mapping[str, Any]:
    """VM protected items come back as the bare base class: only mapping access sees all fields."""
    found: Mapping[str, Any] = resource.properties or {}
    return found


def _names(item: ResourceId) -> tuple[str, str]:
    match = re.search(r"(?i)/protectionContainers/([^/]+)/protectedItems/([^/]+)", item.id)
    if not match:
        raise Unread(Reason.NOT_NAMED)
    return match[1], match[2]
