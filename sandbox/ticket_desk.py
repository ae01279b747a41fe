"""A ticket desk: a small ticketing system that receives the `webhook` target and shows tickets as a responder would see them.

Signatures as https://www.standardwebhooks.com says; the event as docs/ticket-event.schema.json. Everything is in memory.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from sandbox.http import serving

PAGES = Path(__file__).parent / "desk"
TOLERANCE_SECONDS = 300
NEEDED = ("incident", "title", "severity", "protected_item", "findings", "runbook")
TAGS = {"h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "pre", "code", "strong", "em", "a", "blockquote", "hr", "br", "table", "thead",
        "tbody", "tr", "th", "td"}  # fmt: skip
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Trouble:
    """What a post meets at the desk instead of a good answer: to try failures."""

    status: int = 0
    """The answer's status, and nothing is taken; 0: the post is taken."""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = "told to refuse"
    delay: float = 0.0
    """Seconds before the answer."""
    cut: bool = False
    """The connection is closed instead of the answer; what was taken stays taken."""
    over_bytes: int = 0
    """Only posts with a longer body meet it."""
    event_type: str = ""
    """Only events of this type meet it."""
    incident: str = ""
    """Only events that name this incident meet it."""

    def meets(self, body: bytes) -> bool:
        is_about = f'"{self.event_type}'.encode() in body[:100] and self.incident.encode() in body
        return len(body) > self.over_bytes and is_about


@dataclass(frozen=True)
class Try:
    """One post as the desk met it. `at` is the time of the clock, in seconds; status 0: the connection was cut."""

    at: float
    webhook_id: str
    status: int
    taken: bool
    """The desk has it, now or from before."""
    body: bytes = field(repr=False)


@dataclass
class Ticket:
    """One incident as the desk holds it: every event that came, the newest last."""

    number: int
    incident: str
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"DESK-{self.number}"

    @property
    def data(self) -> dict[str, Any]:
        """The newest event's data; a resolution says little, so the failure's own data stay in view."""
        telling = [event for event in self.events if event["data"]["findings"]] or self.events
        data: dict[str, Any] = telling[-1]["data"]
        return data

    @property
    def status(self) -> str:
        return "resolved" if self.events[-1]["data"]["incident"].get("status") == "resolved" else "open"

    @property
    def lead(self) -> dict[str, Any] | None:
        """The first finding: the one that the responder starts with."""
        return next(iter(self.data["findings"]), None)


class Desk:
    """Receives events, keeps tickets, serves pages."""

    def __init__(self, secret: str = "", on_event: Callable[[Ticket, dict[str, Any]], None] | None = None) -> None:
        self.secret, self.on_event, self.url = secret, on_event, ""
        self.repeats = 0
        self.next_posts: list[Trouble] = []
        """What the next posts meet, one each."""
        self.all_posts: Trouble | None = None
        """What all others meet, until further notice."""
        self.weather: Callable[[], Trouble | None] = lambda: None
        """What each post meets that meets nothing else."""
        self._tries: list[Try] = []
        self._tickets: dict[str, Ticket] = {}
        self._seen: dict[str, str] = {}
        self._changed = threading.Condition()

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/tickets"

    @property
    def tickets(self) -> list[Ticket]:
        """Open ones first, the newest first."""
        with self._changed:
            return sorted(self._tickets.values(), key=lambda ticket: (ticket.status == "resolved", -ticket.number))

    def events(self) -> list[dict[str, Any]]:
        with self._changed:
            return [event for ticket in self._tickets.values() for event in ticket.events]

    @property
    def tries(self) -> list[Try]:
        """Every post, in the order in which they were answered."""
        with self._changed:
            return list(self._tries)

    def wait_for(self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float) -> bool:
        """Wait until the events that came are enough; False when the time is over."""
        with self._changed:
            return self._changed.wait_for(lambda: enough(self.events()), seconds)

    def answer(self, request: Request) -> Response:
        path = request.path
        if request.method == "POST" and path == "/tickets":
            return self._receive(request)
        if request.method != "GET":
            return _json({"error": "There is nothing to do here."}, 405)
        if path == "/":
            return _page("list.html.j2", tickets=self.tickets)
        if match := re.fullmatch(r"/tickets/(DESK-\d+)(\.json)?", path):
            ticket = next((ticket for ticket in self.tickets if ticket.id == match[1]), None)
            if ticket:
                return _json(_as_json(ticket)) if match[2] else _page("ticket.html.j2", ticket=ticket)
        if path == "/api/tickets":
            return _json({"tickets": [_as_json(ticket) for ticket in self.tickets]})
        if path in ("/desk.css", "/desk.js"):
            kind = "text/css" if path.endswith("css") else "text/javascript"
            return Response((PAGES / path[1:]).read_text(encoding="utf-8"), mimetype=kind, headers=SECURITY)
        return Response("Not here.", 404, mimetype="text/plain")

    def _receive(self, request: Request) -> Response:
        """Take the post or refuse it, count the try, and answer as the trouble says that it meets."""
        at, body = time.time(), request.get_data()
        trouble = self._trouble_for(body) or Trouble()
        refusal = Response(
            json.dumps({"error": trouble.text}), trouble.status or 200, trouble.headers, mimetype="application/json"
        )
        answer = refusal if trouble.status else self._take(request, body)
        shown = 0 if trouble.cut else answer.status_code
        with self._changed:
            message_id = request.headers.get("webhook-id", "")
            self._tries.append(Try(at, message_id, shown, 200 <= answer.status_code < 300, body))
        time.sleep(trouble.delay)
        if trouble.cut:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("cut, as a trouble says")
        return answer

    def _trouble_for(self, body: bytes) -> Trouble | None:
        with self._changed:
            met = next((one for one in (*self.next_posts, self.all_posts, self.weather()) if one and one.meets(body)), None)
            if met in self.next_posts:
                self.next_posts.remove(met)
            return met

    def _take(self, request: Request, body: bytes) -> Response:
        if self.secret and not signature_is_good(dict(request.headers), body, self.secret):
            return _json({"error": "The signature is missing or wrong."}, 401)
        try:
            event = json.loads(body)
            missing = [f"data.{name}" for name in NEEDED if name not in event["data"]] + ([] if event.get("type") else ["type"])
        except (ValueError, TypeError, KeyError):
            missing = ["data"]
        if missing:
            return _json({"error": f"The event lacks {', '.join(missing)}."}, 400)
        return self._keep(event, request.headers.get("webhook-id", ""))

    def _keep(self, event: dict[str, Any], message_id: str) -> Response:
        with self._changed:
            incident = event["data"]["incident"]["id"]
            ticket = self._tickets.setdefault(incident, Ticket(len(self._tickets) + 1, incident))
            answer = {"id": ticket.id, "url": f"{self.url}/tickets/{ticket.id}"}
            if message_id and message_id in self._seen:
                self.repeats += 1
                return _json({**answer, "repeat": True})
            self._seen[message_id] = ticket.id
            ticket.events.append(event)
            self._changed.notify_all()
        if self.on_event:
            self.on_event(ticket, event)
        return _json(answer, 201)


