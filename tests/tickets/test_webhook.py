"""The webhook target: signature, answers, errors; nothing secret leaks."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests

from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import load
from handlers.tickets.engine.signature import signing_key
from handlers.tickets.engine.target import Target

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "type": "incident.opened",
    "data": {"incident": {"id": "abc"}, "job": {"id": "job-1"}, "title": "Falha: ação"},
}


class Receiver:
    """A receiver that remembers what came and answers what it is told."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length)))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=hunter2"


@contextmanager
def receiver(status: int = 200, body: bytes = b"{}", **headers: str) -> Iterator[Receiver]:
    found = Receiver(status, body, headers)
    thread = Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()


def webhook(url: str, secret: str = "") -> Target:
    return Target(load("webhook"), Settings(ticket_url=url, ticket_secret=secret), requests.Session(), lambda: NOW)


def test_the_body_is_signed_as_standard_webhooks_say() -> None:
    with receiver() as target:
        webhook(target.url, "whsec_" + base64.b64encode(b"key").decode()).post(EVENT, "abc.1.opened")
    headers, body = target.requests[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(b"key", signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert json.loads(body) == EVENT


def test_the_same_change_has_the_same_id_each_time() -> None:
    with receiver() as target:
        webhook(target.url).post(EVENT, "abc.1.opened")
        webhook(target.url).post(EVENT, "abc.1.opened")
    assert [headers["webhook-id"] for headers, _ in target.requests] == ["abc.1.opened"] * 2


def test_there_is_no_signature_without_a_secret() -> None:
    with receiver() as target:
        webhook(target.url).post(EVENT, "abc.1.opened")
    assert "webhook-signature" not in target.requests[0][0]


@pytest.mark.parametrize(
    ("body", "posted"),
    [
        (b'{"id": "DESK-1", "url": "https://desk.example/1"}', Posted("DESK-1", "https://desk.example/1")),
        (b'{"id": 7}', Posted()),
        (b"[]", Posted()),
        (b"thanks", Posted()),
        (b"", Posted()),
    ],
)
def test_the_ticket_is_read_from_the_answer_if_it_names_one(body: bytes, posted: Posted) -> None:
    with receiver(201, body) as target:
        assert webhook(target.url).post(EVENT, "abc.1.opened") == posted


@pytest.mark.parametrize(
    ("status", "permanent"), [(500, False), (503, False), (429, False), (401, False), (400, True), (413, True)]
)
def test_a_refusal_is_an_error_that_says_whether_it_is_permanent(status: int, permanent: bool) -> None:
    with receiver(status, b"field x is wrong", **{"Retry-After": "1200"}) as target, pytest.raises(TicketNotPosted) as caught:
        webhook(target.url).post(EVENT, "abc.1.opened")
    assert caught.value.permanent is permanent
    assert caught.value.retry_after == "1200"
    assert ("field x is wrong" in str(caught.value)) is permanent


def test_a_redirect_is_not_followed_with_the_signed_body() -> None:
    with receiver(302, b"", Location="http://127.0.0.1:9/") as target, pytest.raises(TicketNotPosted, match="302"):
        webhook(target.url).post(EVENT, "abc.1.opened")


def test_no_error_text_holds_the_url_or_the_secret() -> None:
    with pytest.raises(TicketNotPosted) as caught:
        webhook("http://127.0.0.1:9/hook?token=hunter2", "hunter3").post(EVENT, "abc.1.opened")
    assert "hunter" not in "".join([str(caught.value), str(caught.value.__cause__), repr(caught.value)])


def test_a_secret_that_is_not_base64_is_named_without_being_shown() -> None:
    with pytest.raises(ValueError, match="TICKET_SECRET") as caught:
        signing_key("whsec_*hunter2*")
    assert "hunter2" not in str(caught.value)
