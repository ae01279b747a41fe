"""The diagnoses of a storm's members: alone, as any failure is diagnosed, or in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.diagnosis.catalogue import classify
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.evidence import evidence_of
from handlers.diagnosis.identify import identify, named_for
from handlers.diagnosis.owner import owner_of
from handlers.facts.bulk.reads import Bulk, BulkReads
from handlers.facts.jobs import listed_job
from handlers.model import Diagnosis, Failure, Incident, Job, Unknown
from handlers.model.incident import ALONE, IN_BULK, UNREAD, member_diagnosed


class Look(Struct, frozen=True):
    """A member with its diagnosis. `how` says how its VM was read, see `Incident.looked`."""

    member: Incident
    diagnosis: Diagnosis
    how: str
    evidence: dict[str, Any]

    def seen_on(self, incident: Incident | None, owner_tags: Sequence[str]) -> Incident | None:
        """The member's row after it; None if it has changed meanwhile."""
        owner = owner_of(self.diagnosis.readings, owner_tags) or ""
        return member_diagnosed(incident, self.member.failures, self.diagnosis.verdicts, self.how, self.last_good_at, owner)

    @property
    def last_good_at(self) -> datetime | None:
        """When the last good backup began; None when it is not known."""
        reading = self.diagnosis.readings.get("last_good")
        return reading.value.started_at if reading and isinstance(reading.value, Job) else None


def look_alone(members: Sequence[Incident], azure: Azure, now: datetime) -> Iterator[Look]:
    for member in members:
        failure, error = identify(member.alert(), azure, now)
        yield _look(member, diagnose_failure(failure, error, azure, now, sharing=True, changes=False), ALONE, now)


def look_in_bulk(members: Sequence[Incident], azure: Azure, now: datetime) -> Iterator[Look]:
    """The members' jobs come from their vaults' lists, which do not say what a job itself says of its error."""
    failures = [failure_in_list(member, azure, now) for member in members]
    bulk = Bulk(azure, failures)
    for member, failure in zip(members, failures, strict=True):
        error = classify(failure.alert, failure.job)
        named, reads = named_for(error, failure), BulkReads(failure, bulk)
        yield _look(member, diagnose_failure(named, error, azure, now, changes=False, reads=reads), IN_BULK, now)


def failure_in_list(member: Incident, azure: Azure, now: datetime) -> Failure:
    alert = member.alert()
    return Failure.of(alert, listed_job(alert, azure), now)


def _look(member: Incident, diagnosis: Diagnosis, how: str, now: datetime) -> Look:
    shown = [reading.value for name, reading in diagnosis.readings.items() if name in ("vm", "vm_presence")]
    unread = all(isinstance(value, Unknown) for value in shown)
    return Look(member, diagnosis, UNREAD if unread else how, evidence_of(diagnosis, now))
