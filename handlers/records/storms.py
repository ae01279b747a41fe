"""Storms in table storage: partition `storm`, list `active`; and what opened lately, counted by region and error code.

Each incident that opens is one row in the partition `opened-<day>`, under `<region and code> <time> <incident>`. A count that includes
one's own row is the same for all instances. These rows live for two days.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from msgspec import Struct

from handlers.azure.shared_reads import Shared
from handlers.model import Incident
from handlers.model import storm as transitions
from handlers.model.delivery import OPEN
from handlers.model.incident import joined
from handlers.model.storm import Storm, storm_key
from handlers.records.alert_queue import AlertQueue, Message
from handlers.records.carried_over import storm_of_release_1
from handlers.records.incidents import Incidents
from handlers.records.rows import Rows, sortable
from handlers.records.storage import Storage

READING, MEMBERS_PASS = "storm_reading", "members_pass"
PASS_DIED = timedelta(minutes=5)
AT_ONCE, AT_ONCE_WITHIN = 3, timedelta(minutes=1)
"""So many incidents of a region and code within that time are told at once; the next ones are held."""
HELD_SECONDS = 45.0
GOES_ON = timedelta(hours=24)
"""A storm that began earlier takes nobody more in, unless there are again more incidents than the threshold."""
CLOCKS_DIFFER = timedelta(minutes=1)
KNOWN_SECONDS = 20.0
"""How long an instance goes by what it knows of a storm before it reads its row again."""


class Crowd(Struct, frozen=True):
    """How many incidents of one region and code opened lately, and the storm that they are, if they are one."""

    lately: int
    storm: Storm | None = None

    @property
    def is_held(self) -> bool:
        """Whether an incident waits until it is known whether there is a storm."""
        return self.storm is None and self.lately > AT_ONCE

    def takes_in(self, incident: Incident, incidents: Incidents) -> bool:
        """Whether the incident is a member of the storm from now on; its reminder then finds nothing to do."""
        storm = self.storm
        return storm is not None and incidents.change(incident.key, lambda fresh: joined(fresh, storm.id)) is not None


class Storms(Rows[Storm]):
    """The storms. Transitions are those of `handlers/model/storm.py`."""

    def __init__(self, storage: Storage, threshold: int, window_minutes: int) -> None:
        super().__init__(storage, "storm", Storm, lists_of, storm_of_release_1)
        self._threshold, self._window = threshold, timedelta(minutes=window_minutes)
        self._open, self._seen = Shared(), dict[str, Storm]()
        self._opened_here: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()
        self.passing = threading.Lock()
        """Held by the one background pass of this instance."""

    def known(self, region: str, code: str) -> Storm | None:
        """The storm of a region and a code that this instance saw a moment ago: nothing is read."""
        storm: Storm | None = self._open.peek(storm_key(region, code))
        return storm

    def is_crowded(self, region: str, code: str, now: datetime) -> bool:
        """Whether this instance opened several incidents of the region and code within a minute: then lists are shared."""
        with self._lock:
            opened = self._opened_here.get(storm_key(region, code), deque())
            return len(opened) >= AT_ONCE and now - opened[0] <= AT_ONCE_WITHIN

    def count(self, incident: Incident, now: datetime) -> None:
        """Count an incident that has just opened."""
        key = storm_key(incident.region, incident.code)
        with self._lock:
            self._opened_here.setdefault(key, deque(maxlen=AT_ONCE)).append(now)
        row = {"PartitionKey": _day(now), "RowKey": f"{key} {sortable(now)} {incident.key}", "id": incident.id}
        self._storage.table().upsert_entity(row)

    def crowd_of(self, incident: Incident, now: datetime, queue: AlertQueue) -> Crowd:
        """How many have opened that are like an incident that was counted, and their storm. Opens it when they are too many."""
        key = storm_key(incident.region, incident.code)
        since = self._opened_since(key, now - self._window, now)
        opened = [row["RowKey"].split(" ")[1] for row in islice(since, self._threshold + 1)]
        lately = sum(at >= sortable(now - AT_ONCE_WITHIN) for at in opened)
        if len(opened) <= self._threshold and not (len(opened) > 1 and self._goes_on(key, now)):
            return Crowd(lately)
        storm = self._open.get(key, lambda: self._opened(incident, now, queue), seconds=KNOWN_SECONDS)
        with self._lock:
            self._seen |= {key: storm} if storm and storm.status == OPEN else {}
        return Crowd(lately, storm if storm and storm.status == OPEN else None)

    def overdue(self, now: datetime) -> list[Message]:
        """The readings that are due of storms that this instance knows; each is given to one of those that ask."""
        with self._lock:
            due = [storm for storm in self._seen.values() if storm.next_at <= now]
            self._seen = {key: storm for key, storm in self._seen.items() if storm.next_at > now}
        return [Message(READING, fields=fields_of(storm)) for storm in due]

    def note_pass(self, storm: Storm, now: datetime) -> None:
        """Note that a background pass over the storm's members goes on: in a row of its own, which nobody posts from."""
        self._storage.table().upsert_entity({"PartitionKey": "pass", "RowKey": storm.id, "at": sortable(now)})

    def is_passing(self, storm: Storm, now: datetime) -> bool:
        """Whether a background pass went on a short time ago."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return bool(self._storage.table().get_entity("pass", storm.id)["at"] > sortable(now - PASS_DIED))
        except ResourceNotFoundError:
            return False

    def active(self) -> Iterator[Storm]:
        """Open storms, and those whose ticket must still change."""
        return self.listed("active")

    def ended_before(self, day: datetime) -> Iterator[Storm]:
        return self.between("ended-", f"ended-{day:%Y-%m-%d}")

    def opened_before(self, storm: Storm) -> list[tuple[str, str]]:
        """Keys and ids of the incidents that opened before the storm was one."""
        opened = self._opened_since(storm.key, storm.opened_at - self._window, storm.opened_at + CLOCKS_DIFFER)
        until = sortable(storm.opened_at + CLOCKS_DIFFER)
        return [(row["RowKey"].split(" ")[2], row["id"]) for row in opened if row["RowKey"].split(" ")[1] <= until]

    def delete_counts(self, now: datetime) -> None:
        """Delete what was counted before yesterday."""
        table, before = self._storage.table(), _day(now - timedelta(days=1))
        query = f"PartitionKey ge 'opened-' and PartitionKey lt '{before}'"
        for row in table.query_entities(query, select=["PartitionKey", "RowKey"]):
            table.delete_entity(row["PartitionKey"], row["RowKey"])

    def _goes_on(self, key: str, now: datetime) -> bool:
        """Whether there is a storm already: it goes on while others keep coming."""
        storm = self._followed(key)
        return storm is not None and storm.status == OPEN and now - storm.opened_at <= GOES_ON

    def _followed(self, key: str) -> Storm | None:
        """The storm, or the one that took its members in."""
        storm = self.find(key)
        return (self.find(storm.goes_on_in) or storm) if storm and storm.goes_on_in else storm

    def _opened_since(self, key: str, since: datetime, until: datetime) -> Iterator[Any]:
        """What opened of one region and code since then, oldest first; until then there are partitions."""
        for day in sorted({_day(since), _day(until)}):
            query = f"PartitionKey eq '{day}' and RowKey ge '{key} {sortable(since)}' and RowKey lt '{key}!'"
            yield from self._storage.table().query_entities(query, results_per_page=self._threshold + 1)

    def _opened(self, incident: Incident, now: datetime, queue: AlertQueue) -> Storm | None:
        """The open storm, or the one that begins now."""
        key = storm_key(incident.region, incident.code)
        storm = self.find(key)
        if storm and (other := self._followed(key)) and other.key != key and other.status == OPEN:
            return other
        new = transitions.opened(storm, incident.region, incident.code, now)
        if new is None:
            return storm
        announce(new, queue, (new.next_at - now).total_seconds())
        return self.save(storm, new) or self.find(key)


def lists_of(storm: Storm) -> frozenset[str]:
    return frozenset({"active" if storm.is_active else f"ended-{storm.recorded_at or storm.opened_at:%Y-%m-%d}"})


def announce(storm: Storm, queue: AlertQueue, seconds: float) -> None:
    """Queue the storm's next reading. A note of a reading that was made already is dropped: two of them do no harm."""
    queue.note(READING, after_seconds=max(seconds, 1), **fields_of(storm))


def start_pass(storm: Storm, storms: Storms, queue: AlertQueue, now: datetime) -> None:
    """Queue a background pass over the storm's members, unless one is under way."""
    if storm.status == OPEN and not storms.is_passing(storm, now):
        storms.note_pass(storm, now)
        queue.note(MEMBERS_PASS, after_seconds=1, storm=storm.key, id=storm.id, after="", alone=[])


def fields_of(storm: Storm) -> dict[str, Any]:
    return {"storm": storm.key, "id": storm.id, "reading": storm.readings}


def _day(time: datetime) -> str:
    return f"opened-{time:%Y-%m-%d}"
