"""Incidents in table storage: partition `incident`, one row per protected item.

Lists: `active` (open, or with a ticket that must still change), `member-<storm id>`, `ended` by the day of its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from handlers.model import Incident
from handlers.records.carried_over import incident_of_release_1
from handlers.records.rows import Rows
from handlers.records.storage import Storage

ACTIVE, ENDED = "active", "ended"


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

    def ended_before(self, day: datetime) -> Iterator[Incident]:
        return self.between(f"{ENDED}-", f"{ENDED}-{day:%Y-%m-%d}")


def lists_of(incident: Incident) -> frozenset[str]:
    names = {ACTIVE} if incident.is_active else set()
    names |= {f"member-{incident.storm}"} if incident.storm else set()
    names |= {f"{ENDED}-{incident.resolved_at:%Y-%m-%d}"} if incident.resolved_at and not incident.is_active else set()
    return frozenset(names)
