"""Story (timer): what no alert told. Failed jobs without an incident are queued; incidents whose next backup worked are resolved.

Azure never alerts on a backup that was already in progress, on a VM that was deleted, and after failed deliveries; action groups
drop what is over their rate. https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError

from handlers import backup_recovered, last_resort, many_failed
from handlers.alerts import failed_job
from handlers.azure.arm import NotRead
from handlers.facts import why_unread
from handlers.facts.job_history import jobs_in_log
from handlers.facts.jobs import READ_JOBS, is_of_item, list_jobs
from handlers.facts.vaults import vaults_of
from handlers.model import Failure, Incident, Job, KnownFailure, NotNow, ResourceId
from handlers.model.incident import is_among, key_of
from handlers.model.storm import storm_key
from handlers.records.alert_queue import Message
from handlers.records.retention import forget
from handlers.records.vault_marks import Mark
from handlers.tell import SECOND_LOOK
from handlers.wiring import Tools

log = logging.getLogger(__name__)

UNREAD = (AzureError, NotRead, ValueError)
OVERLAP = timedelta(hours=24)
"""Jobs are listed by their start, and a backup may run for many hours: each sweep lists this far back again."""
LATE = timedelta(hours=3)
"""Jobs may show up late, in Log Analytics above all: what ended this long before the last sweep is looked at again."""
LONGEST_LOOK_BACK = timedelta(days=7)
SETTLED = timedelta(minutes=10)
"""A job that failed a moment ago has an alert under way, which tells more."""
STUCK = timedelta(minutes=15)
TIME_SECONDS = 240.0


@dataclass
class Sweep:
    """One sweep: what it knows, and what it found."""

    tools: Tools
    until: datetime
    """Jobs that ended later are left to the next sweep."""
    open_ones: Sequence[Incident]
    known: Mapping[str, tuple[KnownFailure, ...]]
    """The failures of the last days, by the key of their incident."""
    marks: dict[str, Mark]
    logged: Mapping[str, list[Job]] = field(default_factory=dict)
    storms: set[str] = field(default_factory=set)
    """Keys of the storms that have members which recovered: their next look is due now."""
    vaults: int = 0
    failed: int = 0
    recovered: int = 0


def handle(tools: Tools, *, settled: timedelta = SETTLED) -> Sweep:
    """One sweep. It ends in time; the next one begins with the vaults that were read longest ago."""
    now, ends = tools.now(), time.monotonic() + TIME_SECONDS
    last_resort.try_unposted_again(tools)
    known = {incident.key: incident.known for incident in tools.incidents.failed_since(now - LONGEST_LOOK_BACK - OVERLAP)}
    sweep = Sweep(tools, now - settled, list(tools.incidents.open_ones()), known, tools.marks.all(), _logged(now, tools))
    for mark in sorted(vaults_to_read(sweep), key=lambda mark: mark.read_until or datetime.min.replace(tzinfo=UTC)):
        if time.monotonic() > ends:
            log.warning("sweep out of time: the other vaults come next")
            break
        read_vault(mark, sweep)
    for incident in sweep.open_ones:
        wake(incident, now, tools)
    for storm in tools.storms.open_ones():
        if storm.key in sweep.storms or storm.next_at < now - STUCK:
            many_failed.announce(replace(storm, next_at=now), tools)
    forget(sweep.marks, now, tools)
    log.info("sweep done vaults=%d failed=%d recovered=%d", sweep.vaults, sweep.failed, sweep.recovered)
    return sweep


def vaults_to_read(sweep: Sweep) -> list[Mark]:
    """The vaults of the watched subscriptions, and those of open incidents."""
    found = [incident.vault_id for incident in sweep.open_ones if ResourceId.parse(incident.vault_id)]
    for subscription in sweep.tools.settings.watched_subscriptions:
        scope = sweep.marks.get(f"/subscriptions/{subscription}", Mark(f"/subscriptions/{subscription}"))
        try:
            found += vaults_of(subscription, sweep.tools.azure)
        except UNREAD as error:
            tell_unread(scope, error, sweep.tools)
        else:
            tell_read(scope, sweep.tools)
    by_key = {vault_id.lower(): vault_id for vault_id in found}
    return [sweep.marks.get(key, Mark(vault_id)) for key, vault_id in by_key.items()]


def read_vault(mark: Mark, sweep: Sweep) -> None:
    """Queue the vault's failed jobs that have no incident, resolve its incidents that have a good backup."""
    vault = ResourceId.parse(mark.vault_id)
    if vault is None:
        return
    incidents = [incident for incident in sweep.open_ones if incident.vault_id.lower() == vault.key]
    oldest = min([mark.read_until or sweep.until, *(incident.last_failed_at for incident in incidents)])
    since = max(oldest - OVERLAP, sweep.until - LONGEST_LOOK_BACK)
    try:
        jobs = sweep.logged.get(vault.key) or list_jobs(vault, since, sweep.tools.now(), sweep.tools.azure)
    except UNREAD as error:
        tell_unread(mark, error, sweep.tools)
        return
    queue_failed(jobs, mark, sweep)
    for incident in incidents:
        resolve_if_good(incident, jobs, sweep)
    sweep.vaults += 1
    sweep.tools.marks.save(Mark(mark.vault_id, read_until=sweep.until))


