"""An incident: one protected item from its first failure until its next good backup. It owns one ticket.

Pure values and transitions; `handlers/incidents.py` keeps them in table storage. A change of an incident is begun (it is then
claimed: `pending` names it), posted, and settled. Whoever finds a change begun and not settled takes it over once its claim has
ended, and posts it again under the same `change_id`: a target recognises the repeat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from handlers.model.failure import Alert, Failure, Job
from handlers.model.words import Verdict

CLAIM = timedelta(minutes=3)
"""How long a change may take from its begin to its posting, the slowest Azure and ticket system included."""
REOPENED_WITHIN = timedelta(hours=24)
SAME_START = timedelta(minutes=2)
"""Two reports of a job name start times that differ by less; two jobs of an item cannot start that close together."""
SAME_FAILURE = timedelta(hours=2)
"""Without a job: backups of a VM are at least four hours apart (enhanced policy), reports of one failure less than two.
https://learn.microsoft.com/azure/backup/backup-azure-vms-enhanced-policy"""
MOST_FAILURES_KEPT = 20

OPENED, UPDATED, RESOLVED, REOPENED = "incident.opened", "incident.updated", "incident.resolved", "incident.reopened"


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One failed job as it was counted; the id and the start are empty when no job could be read."""

    job_id: str
    started_at: datetime | None
    failed_at: datetime


def is_among(known_ones: Iterable[KnownFailure], failure: Failure) -> bool:
    """Whether a failure is one of those that are known, whichever source tells of it."""
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


@dataclass(frozen=True, slots=True)
class Incident:
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
    code: str = ""
    region: str = ""
    item_id: str = ""
    item_name: str = ""
    vm_id: str = ""
    vault_id: str = ""
    workload: str = ""
    severity: str = ""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """By cause, of the last diagnosis; empty while none was made."""
    ticket_id: str = ""
    ticket_url: str = ""
    change: int = 1
    """Number of the change begun last."""
    pending: str = ""
    """The event type of the change that is begun and not settled."""
    holder: str = ""
    """Who works on it: the id of the queue message."""
    claimed_until: datetime | None = None
    resolved_at: datetime | None = None
    recovered_at: datetime | None = None
    """When the backup that proves the recovery had ended."""
    storm: str = ""
    """The id of the storm whose ticket speaks for this incident; empty when it has its own."""
    look: str = ""
    """For a member of a storm: `first` when the facts were read that cost little, `all` when all were; empty before."""
    etag: str = ""

    @property
    def last_failed_at(self) -> datetime:
        return self.known[-1].failed_at

    @property
    def last_job_id(self) -> str:
        return self.known[-1].job_id

    @property
    def change_id(self) -> str:
        """The same for every posting of the same change."""
        return f"{self.id}.{self.change}.{self.pending.rpartition('.')[2]}"

    @property
    def confirmed(self) -> tuple[str, ...]:
        return tuple(cause for cause, verdict in self.verdicts.items() if verdict is Verdict.CONFIRMED)

    def knows(self, failure: Failure) -> bool:
        """Whether this failure is counted already, whichever source tells of it."""
        return is_among(self.known, failure)

    def alert(self) -> Alert:
        """What is known of the last failure, as an alert: to look at it again."""
        return Alert(
            source="incident", id=self.id, fired_at=self.last_failed_at, severity=self.severity, error_code=self.code,
            job_id=self.last_job_id, item_id=self.item_id, item_name=self.item_name, vault_id=self.vault_id, vm_id=self.vm_id,
            workload=self.workload,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to post for a failure, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is posting a change of the incident until then."""

    until: datetime


def key_of(item_key: str) -> str:
    return hashlib.sha256(item_key.lower().encode()).hexdigest()[:32]


def begin(
    found: Incident | None, failure: Failure, code: str, holder: str, now: datetime, *, region: str = "", storm: str = ""
) -> Incident | Nothing | Busy:
    """The incident with the change that a failure makes begun and claimed; or why there is nothing to do.

    `storm` is the id of a storm that rages where a new incident would open. One in a storm has nothing to post.
    """
    begun = _begin(found, failure, code, holder, now)
    if isinstance(begun, Incident) and begun.pending == OPENED:
        begun = replace(begun, region=region)
        return in_storm(begun, storm) if storm and not (found and found.pending) else begun
    return replace(in_storm(begun, begun.storm), look="") if isinstance(begun, Incident) and begun.storm else begun


