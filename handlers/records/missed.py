"""What a sweep makes of a vault's jobs: failed ones that nobody knows, good ones that end an incident, items that are gone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from handlers.alerts import failed_job
from handlers.azure.arm import Azure
from handlers.facts.jobs import is_of_item
from handlers.facts.muted import is_muted
from handlers.facts.protection import is_gone
from handlers.model import Failure, Incident, Job
from handlers.model.delivery import OPEN
from handlers.model.incident import is_among, key_of
from handlers.records.alert_queue import AlertQueue
from handlers.records.incidents import Incidents
from handlers.records.vault_marks import Mark, VaultMarks
from handlers.records.vault_sweep import VaultJobs, VaultSweep
from handlers.settings import Settings

log = logging.getLogger(__name__)

GONE_AFTER = timedelta(days=2)
"""An incident that has not failed for so long, and has no good backup either, may have an item that is no longer backed up."""
RESTORE_ENDS_AFTER = timedelta(days=7)
"""An incident of restores ends when nobody has tried again for so long: restores are not repeated by a schedule. docs/decisions.md"""
ASKED = Mark("protection")


class Tools(Protocol):
    """What of the stories' tools is used here."""

    @property
    def settings(self) -> Settings: ...
    @property
    def azure(self) -> Azure: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def marks(self) -> VaultMarks: ...
    @property
    def queue(self) -> AlertQueue: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


def ended_incidents(tools: Tools, settled: timedelta, counts: Counter[str]) -> Iterator[tuple[Incident, Job | None]]:
    """Goes through the vaults: the open incidents that are over, each with the job that proves it, or None if none will come.

    Failed jobs that no incident knows are queued. `counts` gets the number of vaults and of these jobs.
    """
    now, watched, active = tools.now(), tools.settings.watched_subscriptions, list(tools.incidents.active())
    incidents = [incident for incident in active if incident.status == OPEN]
    for vault in VaultSweep(tools.azure, tools.marks, now - settled, now).vaults(watched, incidents):
        counts["vaults"] += 1
        counts["failed"] += queue_missed(vault, active, watched, tools)
        yield from good_jobs(vault, incidents)
    yield from ((incident, None) for incident in without_end(incidents, tools.marks, tools.azure, now))


def queue_missed(vault: VaultJobs, active: Sequence[Incident], watched: Collection[str], tools: Tools) -> int:
    """Queue the failed jobs of a watched vault that no incident knows and no rule in Azure mutes; how many."""
    if vault.vault.subscription.lower() not in watched:
        return 0
    by_key, count = {incident.key: incident for incident in active}, 0
    for job in vault.missed():
        failure = Failure.of(failed_job.alert_of(job, vault.vault.id), job, vault.until)
        key = key_of(failure.key)
        incident = by_key.get(key) or tools.incidents.find(key)
        if incident is not None and is_among(incident.known, failure):
            continue
        if is_muted(job, vault.vault, tools.azure):
            log.info("sweep leaves failed job %s: an alert processing rule mutes it", job.id)
            continue
        log.info("sweep found failed job %s without an incident", job.id)
        tools.queue.put(failed_job.body_of(job, vault.vault.id))
        count += 1
    return count


def good_jobs(vault: VaultJobs, incidents: Sequence[Incident]) -> Iterator[tuple[Incident, Job]]:
    """The vault's open incidents that a later backup (of restores a later restore) has mended, each with that job."""
    for incident in incidents:
        if incident.vault_id.lower() != vault.vault.key:
            continue
        failure = Failure.of(incident.alert(), None, vault.until)
        good = (job for job in vault.jobs if is_of_item(job, failure) and incident.is_ended_by(job))
        if job := next(good, None):
            yield incident, job


def without_end(incidents: Sequence[Incident], marks: VaultMarks, azure: Azure, now: datetime) -> Iterator[Incident]:
    """Open incidents that no good job will end: their item is no longer backed up, or nobody restores it again. Asked once a day."""
    asked = marks.all().get(ASKED.vault_id, ASKED).read_until
    if asked and now - asked < timedelta(days=1):
        return
    yield from (incident for incident in incidents if _has_no_end(incident, azure, now))
    marks.save(Mark(ASKED.vault_id, read_until=now))


def _has_no_end(incident: Incident, azure: Azure, now: datetime) -> bool:
    """A restore's item need not be backed up any more: its recovery points can still be restored from."""
    quiet = now - incident.last_failed_at
    if incident.is_of_restores:
        return quiet > RESTORE_ENDS_AFTER
    return quiet > GONE_AFTER and is_gone(Failure.of(incident.alert(), None, now), azure)
