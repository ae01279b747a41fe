"""A small ticket system with many tickets, each of which somebody may move away, delete, lock, close or block; real HTTP on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from handlers.settings import Settings
from handlers.tickets.engine.own_file import checked
from handlers.tickets.engine.target import Target
from sandbox.http import serving
from tests.tickets.system import session

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
json = { key = "= key", body = "= text", "+" = "= options.fields" }
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
json = { text = "= text" }
[[resolve]]
when = "= not told"
path = "/tickets/{ticket.id}/notes"
json = { text = "= text" }
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
json = { text = "= text" }
"""
MOVED, DELETED, LOCKED, BLOCKED, CONFLICT = "moved", "deleted", "locked", "blocked", "conflict"
REFUSALS = {MOVED: 403, DELETED: 404, LOCKED: 423, BLOCKED: 422, CONFLICT: 409}


@dataclass
class Ticket:
    id: int
    key: str
    body: str
    opened_at: float
    state: str = "open"
    why: str = ""
    trouble: str = ""
    notes: list[str] = field(default_factory=list)
    asked: list[tuple[float, str, int]] = field(default_factory=list)
    """When, what and with which answer."""

    def refuses(self, method: str, body: Any) -> bool:
        closes = method == "PATCH" and body.get("state") == "closed"
        return {
            MOVED: True, DELETED: True, LOCKED: method != "GET", BLOCKED: closes, CONFLICT: method == "PATCH",
        }.get(self.trouble, False)  # fmt: skip


class Office:
    """The tickets by their number, from 1. `now`: seconds of the test's clock."""

    def __init__(self) -> None:
        self.url = ""
        self.now: Callable[[], float] = lambda: 0.0
        self.tickets: list[Ticket] = []
        self.required = ""
        """A field without which no new ticket is taken."""
        self.unknown = ""
        """A field with which none is taken."""
        self.lose_answers = 0
        """So many new tickets are taken and answered with 503."""
        self.indexed_after = 0.0
        """Seconds after which a search finds a new ticket."""
        self.creates: list[tuple[float, str, int]] = []
        """When, with which key and answer a new ticket was asked for."""
        self.searches: list[float] = []

    def answer(self, request: Request) -> Response:
        body = json.loads(request.get_data() or b"null")
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
        return _json(_told(ticket))

    def _opened(self, body: Any) -> Response:
        wrong = f"{self.required} is required" if self.required and self.required not in body else ""
        wrong = f"{self.unknown} is unknown" if self.unknown and self.unknown in body else wrong
        status = 422 if wrong else 503 if self.lose_answers else 201
        self.creates.append((self.now(), body["key"], status))
        if wrong:
            return _json({"errors": [wrong]}, status)
        self.tickets.append(Ticket(len(self.tickets) + 1, body["key"], body["body"], self.now()))
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


def target_of(office: Office, now: Callable[[], datetime], **options: Any) -> Target:
    return Target(checked(FILE, "office.toml"), Settings(ticket_url=office.url, ticket_options=options), session(), now)
