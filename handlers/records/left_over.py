"""What a sweep takes up because whoever was to do it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from handlers.model import Incident, Storm
from handlers.model.plain import PlainTicket
from handlers.model.storm import storm_key
from handlers.records.alert_queue import AlertQueue
from handlers.records.reminders import Recorded
from handlers.records.rows import Rows
from handlers.records.storms import Storms, announce
from handlers.records.vault_marks import Mark, VaultMarks

STUCK = timedelta(minutes=15)
"""After so long a reminder should have come several times."""


def is_stuck(row: Incident | Storm | PlainTicket, now: datetime) -> bool:
    """Whether a version was recorded so long ago and is still not posted."""
    return row.needs_post and (row.recorded_at is None or now - row.recorded_at > STUCK)


def stuck_rows(kinds: Iterable[Any], now: datetime) -> Iterator[Recorded[Any]]:
    """The active rows of some kinds that are stuck."""
    for rows in kinds:
        yield from (Recorded(row, None) for row in rows.active() if is_stuck(row, now))


def wake_storms(storms: Storms, recovered: Iterable[Incident], queue: AlertQueue, now: datetime) -> None:
    """Announce a reading of the storms that have members which recovered, and of those whose reading should have come long ago."""
    keys = {storm_key(incident.region, incident.code) for incident in recovered if incident.storm}
    for storm in storms.active():
        if keys & {storm.key, *storm.took_in} or storm.next_at < now - STUCK:
            announce(storm, queue, 1)


def carry_over(kinds: Iterable[Rows[Any]], marks: VaultMarks, now: datetime) -> None:
    """Write the rows of the first release in today's form, once, so that they stand in their lists."""
    done = Mark("carried over", read_until=now)
    if done.vault_id in marks.all():
        return
    for rows in kinds:
        for key in list(rows.keys_of_release_1()):
            rows.change(key, lambda row: row)
    marks.save(done)
