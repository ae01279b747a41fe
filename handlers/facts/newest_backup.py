"""The newest backup of an item, for somebody who has started one and waits for its end: at most two reads every 20 seconds.

https://learn.microsoft.com/rest/api/backup/backup-jobs/list and https://learn.microsoft.com/rest/api/backup/job-details/get
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers.azure.arm import Azure, NotRead
from handlers.facts import why_unread
from handlers.facts.jobs import LOOK_BACK, READ_JOBS, is_of_item, job_details, list_jobs
from handlers.model import Failure, Incident, Job, ResourceId, Unknown

log = logging.getLogger(__name__)

KEPT_SECONDS = 20.0
"""How old an answer may be: whoever asks more often, or together, costs no further read."""
A_DAY = timedelta(days=1)


def newest_backup(incident: Incident, azure: Azure, now: datetime) -> Job | Unknown | None:
    """The item's newest backup that began after the failed one, with its tasks while it runs; None when none has begun."""
    from azure.core.exceptions import AzureError

    failure = Failure.of(incident.alert(), None, now)
    if failure.vault is None:
        return None
    try:
        job = _newest(_listed(failure.vault, incident, azure, now), incident, failure)
        return _with_tasks(job, failure.vault, azure) if job and job.running else job
    except (AzureError, NotRead) as error:
        unread = why_unread(error, (READ_JOBS,))
        log.info("the newest backup is unread: %s", unread.why)
        return unread


def _listed(vault: ResourceId, incident: Incident, azure: Azure, now: datetime) -> Sequence[Job]:
    """The vault's jobs since the full hour before the failure, which many that failed then share; of two days at most."""
    since = max(incident.last_failed_at, now - LOOK_BACK).replace(minute=0, second=0, microsecond=0)
    key = f"backups {vault.key} {since:%Y-%m-%dT%H}"
    return azure.shared.get(key, lambda: list_jobs(vault, since, now + A_DAY, azure), seconds=KEPT_SECONDS)


def _newest(jobs: Sequence[Job], incident: Incident, failure: Failure) -> Job | None:
    """The item's newest job that is not one of those that failed; the list has the newest first."""
    known = {known.job_id for known in incident.known}
    own = (job for job in jobs if is_of_item(job, failure) and job.id.lower() not in known)
    return next((job for job in own if job.started_at and job.started_at > incident.last_failed_at), None)


def _with_tasks(job: Job, vault: ResourceId, azure: Azure) -> Job:
    return azure.shared.get(f"job {vault.key} {job.id}", lambda: job_details(vault, job.id, azure), seconds=KEPT_SECONDS)
