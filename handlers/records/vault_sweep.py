"""The vaults that a sweep reads, one after the other, the one that was read longest ago first; what cannot be read is reported once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError
from msgspec import Struct

from handlers.azure.arm import Azure, NotRead
from handlers.facts import why_unread
from handlers.facts.job_history import jobs_in_log
from handlers.facts.jobs import EVERY_OPERATION, READ_JOBS, list_jobs
from handlers.facts.vaults import vaults_of
from handlers.model import Incident, Job, ResourceId
from handlers.model.failure import BACKUP, RESTORE, operation_named
from handlers.records.vault_marks import Mark, VaultMarks

log = logging.getLogger(__name__)

SWEPT = (BACKUP, RESTORE)
UNREAD = (AzureError, NotRead, ValueError)
OVERLAP = timedelta(hours=24)
"""Jobs are listed by their start, and a backup may run for many hours: each sweep lists this far back again."""
LATE = timedelta(hours=3)
"""Jobs may show up late, in Log Analytics above all: what ended this long before the last sweep is looked at again."""
LONGEST_LOOK_BACK = timedelta(days=7)
TIME_SECONDS = 240.0


class VaultJobs(Struct, frozen=True):
    """The backups and restores of a vault, newest first; failed ones count from `since` to `until`."""

    vault: ResourceId
    jobs: tuple[Job, ...]
    since: datetime
    until: datetime

    def missed(self) -> Iterator[Job]:
        """Failed jobs of that time that no later one of the same kind has mended for the same VM."""
        for job in self.jobs:
            ended = job.ended_at or job.started_at
            failed = job.status.lower() == "failed" and job.container and ended and self.since < ended <= self.until
            alike = (other for other in self.jobs if other.container == job.container and other.is_restore is job.is_restore)
            mended = any(other.completed_after(job.started_at) for other in alike)
            if failed and not mended:
                yield job


class VaultSweep(Struct, frozen=True):
    """One sweep over the vaults of the watched subscriptions and of open incidents. Jobs that ended after `until` are left out."""

    azure: Azure
    marks: VaultMarks
    until: datetime
    now: datetime

    def vaults(self, subscriptions: Iterable[str], incidents: Iterable[Incident]) -> Iterator[VaultJobs]:
        """The jobs of each vault; ends in time, and begins with the others the next time."""
        ends, marks, logged = time.monotonic() + TIME_SECONDS, self.marks.all(), self._logged()
        open_since = oldest_failures(incidents)
        for mark in sorted(self._to_read(subscriptions, open_since, marks), key=_read_until):
            if time.monotonic() > ends:
                log.warning("sweep out of time: the other vaults come next")
                return
            vault = ResourceId.parse(mark.vault_id)
            jobs = self._jobs(vault, mark, open_since, logged) if vault else None
            if vault and jobs is not None:
                since = (mark.read_until or self.until - OVERLAP + LATE) - LATE
                yield VaultJobs(vault, tuple(jobs), since, self.until)
                self.marks.save(Mark(mark.vault_id, read_until=self.until))

    def _to_read(self, subscriptions: Iterable[str], open_since: Mapping[str, datetime], marks: dict[str, Mark]) -> list[Mark]:
        vault_ids = list(open_since)
        for subscription in subscriptions:
            scope = marks.get(f"/subscriptions/{subscription}", Mark(f"/subscriptions/{subscription}"))
            try:
                vault_ids += vaults_of(subscription, self.azure)
            except UNREAD as error:
                self._report_unread(scope, error)
            else:
                self._report_read(scope)
        by_key = {vault_id.lower(): vault_id for vault_id in vault_ids if ResourceId.parse(vault_id)}
        return [marks.get(key, Mark(vault_id)) for key, vault_id in by_key.items()]

    def _jobs(
        self, vault: ResourceId, mark: Mark, open_since: Mapping[str, datetime], logged: Mapping[str, list[Job]]
    ) -> list[Job] | None:
        """None when they cannot be read."""
        oldest = min(mark.read_until or self.until, open_since.get(vault.key, self.until))
        since = max(oldest - OVERLAP, self.until - LONGEST_LOOK_BACK)
        try:
            return logged.get(vault.key) or [job for job in self._listed(vault, since) if operation_named(job.operation) in SWEPT]
        except UNREAD as error:
            self._report_unread(mark, error)
            return None

    def _listed(self, vault: ResourceId, since: datetime) -> list[Job]:
        """One list for backups and restores: the service filters by one operation or by none."""
        return list_jobs(vault, since, self.now, self.azure, operation=EVERY_OPERATION)

    def _logged(self) -> dict[str, list[Job]]:
        """The jobs in Log Analytics; nothing without a workspace, or when it cannot be asked: then the job API is."""
        if not self.azure.has_workspace:
            return {}
        try:
            return jobs_in_log(self.now - LONGEST_LOOK_BACK, self.now, self.azure)
        except UNREAD as error:
            log.warning("sweep reads the job API, Log Analytics is unread: %s", why_unread(error).why.value)
            return {}

    def _report_unread(self, mark: Mark, error: Exception) -> None:
        why = why_unread(error, (READ_JOBS,))
        if mark.unread != why.why.value:
            log.warning("vault unread: %s: %s %s", mark.vault_id, why.why.value, why.detail)
            self.marks.save(replace(mark, unread=why.why.value))

    def _report_read(self, mark: Mark) -> None:
        if mark.unread:
            log.info("readable again: %s", mark.vault_id)
            self.marks.save(replace(mark, unread=""))


def oldest_failures(incidents: Iterable[Incident]) -> dict[str, datetime]:
    """By vault (its id in lower case), when the last failure of its open incidents was, the oldest one's."""
    oldest: dict[str, datetime] = {}
    for incident in incidents:
        key = incident.vault_id.lower()
        oldest[key] = min(oldest.get(key, incident.last_failed_at), incident.last_failed_at)
    return oldest


def _read_until(mark: Mark) -> datetime:
    return mark.read_until or datetime.min.replace(tzinfo=UTC)
