"""A real Request Tracker on loopback, when `make test-rt` has installed it: a fresh copy of its database for each start."""

from __future__ import annotations

import json
import shutil
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from handlers.tickets.engine.target import Target
from tests.conftest import ROOT
from tests.tickets.started import free_port, started
from tests.tickets.system import target_at

MADE = ROOT / "build" / "request_tracker.json"
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
QUEUE = "Backup's own"
"""A quote in it, as a trap for searches."""


def is_installed() -> bool:
    return MADE.exists() and SERVER.exists()


@dataclass(frozen=True)
class RequestTracker:
    """What RT holds, read by its own REST interface as its administrator."""

    url: str
    database: Path
    token: str
    person: str

    def target(self, *, secret: str = "", **options: Any) -> Target:
        return target_at(self.url, "request_tracker", secret=secret or self.token, **{"queue": QUEUE} | options)

    def ticket(self, number: str) -> dict[str, Any]:
        """A ticket with its texts, the first one included."""
        ticket: dict[str, Any] = self._asked("GET", f"/ticket/{number}")
        history = self._asked("GET", f"/ticket/{number}/history", fields="Type", per_page="100")["items"]
        told = [self._text(entry["id"]) for entry in history if entry["Type"] in ("Create", "Comment", "Correspond")]
        return ticket | {"texts": told}

    def files(self, number: str) -> dict[str, str]:
        """The files of a ticket by name; of several the newest."""
        listed = self._asked("GET", f"/ticket/{number}/attachments", fields="Filename", per_page="100")["items"]
        named = {one["Filename"]: str(one["id"]) for one in sorted(listed, key=lambda one: int(one["id"])) if one.get("Filename")}
        return {name: self._content(attachment) for name, attachment in named.items()}

    def tickets(self, key: str) -> list[str]:
        query = f"CF.{{IncidentKey}} = '{key}'"
        return [str(ticket["id"]) for ticket in self._asked("GET", "/tickets", query=query)["items"]]

    def change(self, number: str, **values: Any) -> None:
        """What a person does."""
        self._asked("PUT", f"/ticket/{number}", json=values)

    def page(self, number: str) -> str:
        """Where a person who is signed in sees it."""
        return f"{self.url}/Ticket/Display.html?id={number}&user=root&pass=only-for-tests"

    def merge(self, number: str, into: str) -> None:
        self._asked("PUT", f"/ticket/{number}", json={"MergeInto": into})

    def move_away(self, number: str) -> None:
        """Somebody moves a ticket to a queue that the app does not see."""
        if not self._asked("GET", "/queues", query="Name = 'Hidden'")["items"]:
            self._asked("POST", "/queue", json={"Name": "Hidden"})
        self.change(number, Queue="Hidden")

    def let_depend(self, number: str, on: str) -> None:
        """Somebody says that a ticket cannot be resolved before another one."""
        self.change(number, DependsOn=on)

    def another(self) -> str:
        """A ticket that somebody opens about something else."""
        return str(self._asked("POST", "/ticket", json={"Queue": QUEUE, "Subject": "First this"})["id"])

    @contextmanager
    def requiring(self, field: str) -> Iterator[None]:
        """The queue has a custom field that every ticket must have. REST2 of RT 5.0.3 cannot add one to a queue."""
        made = {
            "Name": field,
            "Type": "Freeform",
            "MaxValues": 1,
            "LookupType": "RT::Queue-RT::Ticket",
            "Pattern": "(?#Mandatory).",
        }
        number = self._asked("POST", "/customfield", json=made)["id"]
        self._write(
            "INSERT INTO ObjectCustomFields (CustomField, ObjectId) SELECT ?, id FROM Queues WHERE Name = ?", number, QUEUE
        )
        try:
            yield
        finally:
            self._write("DELETE FROM ObjectCustomFields WHERE CustomField = ?", number)

    def queue_without(self, right: str) -> str:
        """Another queue, where the app has every right but one; a ticket is open there."""
        name = f"Without {right}"
        queue = self._asked("POST", "/queue", json={"Name": name})["id"]
        ours = "FROM ACL JOIN Queues ON ACL.ObjectId = Queues.id WHERE ObjectType = 'RT::Queue' AND Queues.Name = ? AND RightName != ?"
        columns = "PrincipalType, PrincipalId, RightName, ObjectType"
        self._write(f"INSERT INTO ACL ({columns}, ObjectId) SELECT {columns}, ? {ours}", queue, QUEUE, right)
        fields = "SELECT id FROM CustomFields WHERE Name = 'IncidentKey'"
        self._write(f"INSERT INTO ObjectCustomFields (CustomField, ObjectId) VALUES (({fields}), ?)", queue)
        self._asked("POST", "/ticket", json={"Queue": name, "Subject": "Something else"})
        return name

    def _write(self, statement: str, *values: str) -> None:
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute(statement, values)

    def _text(self, transaction: str) -> str:
        listed = self._asked("GET", f"/transaction/{transaction}/attachments", fields="ContentType,Content", per_page="20")[
            "items"
        ]
        return "".join(self._content(str(one["id"])) for one in listed)

    def _content(self, attachment: str) -> str:
        return b64decode(self._asked("GET", f"/attachment/{attachment}").get("Content") or "").decode()

    def _asked(self, method: str, path: str, json: Any = None, **query: str) -> Any:
        headers = {"Authorization": f"token {self.person}"}
        answer = requests.request(method, f"{self.url}/REST/2.0{path}", params=query, json=json, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def running_request_tracker(folder: Path) -> Iterator[RequestTracker]:
    port, database = free_port(), folder / "rt.sqlite3"
    shutil.copy(MADE.with_suffix("") / "rt.sqlite3", database)
    server = RequestTracker(f"http://127.0.0.1:{port}", database, **json.loads(MADE.read_text()))
    with started(
        [ROOT / "tools" / "request_tracker", "serve", str(port), str(folder)], server.url, folder / "request_tracker.log"
    ):
        yield server
