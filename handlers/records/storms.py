"""Storms in table storage: what opened lately (partition `opened`), the storms of it (`storm`), who was looked at first (`first`)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from handlers.azure.shared_reads import Shared
from handlers.model import Incident, parse_time
from handlers.model.storm import Storm, new_storm, storm_key
from handlers.records.rows import Changed, sortable, write_if_unchanged
from handlers.records.storage import Storage

OPENED, STORMS, FIRST = "opened", "storm", "first"
TIMES = ("opened_at", "next_at", "members_read_at", "claimed_until")
FIRST_ONES = 2
"""So many VMs of a vault and a code are looked at while a storm rages; the others are when it is calm."""
GOES_ON = timedelta(hours=24)
"""A storm that began earlier takes nobody more in, unless there is a storm again."""
CLOCKS_DIFFER = timedelta(minutes=1)
LOOKED_FOR_SECONDS = 60.0
"""How long nobody else of an instance tries a look that one of its alerts makes."""
REMEMBERED_SECONDS = 20.0
"""How long an instance goes by what it knows of a storm before it reads its row again."""


class Storms:
    """The rows of the table `incidents` that are about storms."""

    def __init__(self, storage: Storage, threshold: int, window_minutes: int) -> None:
        self._storage, self._threshold, self._window = storage, threshold, timedelta(minutes=window_minutes)
        self._raging, self._looked_at, self._looks = Shared(), Shared(), Shared()
        self.passing = threading.Lock()
        """Held by the one background pass of this instance."""

    def known(self, region: str, code: str) -> Storm | None:
        """The storm of a region and a code that this instance saw a moment ago: nothing is read."""
        found: Storm | None = self._raging.peek(storm_key(region, code))
        return found

    def is_mine_to_look_at(self, storm: Storm, now: datetime) -> bool:
        """Whether its look is due, for one of those that ask in this instance."""
        if storm.next_at > now:
            return False
        mine = object()
        return self._looks.get(f"{storm.id} {storm.looks}", lambda: mine, seconds=LOOKED_FOR_SECONDS) is mine

    def joined_by(self, incident: Incident, now: datetime, announce: Callable[[Storm], None]) -> Storm | None:
        """Count an incident that has just opened; the storm that it belongs to, if there are more of its kind than the threshold.

        `announce` is called with a storm that is about to be opened.
        """
        key = storm_key(incident.region, incident.code)
        row = {"PartitionKey": OPENED, "RowKey": f"{key} {incident.key}", "id": incident.id, "at": sortable(now)}
        self._storage.table().upsert_entity(row)
        opened = len(list(islice(self._opened_since(key, now - self._window), self._threshold + 1)))
        if opened <= self._threshold and not (opened > 1 and self._goes_on(key, now)):
            return None
        return self._raging.get(key, lambda: self._open(incident, now, announce), seconds=REMEMBERED_SECONDS)

    def _goes_on(self, key: str, now: datetime) -> bool:
        """Whether there is a storm already: it goes on while others keep coming."""
        storm = self.find(key)
        return storm is not None and storm.status == "open" and now - storm.opened_at <= GOES_ON

    def is_first(self, incident: Incident, now: datetime) -> bool:
        """Whether the incident is one of the first two of its vault and code within the window: those are looked at at once."""
        key = storm_key(incident.region, incident.code)
        vault = hashlib.sha256(incident.vault_id.lower().encode()).hexdigest()[:16]
        full = f"{key} {vault}"
        if self._looked_at.peek(full):
            return False
        if any(self._takes_place(f"{full} {place}", now) for place in range(FIRST_ONES)):
            return True
        self._looked_at.get(full, lambda: True, seconds=self._window.total_seconds())
        return False

    def find(self, key: str) -> Storm | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return _storm(self._storage.table().get_entity(STORMS, key))
        except ResourceNotFoundError:
            return None

    def save(self, storm: Storm) -> Storm:
        """Write the row if it is as it was read. Raises Changed."""
        return replace(storm, etag=write_if_unchanged(self._storage, _entity(storm), storm.etag))

    def opened_before(self, storm: Storm) -> list[tuple[str, str]]:
        """Keys and ids of the incidents that opened before the storm was one; most have a ticket of their own."""
        opened = self._opened_since(storm.key, storm.opened_at - self._window)
        until = sortable(storm.opened_at + CLOCKS_DIFFER)
        return [(row["RowKey"].rpartition(" ")[2], row["id"]) for row in opened if row["at"] <= until]

    def open_ones(self) -> Iterator[Storm]:
        return map(_storm, self._storage.table().query_entities(f"PartitionKey eq '{STORMS}' and status eq 'open'"))

    def forget(self, before: datetime) -> None:
        """Delete what was counted, and what ended, before then."""
        table, at = self._storage.table(), sortable(before)
        counted = f"(PartitionKey eq '{OPENED}' or PartitionKey eq '{FIRST}') and at lt '{at}'"
        ended = f"PartitionKey eq '{STORMS}' and status eq 'resolved' and opened_at lt '{at}'"
        for row in table.query_entities(f"({counted}) or ({ended})", select=["PartitionKey", "RowKey"]):
            table.delete_entity(row["PartitionKey"], row["RowKey"])

    def _takes_place(self, place: str, now: datetime) -> bool:
        """Whether nobody has this place, or whoever had it came before the window."""
        from azure.core.exceptions import ResourceNotFoundError

        etag = ""
        try:
            taken = self._storage.table().get_entity(FIRST, place)
        except ResourceNotFoundError:
            pass
        else:
            if taken["at"] >= sortable(now - self._window):
                return False
            etag = str(taken.metadata["etag"])
        try:
            write_if_unchanged(self._storage, {"PartitionKey": FIRST, "RowKey": place, "at": sortable(now)}, etag)
        except Changed:
            return False
        return True

    def _opened_since(self, key: str, since: datetime) -> Iterator[Any]:
        """What opened of one region and code."""
        condition = f"PartitionKey eq '{OPENED}' and RowKey gt '{key} ' and RowKey lt '{key}!' and at ge '{sortable(since)}'"
        return iter(self._storage.table().query_entities(condition, results_per_page=self._threshold + 1))

    def _open(self, incident: Incident, now: datetime, announce: Callable[[Storm], None]) -> Storm:
        """The storm's row, made if there is none, or only one that is over."""
        key = storm_key(incident.region, incident.code)
        found = self.find(key)
        if found and found.status == "open":
            return found
        storm = replace(new_storm(incident.region, incident.code, now), etag=found.etag if found else "")
        announce(storm)
        try:
            return self.save(storm)
        except Changed:
            opened = self.find(key)
            assert opened is not None
            return opened


def _entity(storm: Storm) -> dict[str, Any]:
    plain = {item.name: getattr(storm, item.name) for item in fields(storm) if item.name != "etag"}
    return {"PartitionKey": STORMS, "RowKey": storm.key, **plain, **{name: sortable(plain[name]) for name in TIMES}}


def _storm(entity: Any) -> Storm:
    stored = {item.name: entity[item.name] for item in fields(Storm) if item.name in entity}
    return Storm(**(stored | {name: parse_time(stored.get(name)) for name in TIMES} | {"etag": str(entity.metadata["etag"])}))