def queue_failed(jobs: Sequence[Job], mark: Mark, sweep: Sweep) -> None:
    """Only for watched subscriptions; what has succeeded since needs nobody."""
    vault = ResourceId.parse(mark.vault_id)
    if vault is None or vault.subscription.lower() not in sweep.tools.settings.watched_subscriptions:
        return
    since = (mark.read_until or sweep.until - OVERLAP + LATE) - LATE
    for job in jobs:
        ended = job.ended_at or job.started_at
        missed = job.status.lower() == "failed" and job.container and ended and since < ended <= sweep.until
        if missed and not good_after(job, jobs) and not is_known(job, mark.vault_id, sweep):
            log.info("sweep found failed job %s without an incident", job.id)
            sweep.tools.queue.put(failed_job.body_of(job, mark.vault_id))
            sweep.failed += 1


def is_known(job: Job, vault_id: str, sweep: Sweep) -> bool:
    alert = failed_job.alert_of(job, vault_id)
    failure = Failure.of(alert, job, sweep.until)
    return is_among(sweep.known.get(key_of(failure.key), ()), failure)


def good_after(failed: Job, jobs: Sequence[Job]) -> bool:
    """Whether a backup of the same VM that started later has completed."""
    return any(job.container == failed.container and job.completed_after(failed.started_at) for job in jobs)


def resolve_if_good(incident: Incident, jobs: Sequence[Job], sweep: Sweep) -> None:
    failure = Failure.of(incident.alert(), None, sweep.until)
    good = next((job for job in jobs if is_of_item(job, failure) and job.completed_after(incident.last_failed_at)), None)
    if good is None:
        return
    try:
        sweep.recovered += backup_recovered.resolve(incident, good, Message(kind="sweep", id="sweep"), sweep.tools)
    except NotNow as wait:
        log.info("incident %s recovered, and is resolved with the next sweep: %s", incident.id, wait)
    if incident.storm:
        sweep.storms.add(storm_key(incident.region, incident.code))


def wake(incident: Incident, now: datetime, tools: Tools) -> None:
    """A change that was begun and never posted, though its claim ended long ago, is taken up again."""
    waiting = incident.pending and incident.status == "open"
    if waiting and (incident.claimed_until or incident.last_failed_at) < now - STUCK:
        tools.queue.note(SECOND_LOOK, incident=incident.key, failures=incident.failures)


def tell_unread(mark: Mark, error: Exception, tools: Tools) -> None:
    """Report a vault that cannot be read once, not with each sweep."""
    why = why_unread(error, (READ_JOBS,))
    if mark.unread != why.why.value:
        log.warning("vault unread: %s: %s %s", mark.vault_id, why.why.value, why.detail)
        tools.marks.save(replace(mark, unread=why.why.value))


def tell_read(mark: Mark, tools: Tools) -> None:
    if mark.unread:
        log.info("readable again: %s", mark.vault_id)
        tools.marks.save(replace(mark, unread=""))


def _logged(now: datetime, tools: Tools) -> dict[str, list[Job]]:
    """The jobs in Log Analytics; nothing without a workspace, or when it cannot be asked: then the job API is."""
    if not tools.azure.has_workspace:
        return {}
    try:
        return jobs_in_log(now - LONGEST_LOOK_BACK, now, tools.azure)
    except UNREAD as error:
        log.warning("sweep reads the job API, Log Analytics is unread: %s", why_unread(error).why.value)
        return {}
