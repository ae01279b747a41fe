"""A ticketing system that answers as a test says and remembers what it was asked; real HTTP on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from handlers.model.refusal import Past
from handlers.settings import Settings
from handlers.tickets.answers import Posted
from handlers.tickets.engine.definition import load
from handlers.tickets.engine.target import Target
from sandbox.http import serving
from tests.tickets.changes import Posting

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """One request as it came. `json` is None when its body is none."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body and "json" in self.headers.get("content-type", "") else None


@dataclass
class Reply:
    status: int = 200
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class System:
    """`system.on("POST", "/issues", Reply(201, {…}))`: the newest rule whose method and whole path (a regular expression) match."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._rules: list[tuple[str, str, Callable[[Asked], Reply]]] = []

    def on(self, method: str, path: str, reply: Reply | Callable[[Asked], Reply]) -> None:
        self._rules.insert(0, (method, path, reply if callable(reply) else lambda _: reply))

    def all_answer(self, reply: Reply) -> None:
        self._rules = [(method, ".*", lambda _: reply) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")]

    def answer(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        one = Asked(request.method, request.path, dict(request.args), headers, request.get_data())
        self.asked.append(one)
        for method, path, reply in self._rules:
            if method == one.method and re.fullmatch(path, one.path):
                said = reply(one)
                body = b"" if said.json is None else json.dumps(said.json).encode()
                return Response(body, said.status, dict(said.headers), mimetype="application/json")
        return Response(b'{"error": "the test has no rule for this"}', 501, mimetype="application/json")

    def named(self, method: str, path: str) -> list[Asked]:
        return [one for one in self.asked if one.method == method and re.fullmatch(path, one.path)]


@contextmanager
def running_system() -> Iterator[System]:
    system = System()
    with serving(system.answer) as system.url:
        yield system


bundled_definition = cache(load)
"""A bundled system's file, read once: definitions are values."""


def target_at(
    url: str, name: str, *, user: str = "", secret: str = "s3cret", now: Callable[[], datetime] = lambda: NOW, **options: Any
) -> Target:
    """The bundled target of that name at a URL, with TICKET_OPTIONS."""
    settings = Settings(ticket_url=url, ticket_target=name, ticket_user=user, ticket_secret=secret, ticket_options=options)
    return Target(bundled_definition(name), settings, session(), now, lambda scope: f"token-for-{scope}")


def session() -> requests.Session:
    """A session that asks neither for proxies nor for a .netrc: what a machine has of those is none of a test's business."""
    made = requests.Session()
    made.trust_env = False
    return made


SEARCHED = Past(searches=1)
"""A ticket whose answer was lost was looked for once already: it is looked for once more, then opened again."""


def posted(target: Target, posting: Posting, *, may_exist: bool = False, past: Past = SEARCHED) -> Posted:
    return target.post(posting.event, posting.change_id, may_exist=may_exist, past=past, parts=posting.parts)
