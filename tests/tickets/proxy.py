"""A proxy in front of a real ticketing system. It holds back, or loses, answers to requests that the system has taken already."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests
from werkzeug.wrappers import Request, Response

from sandbox.http import serving
from tests.tickets.system import session

OWN_HEADERS = {"host", "connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive"}
"""What each of two connections says for itself."""
PATIENCE_SECONDS = 150


@dataclass
class Held:
    """The next request whose method and path match: its answer comes after so many seconds, or never (`lost`)."""

    request: str
    """A regular expression over `METHOD /path`."""
    seconds: float = 0.0
    lost: bool = False
    taken: threading.Event = field(default_factory=threading.Event)
    """The system has answered; its answer is here."""


class Proxy:
    """`asked`: each request as `METHOD /path STATUS`, in the order in which the system answered."""

    def __init__(self, system: str) -> None:
        self.system, self.url = system, ""
        self.asked: list[str] = []
        self._held: list[Held] = []
        self._lock = threading.Lock()

    def hold(self, request: str, *, seconds: float = 0.0, lost: bool = False) -> Held:
        held = Held(request, seconds, lost)
        self._held.append(held)
        return held

    def count(self, request: str) -> int:
        return len([asked for asked in self.asked if re.fullmatch(request, asked)])

    def answer(self, request: Request) -> Response:
        asked = f"{request.method} {request.path}"
        held, answer = self._held_for(asked), self._forwarded(request)
        with self._lock:
            self.asked.append(f"{asked} {answer.status_code}")
        if held:
            held.taken.set()
            threading.Event().wait(held.seconds)
        if held and held.lost:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("lost on the way")
        return answer

    def _held_for(self, asked: str) -> Held | None:
        with self._lock:
            held = next((held for held in self._held if re.fullmatch(held.request, asked)), None)
            if held:
                self._held.remove(held)
            return held

    def _forwarded(self, request: Request) -> Response:
        """The system's answer. Where a request names the proxy's address (`Origin`), the system reads its own."""
        headers = {
            name: value.replace(self.url, self.system) for name, value in request.headers if name.lower() not in OWN_HEADERS
        }
        url = self.system + request.environ["REQUEST_URI"]
        with session() as client:
            answer = client.request(
                request.method, url, data=request.get_data(), headers=headers, timeout=PATIENCE_SECONDS, allow_redirects=False
            )
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS]
        return Response(answer.content, answer.status_code, kept)


@contextmanager
def proxied(system: str) -> Iterator[Proxy]:
    """Whoever asks for a connection that is refused, gets 502."""
    proxy = Proxy(system)

    def answer(request: Request) -> Response:
        try:
            return proxy.answer(request)
        except requests.ConnectionError:
            return Response("the system is away", 502)

    with serving(answer) as proxy.url:
        yield proxy
