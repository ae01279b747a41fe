"""Backup jobs: the failed one that an alert is about, and others of the same item.

https://learn.microsoft.com/rest/api/backup/job-details/get and https://learn.microsoft.com/rest/api/backup/backup-jobs/list
The SDK's job models are mappings: read by wire name, so that a job type it does not know loses nothing.
https://learn.microsoft.com/azure/azure-monitor/reference/tables/addonazurebackupjobs is read where the job API cannot be.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from handlers.azure.arm import Azure, NotRead
from handlers.facts import why_unread
from handlers.facts.queries import query
from handlers.model import Alert, Failure, Job, JobError, JobTask, ResourceId, Unknown, parse_time
from handlers.model.failure import RESTORE, operation_named
from handlers.model.text import one_line

log = logging.getLogger(__name__)

BACKUP = "Backup"
"""What a backup calls itself among the operations: https://learn.microsoft.com/rest/api/backup/backup-jobs/list"""
READ_JOBS = "Microsoft.RecoveryServices/Vaults/backupJobs/read"
LOOK_BACK = timedelta(hours=48)
LISTED = timedelta(hours=24)
LISTED_SECONDS = (900.0, 60.0)
"""A vault's list may be some minutes old; what is not in it is looked for in one that is at most a minute old."""
SLACK = timedelta(hours=2)
"""An alert's time and its job's times are not the same clock's."""
BACKUPS, RESTORES, EVERY_OPERATION = "Backup", "Restore", ""
"""What a list of jobs is filtered by. https://learn.microsoft.com/rest/api/backup/backup-jobs/list"""
MOST_DETAILS = 20
GENERIC = ("jobfailure",)
"""What stands where a code should, and is none."""
CODE_WORD = r"\b[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]+){2,}\b"


class FoundJob(Struct, frozen=True):
    """The job, from the job API or else from the log, and why the job API could not tell, if it could not."""

    job: Job | None
    unread: Unknown | None = None


def find_job(alert: Alert, azure: Azure) -> FoundJob:
    """By id when the alert has one, else the item's failed job nearest before the alert; else from the log; else none."""
    from azure.core.exceptions import AzureError

    unread = None
    failure = Failure.of(alert, None, alert.fired_at or datetime.now(UTC))
    if failure.vault:
        try:
            job = _from_api(alert, failure, failure.vault, azure)
        except (AzureError, NotRead) as error:
            unread = why_unread(error, (READ_JOBS,))
            log.info("job %s unread: %s %s", alert.job_id or "?", unread.why, unread.detail)
        else:
            if job:
                return FoundJob(_with_code(job, alert, azure))
    if azure.has_workspace:
        try:
            job = _from_log(alert, failure, azure)
        except (AzureError, NotRead) as error:
            log.info("job %s not in the log: %s", alert.job_id or "?", why_unread(error).why)
        else:
            if job:
                return FoundJob(job, unread)
    return FoundJob(None, unread)


def _from_api(alert: Alert, failure: Failure, vault: ResourceId, azure: Azure) -> Job | None:
    if alert.job_id:
        return job_details(vault, alert.job_id, azure)
    until, operation = failure.failed_at + SLACK, listed_operation(failure)
    nearest = _nearest(list_jobs(vault, until - LOOK_BACK, until, azure, status="Failed", operation=operation), alert, failure)
    return job_details(vault, nearest.id, azure) if nearest else None


def listed_job(alert: Alert, azure: Azure) -> Job | None:
    """The failed job from its vault's list, without its error: what many alerts of a vault share. None when it is not there."""
    from azure.core.exceptions import AzureError

    failure = Failure.of(alert, None, alert.fired_at or datetime.now(UTC))
    vault, operation = failure.vault, listed_operation(failure)
    if vault is None:
        return None

    def read() -> tuple[Job, ...]:
        now = datetime.now(UTC)
        return tuple(list_jobs(vault, now - LISTED, now + SLACK, azure, status="Failed", operation=operation))

    try:
        for seconds in LISTED_SECONDS:
            jobs = azure.shared.get(f"failed {operation} jobs {vault.key}", read, seconds=seconds)
            if found := _nearest(jobs, alert, failure):
                return found
    except (AzureError, NotRead) as error:
        log.info("failed jobs unread: %s", why_unread(error, (READ_JOBS,)).why)
    return None


