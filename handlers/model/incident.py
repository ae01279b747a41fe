"""An incident: one protected item from its first failure until its next good backup, or of its restores until one completes. It owns one ticket.

Pure values and transitions: each takes the incident as it is and gives the incident as it is to be, or None when nothing changes.
`handlers/records/incidents.py` keeps them in table storage; `delivery` says what the ticket shows (model/delivery.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct, field

from handlers.model.delivery import OPEN, RESOLVED, Delivery, raised, settled
from handlers.model.failure import RESTORE, Alert, Failure, Job
from handlers.model.words import Verdict

REOPENED_WITHIN = timedelta(hours=24)
SAME_START = timedelta(minutes=2)
"""Two reports of a job name start times that differ by less; two jobs of an item cannot start that close together."""
SAME_FAILURE = timedelta(hours=2)
"""Without a job: backups of a VM are at least four hours apart (enhanced policy), reports of one failure less than two.
https://learn.microsoft.com/azure/backup/backup-azure-vms-enhanced-policy"""
MOST_FAILURES_KEPT = 20
ALONE, IN_BULK, UNREAD, LEFT_OVER = "alone", "bulk", "unread", "left over"
MOST_PAST_KEPT = 5


class KnownFailure(Struct, frozen=True):
    """One failed job as it was counted; the id and the start are empty when no job could be read."""

    job_id: str
    started_at: datetime | None
    failed_at: datetime


def is_among(known_ones: Iterable[KnownFailure], failure: Failure) -> bool:
    """Whether a failure is one of those that are known, whichever source reports it."""
    job = failure.job
    job_id = (job.id if job else failure.alert.job_id).lower()
    for known in known_ones:
        if job_id and known.job_id == job_id:
            return True
        if job and job.started_at and known.started_at:
            if abs(job.started_at - known.started_at) <= SAME_START:
                return True
        elif not (job_id and known.job_id) and abs(failure.failed_at - known.failed_at) <= SAME_FAILURE:
            return True
    return False


class PastIncident(Struct, frozen=True):
    """An earlier incident of the same item: when it failed first, with which code, and the cause that stood at its end."""

    id: str
    code: str
    failed_at: datetime
    cause: str = ""
    """The confirmed one; empty when there was none."""
    ticket_id: str = ""
    ticket_url: str = ""


