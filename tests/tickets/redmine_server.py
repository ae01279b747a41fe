"""A real Redmine on loopback, when `make test-redmine` has installed it: a fresh copy of its database for each start."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
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

MADE = ROOT / "build" / "redmine.json"
TEXT_FORMATTING = {"redmine": "textile", "redmine_markdown": "common_mark", "redmine_redcarpet": "markdown"}


def is_installed() -> bool:
    return MADE.exists() and os.access("/etc/redmine/default/secret_key.txt", os.R_OK)


@dataclass(frozen=True)
class Redmine:
    url: str
    database: Path
    key: str
    field: int
    tracker: int

    def target(self, name: str = "redmine", *, secret: str = "", **options: Any) -> Target:
        known: dict[str, Any] = {"project": "backup", "key_field": self.field, "tracker": self.tracker}
        return target_at(self.url, name, secret=secret or self.key, **known | options)

    def issue(self, number: str) -> dict[str, Any]:
        """An issue with its notes, as Redmine holds it."""
        found: dict[str, Any] = self._get(f"/issues/{number}.json", include="journals")["issue"]
        notes = [entry["notes"] for entry in found["journals"] if entry["notes"]]
        return found | {"status": found["status"]["name"], "priority": found["priority"]["name"], "notes": notes}

    def files(self, number: str) -> dict[str, str]:
        """The files of an issue, by name."""
        files = self._get(f"/issues/{number}.json", include="attachments")["issue"]["attachments"]
        headers = {"X-Redmine-API-Key": self.key}
        return {file["filename"]: requests.get(file["content_url"], headers=headers, timeout=30).text for file in files}

    def issues(self, key: str) -> list[str]:
        found = self._get("/issues.json", status_id="*", limit="100")["issues"]
        return [
            str(one["id"]) for one in found if {"id": self.field, "name": "Incident key", "value": key} in one["custom_fields"]
        ]

    def change(self, number: str, **values: Any) -> None:
        """What a person does."""
        headers = {"X-Redmine-API-Key": self.key}
        assert (
            requests.put(f"{self.url}/issues/{number}.json", json={"issue": values}, headers=headers, timeout=30).status_code
            == 204
        )

    def move_away(self, number: str) -> None:
        """Somebody moves an issue to a project that the app does not see."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute(
                "INSERT OR IGNORE INTO projects (id, name, identifier, status, is_public, lft, rgt) VALUES (99, 'Hidden', 'hidden', 1, 0, 98, 99)"
            )
            database.execute("UPDATE issues SET project_id = 99 WHERE id = ?", [number])

    def reject(self, number: str) -> None:
        """Somebody whose role may do so sets the status Rejected."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute("UPDATE issues SET status_id = 6 WHERE id = ?", [number])

    def delete(self, number: str) -> None:
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute("DELETE FROM issues WHERE id = ?", [number])

    def add_subtask(self, number: str) -> None:
        """A person adds a task that must be done first."""
        child = {"project_id": "backup", "tracker_id": self.tracker, "subject": "First this", "parent_issue_id": number}
        headers = {"X-Redmine-API-Key": self.key}
        assert requests.post(f"{self.url}/issues.json", json={"issue": child}, headers=headers, timeout=30).status_code == 201

    def show_as(self, target: str) -> None:
        """Set the server's text formatting to that of a target."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute("DELETE FROM settings WHERE name = 'text_formatting'")
            database.execute(
                "INSERT INTO settings (name, value, updated_on) VALUES ('text_formatting', ?, '2100-01-01')",
                [TEXT_FORMATTING[target]],
            )

    def _get(self, path: str, **query: str) -> Any:
        answer = requests.get(f"{self.url}{path}", params=query, headers={"X-Redmine-API-Key": self.key}, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def running_redmine(folder: Path) -> Iterator[Redmine]:
    port, database = free_port(), folder / "redmine.sqlite3"
    shutil.copy(MADE.with_suffix(".sqlite3"), database)
    redmine = Redmine(f"http://127.0.0.1:{port}", database, **json.loads(MADE.read_text()))
    with started([ROOT / "tools" / "redmine", "serve", str(port), str(database)], redmine.url, folder / "redmine.log"):
        yield redmine