def _nearest(jobs: Iterable[Job], alert: Alert, failure: Failure) -> Job | None:
    """The job that the alert names; the one nearest before an alert that names none."""
    if alert.job_id:
        return next((job for job in jobs if job.id.lower() == alert.job_id.lower()), None)
    own = [job for job in jobs if is_of_item(job, failure)]
    return min(own, key=lambda job: abs((job.ended_at or job.started_at or failure.failed_at) - failure.failed_at), default=None)


def job_details(vault: ResourceId, job_id: str, azure: Azure) -> Job:
    found = azure.backup(vault.subscription).job_details.get(vault.name, vault.group, job_id)
    return parse_job(found)


def listed_operation(failure: Failure) -> str:
    """The word by which a vault's list knows jobs like the failed one."""
    return RESTORES if failure.is_restore else BACKUPS


def list_jobs(
    vault: ResourceId, since: datetime, until: datetime, azure: Azure, *, status: str = "", operation: str = BACKUPS
) -> list[Job]:
    """The vault's jobs of an operation (of all when it is empty) that started between the two times, newest first."""
    parts = [f"startTime eq '{filter_time(since)}'", f"endTime eq '{filter_time(until)}'"]
    parts += [f"operation eq '{operation}'"] if operation else []
    parts += [f"status eq '{status}'"] if status else []
    found = azure.backup(vault.subscription).backup_jobs.list(vault.name, vault.group, filter=" and ".join(parts))
    jobs = [parse_job(item) for item in found]
    return sorted(jobs, key=lambda job: job.started_at or since, reverse=True)


def completed_after(failure: Failure, since: datetime, azure: Azure) -> Job | None:
    """The item's newest completed backup, of a failed restore its newest completed restore, that started after `since`: the proof of a recovery."""
    if failure.vault is None:
        return None
    until = datetime.now(UTC) + timedelta(days=1)
    jobs = list_jobs(failure.vault, since, until, azure, operation=listed_operation(failure))
    return next((job for job in jobs if is_of_item(job, failure) and job.completed_after(since)), None)


def completed_if_read(failure: Failure, since: datetime, azure: Azure) -> Job | None:
    """The same; None when the vault's jobs cannot be read, too."""
    from azure.core.exceptions import AzureError

    try:
        return completed_after(failure, since, azure)
    except (AzureError, NotRead) as error:
        log.info("jobs unread: %s", why_unread(error, ()).why)
        return None


READ_POINTS = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read"


def newest_recovery_point(failure: Failure, job: Job, azure: Azure) -> datetime | None:
    """When the newest recovery point was taken that a completed job made; None when none can be read.

    https://learn.microsoft.com/rest/api/backup/recovery-points/list
    """
    from azure.core.exceptions import AzureError

    vault, item, began = failure.vault, failure.item, job.started_at
    if vault is None or item is None or began is None:
        return None
    *_, container, _, name = item.id.split("/")
    window = f"startDate eq '{filter_time(began)}' and endDate eq '{filter_time(datetime.now(UTC))}'"
    points = azure.backup(vault.subscription).recovery_points
    try:
        found = list(points.list(vault.name, vault.group, "Azure", container, name, filter=window))
    except (AzureError, NotRead) as error:
        log.info("recovery points unread: %s", why_unread(error, (READ_POINTS,)).why)
        return None
    properties: list[Any] = [point.properties or {} for point in found]
    times = [parse_time(one.get("recoveryPointTime")) for one in properties]
    return max((time for time in times if time and time >= began), default=None)


def is_of_item(job: Job, failure: Failure) -> bool:
    """Whether a job is of the failure's item: by container when the job names it, else by friendly name."""
    container = failure.container
    if job.container and container:
        return job.container == container
    return bool(failure.item_name) and job.item_name.lower() == failure.item_name.lower()


