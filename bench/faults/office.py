"""A small ticket system with many tickets, each of which somebody may move away, delete, lock, close or block; real HTTP on loopback.

The app reaches it through a file of its own (`FILE`), as it would one that does not come with it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.http import serving

FILE = """\
name = "Office"
docs = "https://office.example.com/api"
needs_secret = false
[options.fields]
about = "further fields"
default = {}
sets = ["+"]
[options.on_closed]
about = "what a further failure does to a closed ticket"
default = "reopen"
choices = ["reopen", "new", "note"]
[options.silence]
about = "words"
default = ["wontfix"]
[text]
markup = "gfm"
most = 50_000
title = 200
[ticket]
id = "= one.id"
url = "= base ~ '/' ~ one.id"
closed = "= one.state == 'closed'"
silenced = "= one.why in options.silence"
carries_key = "= one.key == key"
answers_key = true
[[open]]
path = "/tickets"
json = { key = "= key", change = "= change", about = "= (protected_item or {}).vault_id", body = "= text", "+" = "= options.fields" }
[[find]]
method = "GET"
path = "/tickets"
query = { key = "= key" }
take = { candidates = "= answer" }
[[read]]
method = "GET"
path = "/tickets/{ticket.id}"
[[update]]
path = "/tickets/{ticket.id}/notes"
json = { change = "= change", text = "= text" }
[[resolve]]
when = "= not told"
path = "/tickets/{ticket.id}/notes"
json = { change = "= change", text = "= text" }
[[resolve]]
method = "PATCH"
path = "/tickets/{ticket.id}"
json = { state = "closed" }
[[reopen]]
method = "PATCH"
path = "/tickets/{ticket.id}"
json = { state = "open" }
[[reopen]]
when = "= not told"
path = "/tickets/{ticket.id}/notes"
json = { change = "= change", text = "= text" }
"""
MOVED, DELETED, LOCKED, BLOCKED, CONFLICT, UNRESOLVED = (
    "moved",
    "deleted",
    "locked",
    "blocked",
    "conflict",
    "without a resolution",
)
REFUSALS = {MOVED: 403, DELETED: 404, LOCKED: 423, BLOCKED: 422, CONFLICT: 409, UNRESOLVED: 400}


@dataclass
class Ticket:
    id: int
    key: str
    body: str
    opened_at: float
    about: str = ""
    """The id of the vault that the failed backup belongs to."""
    state: str = "open"
    why: str = ""
    trouble: str = ""
    notes: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    """The ids of the changes whose text it took, the one that opened it first."""
    asked: list[tuple[float, str, int]] = field(default_factory=list)
    """When, what and with which answer."""

    def refuses(self, method: str, body: Any) -> bool:
        closes = method == "PATCH" and body.get("state") == "closed"
        return {
            MOVED: True, DELETED: True, LOCKED: method != "GET", BLOCKED: closes, UNRESOLVED: closes, CONFLICT: method == "PATCH",
        }.get(self.trouble, False)  # fmt: skip

    def taken(self) -> Iterator[tuple[str, str]]:
        """Each change with its text: that a ticket cannot be closed is a note of its own."""
        return zip(self.changes, [self.body, *self.notes], strict=True)

    @property
    def refused(self) -> int:
        """How often it has refused to be touched."""
        return len([status for _, _, status in self.asked if status != 200])


class Office:
    """The tickets by their number, from 1. `now`: seconds of the test's clock."""

    def __init__(self) -> None:
        self.url = ""
        self.now: Callable[[], float] = time.time
        self.tickets: list[Ticket] = []
        self.required = ""
        """A field without which no new ticket is taken,"""
        self.required_about = ""
        """or none about a vault whose id holds this."""
        self.unknown = ""
        """A field with which none is taken."""
        self.lose_answers = 0
        """So many new tickets are taken and answered with 503."""
        self.indexed_after = 0.0
        """Seconds after which a search finds a new ticket."""
        self.slowness = 0.0
        """Seconds that each answer takes."""
        self.creates: list[tuple[float, str, int]] = []
        """When, with which key and answer a new ticket was asked for."""
        self.searches: list[float] = []
        self._lock = threading.Lock()

    @property
    def tries(self) -> int:
        """How often a new ticket or a note was asked for."""
        with self._lock:
            asked = [what for ticket in self.tickets for _, what, _ in ticket.asked]
            return len(self.creates) + len([what for what in asked if what.startswith("POST")])

    def about(self, mark: str) -> list[Ticket]:
        """The tickets about vaults whose id holds this."""
        with self._lock:
            return [ticket for ticket in self.tickets if mark in ticket.about]

    def taken_twice(self) -> list[str]:
        """Changes that it has more than once: two tickets for one incident, or two notes that say the same. A successor is neither."""
        with self._lock:
            taken = Counter(f"{change}: {text[:60]!r}" for ticket in self.tickets for change, text in ticket.taken())
            first = Counter(ticket.key for ticket in self.tickets if "This ticket continues ticket" not in ticket.body)
        return [name for name, count in (taken + first).items() if count > 1]

    def answer(self, request: Request) -> Response:
        body = json.loads(request.get_data() or b"null")
        with self._lock:
            answer = self._answered(request, body)
        time.sleep(self.slowness)
        return answer

    def _answered(self, request: Request, body: Any) -> Response:
        if request.path == "/tickets":
            return self._opened(body) if request.method == "POST" else self._found(request.args["key"])
        number = re.fullmatch(r"/tickets/(\d+)(/notes)?", request.path)
        ticket = self.tickets[int(number[1]) - 1] if number else None
        if number is None or ticket is None:
            return _json({}, 501)
        status = REFUSALS[ticket.trouble] if ticket.refuses(request.method, body) else 200
        ticket.asked.append((self.now(), f"{request.method}{number[2] or ''}", status))
        if status != 200:
            return _json({"error": f"it is {ticket.trouble}"}, status)
        if request.method == "PATCH":
            ticket.state = body["state"]
        if request.method == "POST":
            ticket.notes.append(body["text"])
            ticket.changes.append(body["change"])
        return _json(_told(ticket))

    def _opened(self, body: Any) -> Response:
        about = body["about"] or ""
        lacks = self.required and self.required not in body and self.required_about in about
        wrong = f"{self.required} is required" if lacks else ""
        wrong = f"{self.unknown} is unknown" if self.unknown and self.unknown in body else wrong
        status = 422 if wrong else 503 if self.lose_answers else 201
        self.creates.append((self.now(), body["key"], status))
        if wrong:
            return _json({"errors": [wrong]}, status)
        self.tickets.append(Ticket(len(self.tickets) + 1, body["key"], body["body"], self.now(), about, changes=[body["change"]]))
        self.lose_answers = max(0, self.lose_answers - 1)
        return _json(_told(self.tickets[-1]), status)

    def _found(self, key: str) -> Response:
        self.searches.append(self.now())
        there = [one for one in self.tickets if one.opened_at + self.indexed_after <= self.now()]
        return _json([_told(one) for one in there if one.key == key])


def _told(ticket: Ticket) -> dict[str, Any]:
    return {"id": ticket.id, "key": ticket.key, "state": ticket.state, "why": ticket.why}


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


@contextmanager
def running_office() -> Iterator[Office]:
    office = Office()
    with serving(office.answer) as office.url:
        yield office
