"""A reminder: the queue message that brings a row back to `ticket_due`. It is sent before the row is saved, and survives a crash.

There is one at a time for each row: that of its newest version. An older one finds that it is overtaken and ends.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from handlers.model import Incident
from handlers.model.delivery import LEASE, Delivery, showing
from handlers.model.document import Document
from handlers.records.alert_queue import AlertQueue, Sent
from handlers.records.rows import TRIES, Conflict, Row, Rows
from handlers.tickets.posted_log import log_waits

DUE = "due"
MOST_WAITING, COME_A_SECOND = 1_000, 10


class DueRow(Row, Protocol):
    """A row with a ticket: an incident, a storm, a plain ticket."""

    @property
    def id(self) -> str: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def recorded_at(self) -> datetime | None: ...
    @property
    def needs_post(self) -> bool: ...


class Reminder(Struct, frozen=True):
    """Of which row and version. `sent`: it lies in the queue; None for one that has come."""

    partition: str
    key: str
    id: str
    version: int
    documented: bool = False
    """The version's document is known to be there."""
    sent: Sent | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Reminder:
        """A reminder that has come, from its message."""
        return cls(*(fields[name] for name in ("partition", "key", "id", "version", "documented")))

    def is_about(self, row: DueRow | None) -> bool:
        """Whether the row is still the same, at this version."""
        return row is not None and row.id == self.id and row.delivery.version == self.version


def remind(reminder: Reminder | None, seconds: float, queue: AlertQueue) -> Reminder | None:
    """Let the reminder come after so many seconds; one that has come is sent again."""
    if reminder and reminder.sent:
        return replace(reminder, sent=queue.move(reminder.sent, seconds))
    return send(reminder, seconds, queue) if reminder else None


class Stay(Struct, frozen=True):
    """For how long a row's reminder stays away. `away`: the target that takes nothing now; empty: it waits for something else."""

    seconds: float
    away: str = ""
    quiet: bool = False
    """Nothing is to be posted now: nobody need be told that it waits."""


class Waiting:
    """The reminders that one instance sent away because a ticket system is down: they come at once when it is back."""

    def __init__(self) -> None:
        self._lock, self._sent = threading.Lock(), defaultdict[str, deque[Sent]](lambda: deque(maxlen=MOST_WAITING))

    def send_away(self, row: DueRow, reminder: Reminder | None, stays: Sequence[Stay], queue: AlertQueue, now: datetime) -> None:
        """Let the row's reminder come for the soonest, and at once when a system that it waits for is back; never if it need not."""
        if not stays:
            return done(reminder, queue)
        if not all(stay.quiet for stay in stays):
            log_waits(row.id, row.recorded_at, now)
        later = remind(reminder, min(stay.seconds for stay in stays), queue)
        if later and later.sent:
            for target in {stay.away for stay in stays} - {""}:
                self._sent[target].append(later.sent)

    def bring_back(self, target: str, queue: AlertQueue) -> None:
        """Let all that wait for a system come, some after the others. One that has come meanwhile is left alone."""
        with self._lock:
            sent = self._sent.pop(target, ())
        for number, note in enumerate(sent):
            queue.move(note, number // COME_A_SECOND)


def send(reminder: Reminder, seconds: float, queue: AlertQueue, **more: Any) -> Reminder:
    """`more`: what whoever writes the version late needs to know."""
    fields = {name: getattr(reminder, name) for name in ("partition", "key", "id", "version", "documented")}
    return replace(reminder, sent=queue.note(DUE, after_seconds=seconds, **fields, **more))


def done(reminder: Reminder | None, queue: AlertQueue) -> None:
    """Nothing is left to do for the row: a reminder that has not come yet need not come."""
    if reminder and reminder.sent:
        queue.withdraw(reminder.sent)


class Recorded[R: DueRow](Struct, frozen=True):
    """A row that was changed, and the reminder of its ticket; None when no ticket of its own is due."""

    row: R
    reminder: Reminder | None


def record[R: DueRow](
    rows: Rows[R], key: str, transition: Callable[[R | None], R | None], queue: AlertQueue, seen: R | None = None, **more: Any
) -> Recorded[R] | None:
    """Change a row, its reminder sent first (with `more` in it); None when the transition makes nothing of it.

    `seen`: the row as it was a moment ago, which saves reading it if it is still so.
    """
    for number in range(TRIES):
        before = seen if seen and not number else rows.find(key)
        after = transition(before)
        if after is None:
            return None
        reminder = None
        if after.needs_post:
            due = Reminder(rows.partition, key, after.id, after.delivery.version)
            reminder = send(due, LEASE.total_seconds(), queue, **more)
        if saved := rows.save(before, after):
            return Recorded(saved, reminder)
        done(reminder, queue)
    raise Conflict(f"{rows.partition} {key}")


def on_delivery[R: DueRow](row_id: str, change: Callable[[Delivery], Delivery | None]) -> Callable[[R | None], R | None]:
    """The transition of a row that changes nothing but its delivery; None for another row than that of the id."""

    def transition(row: R | None) -> R | None:
        after = change(row.delivery) if row and row.id == row_id else None
        return replace(row, delivery=after) if row and after else None  # type: ignore[arg-type]

    return transition


def shown_by[R: DueRow](
    row_id: str, target: str, version: int, document: Document, ticket_id: str, ticket_url: str
) -> Callable[[R | None], R | None]:
    """The transition to a row whose ticket at a target shows that version, with the verdicts that it shows."""

    def transition(row: R | None) -> R | None:
        if row is None or row.id != row_id:
            return None
        delivery = showing(row.delivery, target, version, document.status, ticket_id, ticket_url)
        verdicts = {"verdicts": document.verdicts} if isinstance(row, Incident) and document.verdicts else {}
        return replace(row, delivery=delivery, **verdicts)  # type: ignore[arg-type]

    return transition