def signature_is_good(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether one of the space-separated signatures is ours, and the time is near."""
    headers = {name.lower(): value for name, value in headers.items()}
    message_id, said = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not said.isdigit() or abs(int(said) - time.time()) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    digest = hmac.digest(key, f"{message_id}.{said}.".encode() + body, hashlib.sha256)
    good = f"v1,{base64.b64encode(digest).decode()}"
    return any(hmac.compare_digest(good.encode(), given.encode()) for given in headers.get("webhook-signature", "").split())


_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_markdown.render("[a link](https://example.com/)")  # fills its tables, before several threads come


def runbook_html(markdown: str) -> Markup:
    """The runbook as this desk shows it: its own rendering of the Markdown, sanitised; it trusts nothing that was sent."""
    clean = nh3.clean(_markdown.render(markdown), tags=TAGS, attributes={"a": {"href"}, "code": {"class"}, "ol": {"start"}}, url_schemes={"https"},
                      link_rel="noopener noreferrer")  # fmt: skip
    return Markup(clean)


def changes(ticket: Ticket, index: int) -> list[str]:
    """What an event changed in the verdicts since the one before."""
    verdicts = [
        {f["cause"]: f["verdict"] for f in event["data"]["findings"]} for event in ticket.events[max(0, index - 1) : index + 1]
    ]
    if len(verdicts) < 2 or not verdicts[1]:
        return []
    before, now = verdicts
    return [f"{cause}: {before.get(cause, '–')} → {verdict}" for cause, verdict in now.items() if before.get(cause) != verdict]


_pages = Environment(
    loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_words = tomllib.loads((PAGES / "words.toml").read_text(encoding="utf-8"))


def words_of(language: str | None) -> dict[str, str]:
    """The labels around a ticket, in its language."""
    words: dict[str, str] = _words.get(language or "en", _words["en"])
    return words


_pages.globals |= {"runbook_html": runbook_html, "changes": changes, "words_of": words_of}
_pages.filters["when"] = lambda text: str(text or "").replace("T", " ").replace("Z", " UTC") or "–"
_pages.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)


def _page(name: str, **values: Any) -> Response:
    return Response(_pages.get_template(name).render(**values), mimetype="text/html", headers=SECURITY)


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def _as_json(ticket: Ticket) -> dict[str, Any]:
    return {"id": ticket.id, "status": ticket.status, "incident": ticket.incident, "events": ticket.events}


@contextmanager
def running_desk(
    secret: str = "", *, port: int = 0, on_event: Callable[[Ticket, dict[str, Any]], None] | None = None
) -> Iterator[Desk]:
    desk = Desk(secret, on_event)
    with serving(desk.answer, port) as desk.url:
        yield desk


def main() -> None:
    parser = argparse.ArgumentParser(description="A ticket desk for the webhook target.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", default="")
    options = parser.parse_args()
    with running_desk(options.secret, port=options.port) as desk:
        print(f"ticket desk on {desk.url}, webhook {desk.webhook_url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
