"""Incidents in table storage, one row per protected item. Every write is conditional: of two that work at once, one wins.

https://learn.microsoft.com/rest/api/storageservices/insert-or-replace-entity (ETag, If-Match)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from handlers.model import Busy, Failure, Incident, Job, KnownFailure, Nothing, NotNow, Verdict, parse_time
from handlers.model import incident as transitions
from handlers.records.rows import Changed, sortable, write_if_unchanged
from handlers.records.storage import Storage

log = logging.getLogger(__name__)

PARTITION = "incident"
FINAL = ("verdicts", "known", "etag")
"""Fields that are not stored as they are."""
TRIES = 5
PAGE_ROWS = 200
"""A page of the longest, 1,000, takes eight megabytes while it is read, and several storms are read at the same time."""
BUSY_SECONDS = 10.0
"""How long to stay away from an incident that somebody else works on; a claim may take minutes, and seldom does."""
TIMES = ("first_failed_at", "claimed_until", "resolved_at", "recovered_at")


@dataclass(frozen=True, slots=True)
class Begun:
    """An incident whose change is ours to post. `again`: somebody began it before, and perhaps posted it."""

    incident: Incident
    again: bool


class Incidents:
    """The rows of the partition `incident` in the table `incidents`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(self, key: str) -> Incident | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return _incident(self._storage.table().get_entity(PARTITION, key))
        except ResourceNotFoundError:
            return None

    def begin(
        self, failure: Failure, code: str, holder: str, now: datetime, *, region: str = "", storm: str = ""
    ) -> Begun | None:
        """Claim the change that a failure makes; None when there is nothing to do. What is in a storm is settled with that.

        Raises NotNow.
        """
        for _ in range(TRIES):
            found = self.find(transitions.key_of(failure.key))
            begun = transitions.begin(found, failure, code, holder, now, region=region, storm=storm)
            if isinstance(begun, Nothing):
                log.info("incident %s: nothing to post: %s", found.id if found else "-", begun.why)
                return None
            if claimed := self._claim(begun, now):
                return Begun(claimed, again=bool(found and found.pending))
        raise NotNow("too many write the incident", BUSY_SECONDS)

    def begin_recovery(self, incident: Incident, job: Job, holder: str, now: datetime) -> Begun | None:
        """Claim the resolution of an incident; None when there is nothing to resolve any more. Raises NotNow."""
        found: Incident | None = incident
        for _ in range(TRIES):
            if (
                found is None
                or (found.status == "resolved" and not found.pending)
                or not job.completed_after(found.last_failed_at)
            ):
                return None
            if claimed := self._claim(transitions.recovering(found, job, holder, now), now):
                return Begun(claimed, again=found.pending == transitions.RESOLVED)
            found = self.find(incident.key)
        return None

    def begin_update(self, found: Incident, holder: str, now: datetime) -> Begun | None:
        """Claim an update of the same failure, or what was begun before and never posted; None when somebody else was first."""
        begun = transitions.updating(found, holder, now)
        claimed = self._claim(begun, now) if begun else None
        return Begun(claimed, again=bool(found.pending)) if claimed else None

    def join(self, incident: Incident, storm: str) -> Incident | None:
        """The incident, which has just opened, as a member of a storm; None when somebody else has changed it."""
        return self._saved(transitions.in_storm(incident, storm))

    def leave_storm(self, incident: Incident) -> Incident | None:
        """The incident, whose storm is over, with a ticket of its own to be posted; None when somebody else has changed it."""
        return self._saved(transitions.without_storm(incident))

    def keep_look(self, incident: Incident, look: str, verdicts: Mapping[str, Verdict]) -> None:
        """Keep what was found of a member of a storm, unless it has changed meanwhile."""
        try:
            self.save(replace(incident, look=look, verdicts=verdicts))
        except Changed:
            log.info("incident %s has changed while it was looked at", incident.id)

    def settle(self, incident: Incident, ticket_id: str, ticket_url: str, verdicts: Mapping[str, Verdict]) -> None:
        """The change is posted. Who wrote the row meanwhile took the change over, and settles it."""
        try:
            self.save(replace(transitions.settled(incident, ticket_id, ticket_url), verdicts=verdicts or incident.verdicts))
        except Changed:
            log.warning("incident %s was taken over while it was posted", incident.id)

    def release(self, incident: Incident) -> None:
        """The change could not be posted now: it is free for whoever comes next."""
        try:
            self.save(transitions.released(incident))
        except Changed:
            log.warning("incident %s was taken over while it was posted", incident.id)

    def _claim(self, begun: Incident | Busy, now: datetime) -> Incident | None:
        if isinstance(begun, Busy):
            raise NotNow("somebody else works on the incident", min(BUSY_SECONDS, (begun.until - now).total_seconds() + 1))
        return self._saved(begun)

    def _saved(self, incident: Incident) -> Incident | None:
        try:
            return self.save(incident)
        except Changed:
            return None

    def save(self, incident: Incident) -> Incident:
        """Write the row, if it is still as it was read (or, for a new one, not there). Raises Changed."""
        return replace(incident, etag=write_if_unchanged(self._storage, _entity(incident), incident.etag))

    def open_ones(self) -> Iterator[Incident]:
        return self._where("status eq 'open' or pending ne ''")

    def of_storm(self, storm: str) -> Iterator[Incident]:
        return self._where(f"storm eq '{storm}'")

    def not_looked_at(self, storm: str, after: str) -> Iterator[Incident]:
        """Open members of a storm that were not looked at in full, by key, from the one after `after`."""
        return self._where(f"storm eq '{storm}' and status eq 'open' and look ne 'all' and RowKey gt '{after}'", 50)

    def failed_since(self, since: datetime) -> Iterator[Incident]:
        return self._where(f"last_failed_at ge '{sortable(since)}'")

    def forget_closed(self, before: datetime) -> int:
        """Delete the rows of incidents that were resolved before then; how many."""
        gone = list(self._where(f"status eq 'resolved' and pending eq '' and resolved_at lt '{sortable(before)}'"))
        for incident in gone:
            self._storage.table().delete_entity(PARTITION, incident.key)
        return len(gone)

    def _where(self, condition: str, rows: int = PAGE_ROWS) -> Iterator[Incident]:
        query = f"PartitionKey eq '{PARTITION}' and ({condition})"
        return map(_incident, self._storage.table().query_entities(query, results_per_page=rows))


def _entity(incident: Incident) -> dict[str, Any]:
    plain = {item.name: getattr(incident, item.name) for item in fields(incident) if item.name not in FINAL}
    plain |= {name: sortable(plain[name]) for name in TIMES}
    known = [[one.job_id, sortable(one.started_at), sortable(one.failed_at)] for one in incident.known]
    return {
        "PartitionKey": PARTITION,
        "RowKey": incident.key,
        **plain,
        "last_failed_at": sortable(incident.last_failed_at),
        "known": json.dumps(known),
        "verdicts": json.dumps(incident.verdicts),
    }


def _incident(entity: Any) -> Incident:
    stored = {item.name: entity[item.name] for item in fields(Incident) if item.name not in FINAL and item.name in entity}
    stored |= {name: parse_time(stored.get(name)) for name in TIMES}
    known = [(job, parse_time(started), parse_time(failed)) for job, started, failed in json.loads(entity["known"])]
    return Incident(
        **stored,
        known=tuple(KnownFailure(job, started, failed) for job, started, failed in known if failed),
        verdicts={cause: Verdict(verdict) for cause, verdict in json.loads(entity["verdicts"]).items()},
        etag=str(entity.metadata["etag"]),
    )