class Incident(Struct, frozen=True):
    key: str
    """Of the protected item: 32 characters `[0-9a-f]`, the same for the same item."""
    id: str
    """Of this incident: the item's next one, after a recovery and a day, has another."""
    status: str
    """`open` or `resolved`."""
    failures: int
    first_failed_at: datetime
    known: tuple[KnownFailure, ...]
    """The newest failures, the last one last."""
    delivery: Delivery = field(default_factory=Delivery)
    code: str = ""
    region: str = ""
    item_id: str = ""
    item_name: str = ""
    vm_id: str = ""
    vault_id: str = ""
    workload: str = ""
    operation: str = ""
    """What fails, such as `restore`; empty in rows of releases that knew backups only."""
    severity: str = ""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """By cause, as the ticket shows them; of a storm's member, of its last diagnosis. Empty before."""
    recorded_at: datetime | None = None
    """When the newest version was recorded."""
    resolved_at: datetime | None = None
    recovered_at: datetime | None = None
    """When the backup that proves the recovery had ended."""
    recovery_job_id: str = ""
    """The job that proves the recovery; empty while open, and for an incident that ended because its VM is no longer backed up."""
    storm: str = ""
    """The id of the storm whose ticket speaks for this incident; empty when it has its own."""
    diagnosed: bool = False
    """For a member of a storm: whether the background pass has diagnosed it."""
    looked: str = ""
    """Of a storm's member: how its VM was read, `alone`, `bulk` or `unread` (Azure did not show it);
    `left over`: it went on failing when the others had recovered. Else empty."""
    last_good_at: datetime | None = None
    """Of a storm's member: when its last good backup began, as far as it is known."""
    owner: str = ""
    """Of a storm's member: whose it is, by its tags."""
    past: tuple[PastIncident, ...] = ()
    """Earlier incidents of the item, the newest first."""
    etag: str = ""

    @property
    def last_failed_at(self) -> datetime:
        return self.known[-1].failed_at

    @property
    def last_job_id(self) -> str:
        return self.known[-1].job_id

    @property
    def confirmed(self) -> tuple[str, ...]:
        return tuple(cause for cause, verdict in self.verdicts.items() if verdict is Verdict.CONFIRMED)

    @property
    def same_before(self) -> PastIncident | None:
        """The item's last incident with the same error; None when there was none, or it is no longer kept."""
        return next((past for past in self.past if past.code and past.code == self.code), None)

    @property
    def needs_post(self) -> bool:
        """Whether its own ticket must still change; a storm's member has none."""
        return self.delivery.work_left and not self.storm

    @property
    def is_active(self) -> bool:
        """Whether the sweep has anything to do with it."""
        return self.status == OPEN or self.needs_post

    @property
    def is_of_restores(self) -> bool:
        return self.operation == RESTORE

    def is_ended_by(self, job: Job) -> bool:
        """Whether a job proves the recovery: it has completed since, and is a restore if restores fail. Of all else a backup is the proof."""
        return job.is_restore is self.is_of_restores and job.completed_after(self.last_failed_at)

    def knows(self, failure: Failure) -> bool:
        """Whether this failure is counted already, whichever source reports it."""
        return is_among(self.known, failure)

    def knows_job(self, job_id: str) -> bool:
        """Whether a failed job of that id is counted already."""
        return bool(job_id) and job_id.lower() in (known.job_id for known in self.known)

    def alert(self) -> Alert:
        """What is known of the last failure, as an alert: to diagnose it again."""
        return Alert(
            source="incident", id=self.id, fired_at=self.last_failed_at, severity=self.severity, error_code=self.code,
            job_id=self.last_job_id, item_id=self.item_id, item_name=self.item_name, vault_id=self.vault_id, vm_id=self.vm_id,
            workload=self.workload, operation=self.operation,
        )  # fmt: skip


def key_of(item_key: str) -> str:
    return hashlib.sha256(item_key.lower().encode()).hexdigest()[:32]


def failed(
    incident: Incident | None, failure: Failure, code: str, now: datetime, *, region: str = "", storm: str = ""
) -> Incident | None:
    """The incident after a failure; None for a failure that is known, or that a later backup has mended.

    `storm` is the id of the storm that a new incident of that region and code is a member of.
    """
    new = replace(_opened(failure, code, region, now), storm=storm)
    if incident is None:
        return new
    if incident.knows(failure):
        return None
    if incident.status == OPEN:
        return _changed(_with(incident, failure, code), now)
    if incident.recovered_at and failure.failed_at <= incident.recovered_at:
        return None
    if _reopens(incident, now):
        again = replace(_with(incident, failure, code), status=OPEN, resolved_at=None, recovered_at=None, recovery_job_id="")
        return _changed(again, now)
    return replace(new, etag=incident.etag, past=(_past(incident), *incident.past)[:MOST_PAST_KEPT])


def _past(incident: Incident) -> PastIncident:
    """A row that has ended, as its item's next incident remembers it."""
    ticket = incident.delivery.ticket
    cause = next(iter(incident.confirmed), "")
    return PastIncident(incident.id, incident.code, incident.first_failed_at, cause, ticket.ticket_id, ticket.ticket_url)


def _reopens(incident: Incident, now: datetime) -> bool:
    """Within a day of its end, or while its ticket does not show the end yet: nobody must wait for a ticket that never closes."""
    lately = incident.resolved_at is not None and now - incident.resolved_at <= REOPENED_WITHIN
    return not incident.storm and (lately or incident.delivery.work_left)


def muted(incident: Incident | None, quiet: bool) -> Incident | None:
    """The incident as one of which nothing need be posted, if it is quiet."""
    if incident is None or not quiet:
        return incident
    return replace(incident, delivery=settled(incident.delivery, incident.delivery.version))