def _begin(found: Incident | None, failure: Failure, code: str, holder: str, now: datetime) -> Incident | Nothing | Busy:
    if found is None:
        return claimed(_opened(failure, code), OPENED, holder, now)
    if found.pending:
        if found.holder != holder and found.claimed_until and found.claimed_until > now:
            return Busy(found.claimed_until)
        return _taken_over(found, failure, code, holder, now)
    if found.knows(failure):
        return Nothing("this failure is known")
    if found.status == "open":
        return claimed(_with(found, failure, code), UPDATED, holder, now)
    if found.recovered_at and failure.failed_at <= found.recovered_at:
        return Nothing("a later backup has completed")
    if found.resolved_at and now - found.resolved_at <= REOPENED_WITHIN and not found.storm:
        return claimed(_reopened(found, failure, code), REOPENED, holder, now)
    return replace(claimed(_opened(failure, code), OPENED, holder, now), etag=found.etag)


def _taken_over(found: Incident, failure: Failure, code: str, holder: str, now: datetime) -> Incident | Nothing | Busy:
    """The change was begun and perhaps posted: it is posted again. Another failure waits: in a repeat nobody may read of it."""
    if found.pending == RESOLVED:
        if found.knows(failure):
            return Nothing("the incident is being resolved")
        if found.storm:
            return replace(claimed(_opened(failure, code), OPENED, holder, now), etag=found.etag)
        return claimed(_reopened(found, failure, code), REOPENED, holder, now)
    if not found.knows(failure):
        return Busy(now + CLAIM)
    return replace(found, holder=holder, claimed_until=now + CLAIM)


def claimed(incident: Incident, change: str, holder: str, now: datetime) -> Incident:
    """The incident with a new change begun."""
    number = incident.change + 1 if change != OPENED else 1
    return replace(incident, pending=change, change=number, holder=holder, claimed_until=now + CLAIM)


def released(incident: Incident) -> Incident:
    """The change could not be posted: whoever comes next takes it over."""
    return replace(incident, claimed_until=None)


def settled(incident: Incident, ticket_id: str, ticket_url: str) -> Incident:
    """The change is posted."""
    return replace(
        incident,
        pending="",
        holder="",
        claimed_until=None,
        ticket_id=ticket_id or incident.ticket_id,
        ticket_url=ticket_url or incident.ticket_url,
    )


def updating(found: Incident, holder: str, now: datetime) -> Incident | Busy | None:
    """The incident with an update begun that no new failure makes; or with the change that waits to be posted, taken over.

    None for a resolved incident.
    """
    if found.status != "open":
        return None
    if not found.pending:
        return claimed(found, UPDATED, holder, now)
    if found.holder != holder and found.claimed_until and found.claimed_until > now:
        return Busy(found.claimed_until)
    return replace(found, holder=holder, claimed_until=now + CLAIM)


def in_storm(incident: Incident, storm_id: str) -> Incident:
    """The incident with nothing to post: its storm's ticket speaks for it."""
    return replace(incident, storm=storm_id, pending="", holder="", claimed_until=None)


def without_storm(incident: Incident) -> Incident:
    """The incident of a storm that is over, as one that waits for a ticket of its own."""
    return replace(incident, storm="", pending=OPENED)


def recovering(found: Incident, job: Job, holder: str, now: datetime) -> Incident | Busy:
    """The incident with its resolution begun; `job` is the completed backup that proves it. Not before its last change is posted."""
    if found.pending and (found.pending != RESOLVED or (found.claimed_until and found.claimed_until > now)):
        return Busy(found.claimed_until or now)
    if found.pending == RESOLVED:
        return replace(found, holder=holder, claimed_until=now + CLAIM)
    resolved = replace(found, status="resolved", resolved_at=now, recovered_at=job.ended_at or job.started_at or now)
    return resolved if found.storm else claimed(resolved, RESOLVED, holder, now)


def _opened(failure: Failure, code: str) -> Incident:
    key = key_of(failure.key)
    known = _known(failure)
    return Incident(
        key=key,
        id=key_of(f"{failure.key} {known.job_id or failure.failed_at.isoformat()}"),
        status="open",
        failures=1,
        first_failed_at=failure.failed_at,
        known=(known,),
        code=code,
        item_id=failure.item.id if failure.item else "",
        item_name=failure.item_name,
        vm_id=failure.vm.id if failure.vm else "",
        vault_id=failure.vault.id if failure.vault else failure.alert.vault_id,
        workload=failure.workload,
        severity=failure.alert.severity,
    )


def _reopened(incident: Incident, failure: Failure, code: str) -> Incident:
    return replace(_with(incident, failure, code), status="open", resolved_at=None, recovered_at=None)


def _with(incident: Incident, failure: Failure, code: str) -> Incident:
    known = sorted((*incident.known, _known(failure)), key=lambda one: one.failed_at)
    return replace(incident, failures=incident.failures + 1, known=tuple(known[-MOST_FAILURES_KEPT:]), code=code)


def _known(failure: Failure) -> KnownFailure:
    job = failure.job
    return KnownFailure((job.id if job else failure.alert.job_id).lower(), job.started_at if job else None, failure.failed_at)
