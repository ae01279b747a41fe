"""How long things are kept: once a day the sweep deletes what ended long ago."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from handlers.records.alert_queue import AlertQueue
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.plain_tickets import PlainTickets
from handlers.records.rows import EndingRow, Rows
from handlers.records.storms import Storms
from handlers.records.vault_marks import Mark, VaultMarks

log = logging.getLogger(__name__)

CLOSED_FOR = timedelta(days=90)
"""Rows and documents of incidents and storms are kept for so long after their end."""
BODIES_FOR = timedelta(days=14)
"""Bodies of alerts in blobs; a message lives for seven days."""
DONE = Mark("deleted")


class Tools(Protocol):
    """What of the stories' tools is used here."""

    @property
    def incidents(self) -> Incidents: ...
    @property
    def storms(self) -> Storms: ...
    @property
    def plain_tickets(self) -> PlainTickets: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def queue(self) -> AlertQueue: ...
    @property
    def marks(self) -> VaultMarks: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


def delete_old(tools: Tools) -> None:
    """Once a day."""
    now, marks = tools.now(), tools.marks
    done = marks.all().get(DONE.vault_id, DONE).read_until
    if done and now - done < timedelta(days=1):
        return
    before, rows = now - CLOSED_FOR, 0
    rows += sum(delete_ended(tools.incidents, incident) for incident in list(tools.incidents.ended_before(before)))
    rows += sum(delete_ended(tools.storms, storm) for storm in list(tools.storms.ended_before(before)))
    rows += sum(delete_ended(tools.plain_tickets, ticket) for ticket in list(tools.plain_tickets.ended_before(before)))
    tools.storms.delete_counts(now)
    tools.incidents.delete_checks(now - timedelta(days=1))
    active = {row_id for incident in tools.incidents.active() for row_id in (incident.id, incident.key)}
    deleted = tools.documents.delete_old(before, active | {storm.id for storm in tools.storms.active()})
    bodies = tools.queue.delete_bodies(now - BODIES_FOR)
    marks.save(Mark(DONE.vault_id, read_until=now))
    log.info("deleted rows=%d documents=%d bodies=%d", rows, deleted, bodies)


def delete_ended[R: EndingRow](rows: Rows[R], ended: R) -> bool:
    """Delete a row that a list names, unless it is another by now; whether it was deleted."""
    row = rows.find(ended.key)
    return row is not None and row.id == ended.id and not row.is_active and rows.delete(row)
