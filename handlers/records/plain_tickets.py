"""Plain tickets in table storage: partition `plain`, lists `active` and `hour-<the hour of its first alert>`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from handlers.model.incident import key_of
from handlers.model.plain import UNREADABLE, PlainTicket
from handlers.records.rows import Rows
from handlers.records.storage import Storage

MOST_AN_HOUR = 20
"""So many shapes of unreadable alerts get a ticket of their own within an hour; the further ones share one."""


class PlainTickets(Rows[PlainTicket]):
    """The plain tickets. Transitions are those of `handlers/model/plain.py`."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, "plain", PlainTicket, lists_of)

    def active(self) -> Iterator[PlainTicket]:
        """Those that must still be posted."""
        return self.listed("active")

    def key_of_shape(self, content: bytes, now: datetime) -> str:
        """What alerts of one shape share; when many shapes came within this hour, what all further ones share."""
        key = f"{UNREADABLE} {shape_of(content)}"
        ticket = self.find(key_of(key))
        if ticket and ticket.takes_more(now):
            return key
        shapes = (ticket for ticket in self.listed(_hour(now)) if ticket.why == UNREADABLE)
        return UNREADABLE if len(list(islice(shapes, MOST_AN_HOUR))) == MOST_AN_HOUR else key

    def ended_before(self, day: datetime) -> Iterator[PlainTicket]:
        return self.between("hour-", f"hour-{day:%Y-%m-%d}")


def shape_of(content: bytes) -> str:
    """The kind of a JSON value and the names in an object, or in the first object of an array: what one sender repeats."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return "text"
    first = body[0] if isinstance(body, list) and body else body
    names = sorted(str(name)[:60] for name in first) if isinstance(first, dict) else ()
    return " ".join((type(body).__name__, type(first).__name__, *names))[:4_000]


def lists_of(ticket: PlainTicket) -> frozenset[str]:
    names = {"active"} if ticket.is_active else set()
    return frozenset(names | {_hour(ticket.first_at)})


def _hour(time: datetime) -> str:
    return f"hour-{time:%Y-%m-%dT%H}"
