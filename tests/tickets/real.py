"""The real ticketing systems at hand, behind a proxy, as the whole app is set up for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.faults.office import BLOCKED, DELETED, MOVED
from tests.tickets import redmine_server, request_tracker_server
from tests.tickets.proxy import Proxy, proxied
from tests.tickets.redmine_server import running_redmine
from tests.tickets.request_tracker_server import QUEUE, running_request_tracker
from tests.tickets.roundup_tracker import PASSWORD, USER, running_tracker

CLOSED = "closed"
CLOSED_STATUS = 5
"""Redmine lets an issue with open subtasks be resolved (3), but not closed."""


@dataclass(frozen=True)
class Real:
    """A real system: `server` is its own helper, `create` the request that makes a ticket, without its status."""

    server: Any
    proxy: Proxy
    create: str
    credentials: Mapping[str, str]
    options: Mapping[str, Any]
    tickets: Callable[[str], list[str]]
    """The numbers of the tickets that carry an incident's key, as the system itself finds them."""
    deeds: Mapping[str, Callable[[str], object]]
    """What a person may do to the ticket of a number."""
    is_open: Callable[[str], bool]

    def settings(self, **options: Any) -> dict[str, str]:
        """The app's settings."""
        return {"TICKET_URL": self.proxy.url, "TICKET_OPTIONS": json.dumps({**self.options, **options}), **self.credentials}


@contextmanager
def roundup(folder: Path) -> Iterator[Real]:
    with running_tracker(folder / "tracker") as server, proxied(server.url) as proxy:
        credentials = {"TICKET_TARGET": "roundup", "TICKET_USER": USER, "TICKET_SECRET": PASSWORD}
        deeds = {DELETED: server.retire, CLOSED: lambda number: server.change(number, status="done-cbb")}
        yield Real(
            server, proxy, "POST /rest/data/issue/@poe/.+", credentials, {}, server.issues, deeds,
            lambda number: bool(server.issue(number)["status"] == "chatting"),
        )  # fmt: skip


@contextmanager
def redmine(folder: Path) -> Iterator[Real]:
    with running_redmine(folder) as server, proxied(server.url) as proxy:
        options = {
            "project": "backup",
            "key_field": server.field,
            "tracker": server.tracker,
            "statuses": {"resolved": CLOSED_STATUS},
        }
        deeds = {
            MOVED: server.move_away, DELETED: server.delete, BLOCKED: server.add_subtask,
            CLOSED: lambda number: server.change(number, status_id=3),
        }  # fmt: skip
        yield Real(
            server, proxy, "POST /issues.json", {"TICKET_TARGET": "redmine", "TICKET_SECRET": server.key}, options, server.issues, deeds,
            lambda number: bool(server.issue(number)["status"] == "In Progress"),
        )  # fmt: skip


@contextmanager
def request_tracker(folder: Path) -> Iterator[Real]:
    with running_request_tracker(folder) as server, proxied(server.url) as proxy:
        credentials = {"TICKET_TARGET": "request_tracker", "TICKET_SECRET": server.token}
        deeds = {
            MOVED: server.move_away, DELETED: lambda number: server.change(number, Status="deleted"),
            BLOCKED: lambda number: server.let_depend(number, on=server.another()), CLOSED: lambda number: server.change(number, Status="resolved"),
        }  # fmt: skip
        yield Real(
            server, proxy, "POST /REST/2.0/ticket", credentials, {"queue": QUEUE}, server.tickets, deeds,
            lambda number: bool(server.ticket(number)["Status"] == "open"),
        )  # fmt: skip


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
