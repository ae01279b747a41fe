"""Incidents in table storage: partition `incident`, one row per protected item.

Lists: `active` (open, or with a ticket that must still change), `member-<storm id>`, `ended` by the day of its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from handlers.model import Incident
from handlers.model.ids import parse_time
from handlers.records.carried_over import incident_of_release_1
from handlers.records.rows import Rows, sortable
from handlers.records.storage import Storage

ACTIVE, ENDED = "active", "ended"
CHECKS = "check"
"""The partition of notes, one per incident, of when somebody last checked again."""
CHECK_EVERY = timedelta(minutes=1)


class Incidents(Rows[Incident]):
    """The incidents. Transitions are those of `handlers/model/incident.py`."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, "incident", Incident, lists_of, incident_of_release_1)

    def active(self) -> Iterator[Incident]:
        """Open incidents, and those whose ticket must still change."""
        return self.listed(ACTIVE)

    def members(self, storm_id: str, after: str = "") -> Iterator[Incident]:
        """The incidents that a storm's ticket speaks for, by key, from the one after the key `after`."""
        return self.listed(f"member-{storm_id}", after)

    def begin_check(self, row_id: str, now: datetime) -> float:
        """Note that somebody checks again from a page; in how many seconds that may be, 0 for now. Of those who ask at once one may."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError
        from azure.data.tables import UpdateMode

        table, noted = self._storage.table(), {"PartitionKey": CHECKS, "RowKey": row_id, "at": sortable(now)}
        try:
            table.create_entity(noted)
            return 0
        except ResourceExistsError:
            held = table.get_entity(CHECKS, row_id)
        until = (parse_time(held["at"]) or now) + CHECK_EVERY
        if until > now:
            return (until - now).total_seconds()
        try:
            condition = MatchConditions.IfNotModified
            table.update_entity(noted, mode=UpdateMode.REPLACE, etag=held.metadata["etag"], match_condition=condition)
        except ResourceModifiedError:
            return CHECK_EVERY.total_seconds()
        return 0

    def delete_checks(self, before: datetime) -> None:
        """Delete the notes of checks that were made before then."""
        table = self._storage.table()
        for row in table.query_entities(f"PartitionKey eq '{CHECKS}'", select=["PartitionKey", "RowKey", "at"]):
            if row["at"] < sortable(before):
                table.delete_entity(row["PartitionKey"], row["RowKey"])

    def ended_before(self, day: datetime) -> Iterator[Incident]:
        return self.between(f"{ENDED}-", f"{ENDED}-{day:%Y-%m-%d}")


def lists_of(incident: Incident) -> frozenset[str]:
    names = {ACTIVE} if incident.is_active else set()
    names |= {f"member-{incident.storm}"} if incident.storm else set()
    names |= {f"{ENDED}-{incident.resolved_at:%Y-%m-%d}"} if incident.resolved_at and not incident.is_active else set()
    return frozenset(names)
