"""The real ticketing systems at hand, behind a proxy, as the whole app is set up for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.tickets import redmine_server, request_tracker_server
from tests.tickets.proxy import Proxy, proxied
from tests.tickets.redmine_server import running_redmine
from tests.tickets.request_tracker_server import QUEUE, running_request_tracker
from tests.tickets.roundup_tracker import PASSWORD, USER, running_tracker


@dataclass(frozen=True)
class Real:
    """A real system: `server` is its own helper, `create` the request that makes a ticket."""

    server: Any
    proxy: Proxy
    create: str
    credentials: Mapping[str, str]
    options: Mapping[str, Any]
    tickets: Callable[[str], list[str]]
    """The numbers of the tickets that carry an incident's key, as the system itself finds them."""

    def settings(self, **options: Any) -> dict[str, str]:
        """The app's settings."""
        return {"TICKET_URL": self.proxy.url, "TICKET_OPTIONS": json.dumps({**self.options, **options}), **self.credentials}


@contextmanager
def roundup(folder: Path) -> Iterator[Real]:
    with running_tracker(folder / "tracker") as server, proxied(server.url) as proxy:
        credentials = {"TICKET_TARGET": "roundup", "TICKET_USER": USER, "TICKET_SECRET": PASSWORD}
        yield Real(server, proxy, "POST /rest/data/issue/@poe/.+", credentials, {}, server.issues)


@contextmanager
def redmine(folder: Path) -> Iterator[Real]:
    with running_redmine(folder) as server, proxied(server.url) as proxy:
        options = {"project": "backup", "key_field": server.field, "tracker": server.tracker}
        yield Real(
            server, proxy, "POST /issues.json", {"TICKET_TARGET": "redmine", "TICKET_SECRET": server.key}, options, server.issues
        )


@contextmanager
def request_tracker(folder: Path) -> Iterator[Real]:
    with running_request_tracker(folder) as server, proxied(server.url) as proxy:
        credentials = {"TICKET_TARGET": "request_tracker", "TICKET_SECRET": server.token}
        yield Real(server, proxy, "POST /REST/2.0/ticket", credentials, {"queue": QUEUE}, server.tickets)


SYSTEMS = [
    pytest.param(roundup, id="roundup"),
    pytest.param(
        redmine, id="redmine", marks=pytest.mark.skipif(not redmine_server.is_installed(), reason="make test-redmine installs it")
    ),
    pytest.param(
        request_tracker,
        id="request_tracker",
        marks=pytest.mark.skipif(not request_tracker_server.is_installed(), reason="make test-rt installs it"),
    ),
]
each_real_system = pytest.mark.parametrize("running", SYSTEMS)