def parse_job(resource: Any) -> Job:
    """A job as the SDK returns it."""
    found: Mapping[str, Any] = resource.properties or {}
    extended = found.get("extendedInfo") or {}
    return Job(
        id=str(resource.name or ""),
        status=str(found.get("status") or ""),
        operation=str(found.get("operation") or ""),
        item_name=str(found.get("entityFriendlyName") or ""),
        container=str(found.get("containerName") or "").lower(),
        started_at=parse_time(found.get("startTime")),
        ended_at=parse_time(found.get("endTime")),
        activity_id=str(found.get("activityId") or ""),
        scheduled=None if found.get("isUserTriggered") is None else not found["isUserTriggered"],
        errors=tuple(map(_error, found.get("errorDetails") or ())),
        detailed_message=str(extended.get("dynamicErrorMessage") or ""),
        tasks=tuple(JobTask(str(t.get("taskId") or ""), str(t.get("status") or "")) for t in extended.get("tasksList") or ()),
        details=_details(str(found.get("operation") or ""), extended.get("propertyBag") or {}),
    )


def _details(operation: str, told: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a restore's details say of its source and target. Addresses are left out: some could carry a signature."""
    if operation_named(operation) != RESTORE:
        return ()
    pairs = ((str(name), one_line(value, 200)) for name, value in told.items())
    return tuple((name, value) for name, value in pairs if value and "://" not in value)[:MOST_DETAILS]


def _error(found: Mapping[str, Any]) -> JobError:
    number = found.get("errorCode")
    return JobError(
        number=number if isinstance(number, int) else 0,
        title=str(found.get("errorTitle") or ""),
        message=str(found.get("errorString") or ""),
        recommendations=tuple(map(str, found.get("recommendations") or ())),
    )


def _with_code(job: Job, alert: Alert, azure: Azure) -> Job:
    """The job with the code that only Log Analytics has, where neither the job nor the alert names one."""
    from azure.core.exceptions import AzureError

    if not azure.has_workspace or _names_code(job) or (alert.error_code and alert.error_code.lower() not in GENERIC):
        return job
    try:
        logged = _newest("job", job.ended_at or job.started_at or datetime.now(UTC), azure, job=job.id)
    except (AzureError, NotRead) as error:
        log.info("the code of job %s is not in the log: %s", job.id, why_unread(error).why)
        return job
    return replace(job, error_code=logged_job(logged).error_code) if logged else job


def _names_code(job: Job) -> bool:
    """Whether the job's own words hold something that looks like a code, such as `UserErrorVmNotFound`."""
    words = " ".join(f"{error.title} {error.message}" for error in job.errors) + f" {job.detailed_message}"
    return any(word.lower() not in GENERIC for word in re.findall(CODE_WORD, words))


def _from_log(alert: Alert, failure: Failure, azure: Azure) -> Job | None:
    if alert.job_id:
        row = _newest("job", failure.failed_at, azure, job=alert.job_id)
    elif failure.container:
        names = {"container": f";{failure.container}", "operation": listed_operation(failure)}
        row = _newest("failed_jobs_of_item", failure.failed_at, azure, **names)
    else:
        return None
    return _logged(row, failure) if row else None


def _newest(name: str, about: datetime, azure: Azure, **values: str) -> dict[str, Any] | None:
    rows = azure.query_logs(query(name, **values), (about - LOOK_BACK, about + timedelta(hours=24)))
    return rows[0] if rows else None


def _logged(row: Mapping[str, Any], failure: Failure) -> Job:
    job = logged_job(row)
    return replace(job, item_name=failure.item_name or job.item_name, container=failure.container or job.container)


def logged_job(row: Mapping[str, Any]) -> Job:
    """A row of AddonAzureBackupJobs. A VM's container is the end of the item's unique id: `…;iaasvmcontainerv2;<group>;<vm>`."""
    code, seconds = str(row.get("JobFailureCode") or ""), row.get("JobDurationInSecs")
    started = parse_time(row.get("JobStartDateTime"))
    kind = str(row.get("AdHocOrScheduledJob") or "").lower()
    _, mark, names = str(row.get("BackupItemUniqueId") or "").lower().partition("iaasvmcontainerv2;")
    return Job(
        id=str(row.get("JobUniqueId") or ""),
        status=str(row.get("JobStatus") or ""),
        operation=str(row.get("JobOperation") or "Backup"),
        item_name=names.rpartition(";")[2],
        container=mark + names,
        started_at=started,
        ended_at=started + timedelta(seconds=seconds) if started and isinstance(seconds, int | float) else None,
        scheduled=kind == "scheduled" if kind else None,
        error_code="" if code.lower() == "success" else code,
    )


def filter_time(time: datetime) -> str:
    """`2026-11-22 07:30:00 PM`, the form that the list's filter wants, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %I:%M:%S %p")