def recovered(incident: Incident | None, job: Job, now: datetime) -> Incident | None:
    """The incident resolved; `job` is the completed backup or restore that proves it. None unless it is open and failed before that."""
    if incident is None or incident.status != OPEN or not incident.is_ended_by(job):
        return None
    ended_at = job.ended_at or job.started_at or now
    return _changed(replace(incident, status=RESOLVED, resolved_at=now, recovered_at=ended_at, recovery_job_id=job.id), now)


def gone(incident: Incident | None, failures: int, now: datetime) -> Incident | None:
    """The incident ended because its item is no longer backed up; None if it has failed again, or ended, meanwhile."""
    if incident is None or incident.status != OPEN or incident.failures != failures:
        return None
    return _changed(replace(incident, status=RESOLVED, resolved_at=now), now)


def reread(incident: Incident | None, failures: int, now: datetime) -> Incident | None:
    """The incident with one more version to show, because a second diagnosis of the same failure found something else."""
    same = incident is not None and incident.status == OPEN and incident.failures == failures and not incident.storm
    return _changed(incident, now) if incident and same else None


def joined(incident: Incident | None, storm_id: str) -> Incident | None:
    """The incident as a member of a storm, whose ticket speaks for it; None once it has a ticket of its own, or may have."""
    if incident is None or incident.delivery.has_ticket or incident.storm or incident.looked == LEFT_OVER:
        return None
    return replace(incident, storm=storm_id)


def moved(incident: Incident | None, storm_id: str, other_id: str) -> Incident | None:
    """A storm's member as a member of another storm."""
    return replace(incident, storm=other_id) if incident and incident.storm == storm_id else None


def left(incident: Incident | None, storm_id: str, now: datetime) -> Incident | None:
    """An open member of a storm that has ended, as an incident that needs a ticket of its own."""
    if incident is None or incident.storm != storm_id or incident.status != OPEN:
        return None
    return _changed(replace(incident, storm="", diagnosed=False, looked=LEFT_OVER), now)


def member_diagnosed(
    incident: Incident | None, failures: int, verdicts: Mapping[str, Verdict], looked: str = ALONE,
    last_good_at: datetime | None = None, owner: str = "",
) -> Incident | None:  # fmt: skip
    """A storm's member with its diagnosis; None if it has changed meanwhile."""
    same = incident is not None and incident.storm and incident.failures == failures
    return (
        replace(incident, verdicts=verdicts, diagnosed=True, looked=looked, last_good_at=last_good_at, owner=owner)
        if incident and same
        else None
    )


def _changed(incident: Incident, now: datetime) -> Incident:
    return replace(incident, delivery=raised(incident.delivery, incident.status), recorded_at=now)


def _opened(failure: Failure, code: str, region: str, now: datetime) -> Incident:
    known = _known(failure)
    incident = Incident(
        key=key_of(failure.key),
        id=key_of(f"{failure.key} {known.job_id or failure.failed_at.isoformat()}"),
        status=OPEN,
        failures=1,
        first_failed_at=failure.failed_at,
        known=(known,),
        code=code,
        region=region,
        item_id=failure.item.id if failure.item else "",
        item_name=failure.item_name,
        vm_id=failure.vm.id if failure.vm else "",
        vault_id=failure.vault.id if failure.vault else failure.alert.vault_id,
        workload=failure.workload,
        operation=failure.operation,
        severity=failure.alert.severity,
    )
    return _changed(incident, now)


def _with(incident: Incident, failure: Failure, code: str) -> Incident:
    known = sorted((*incident.known, _known(failure)), key=lambda one: one.failed_at)
    return replace(
        incident, failures=incident.failures + 1, known=tuple(known[-MOST_FAILURES_KEPT:]), code=code, diagnosed=False, looked=""
    )


def _known(failure: Failure) -> KnownFailure:
    job = failure.job
    return KnownFailure((job.id if job else failure.alert.job_id).lower(), job.started_at if job else None, failure.failed_at)
