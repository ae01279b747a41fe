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
        return {
            file["filename"]: requests.get(file["content_url"], headers=headers, timeout=30).content.decode() for file in files
        }

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
        hidden = "99, 'Hidden', 'hidden', 1, 0, 98, 99"
        self._write(f"INSERT OR IGNORE INTO projects (id, name, identifier, status, is_public, lft, rgt) VALUES ({hidden})")
        self._write("UPDATE issues SET project_id = 99 WHERE id = ?", number)

    def reject(self, number: str) -> None:
        """Somebody whose role may do so sets the status Rejected."""
        self._write("UPDATE issues SET status_id = 6 WHERE id = ?", number)

    def delete(self, number: str) -> None:
        self._write("DELETE FROM issues WHERE id = ?", number)

    def add_subtask(self, number: str) -> None:
        """A person adds a task that must be done first."""
        child = {"project_id": "backup", "tracker_id": self.tracker, "subject": "First this", "parent_issue_id": number}
        headers = {"X-Redmine-API-Key": self.key}
        assert requests.post(f"{self.url}/issues.json", json={"issue": child}, headers=headers, timeout=30).status_code == 201

    @contextmanager
    def requiring(self, field: str) -> Iterator[int]:
        """The administrator adds a custom field that every issue must have; its id."""
        made = "'IssueCustomField', ?, 'string', 1, 1"
        number = self._write(
            f"INSERT INTO custom_fields (type, name, field_format, is_required, is_for_all) VALUES ({made})", field
        )
        self._write("INSERT INTO custom_fields_trackers VALUES (?, ?)", number, self.tracker)
        try:
            yield number
        finally:
            self._write("DELETE FROM custom_fields_trackers WHERE custom_field_id = ?", number)
            self._write("DELETE FROM custom_fields WHERE id = ?", number)

    @contextmanager
    def closed_project(self) -> Iterator[None]:
        """Somebody closes the project: it can be read only."""
        self._write("UPDATE projects SET status = 5 WHERE identifier = 'backup'")
        try:
            yield
        finally:
            self._write("UPDATE projects SET status = 1 WHERE identifier = 'backup'")

    def page(self, number: str) -> str:
        """Where anybody sees it."""
        return f"{self.url}/issues/{number}"

    def show_as(self, target: str) -> None:
        """Set the server's text formatting to that of a target."""
        self._write("DELETE FROM settings WHERE name = 'text_formatting'")
        value = TEXT_FORMATTING[target]
        self._write("INSERT INTO settings (name, value, updated_on) VALUES ('text_formatting', ?, '2100-01-01')", value)

    def _write(self, statement: str, *values: Any) -> int:
        """Change the database; the id of the row that was added last."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            return database.execute(statement, values).lastrowid or 0

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
