"""A real Roundup tracker on loopback: one of its templates with `incident_key`, served as WSGI (its own server refuses to run as root)."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from handlers.tickets.engine.target import Target
from sandbox.processes import end, end_with_parent
from tests.tickets.system import target_at

PATIENCE_SECONDS = 150
"""It takes a second, on a machine that does little else."""
USER, PASSWORD = "backup-runbooks", "s3cret"
ADMIN = Path(sys.executable).with_name("roundup-admin")
SERVE = """
import socket, sys, waitress
from roundup.cgi.wsgi_handler import RequestDispatcher
waitress.serve(RequestDispatcher(sys.argv[1]), sockets=[socket.socket(fileno=int(sys.argv[2]))], threads=4)
"""
"""On a socket that is bound already: its port stands in the tracker's configuration before it is served."""


@dataclass(frozen=True)
class Tracker:
    """What the tracker holds, read by its own REST interface."""

    url: str

    def target(self, *, secret: str = PASSWORD, user: str = USER, **options: Any) -> Target:
        return target_at(self.url, "roundup", user=user, secret=secret, **options)

    def get(self, path: str, **query: str) -> Any:
        answer = requests.get(f"{self.url}/rest/data/{path}", params=query, auth=(USER, PASSWORD), timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def issue(self, number: str) -> dict[str, Any]:
        """The issue with the names of its status and priority, and the texts of its messages."""
        found: dict[str, Any] = self.get(f"issue/{number}", **{"@verbose": "2"})["attributes"]
        texts = [self.get(f"msg/{one['id']}", **{"@verbose": "3"})["attributes"] for one in found["messages"]]
        return found | {"status": found["status"]["name"], "priority": found["priority"]["name"], "messages": texts}

    def files(self, number: str) -> dict[str, str]:
        """The files of an issue by name; of several the newest."""
        numbers = [file["id"] for file in self.get(f"issue/{number}", **{"@verbose": "2"})["attributes"]["files"]]
        files = [self.get(f"file/{one}", **{"@verbose": "3"})["attributes"] for one in sorted(numbers, key=int)]
        return {file["name"]: file["content"] for file in files}

    def issues(self, key: str) -> list[str]:
        return [one["id"] for one in self.get("issue", **{"incident_key:": key})["collection"]]

    def change(self, number: str, **values: Any) -> None:
        """What a person does."""
        tag = self.get(f"issue/{number}")["@etag"]
        headers = {"If-Match": tag, "X-Requested-With": "test", "Origin": self.url}
        address = f"{self.url}/rest/data/issue/{number}"
        assert requests.patch(address, json=values, headers=headers, auth=(USER, PASSWORD), timeout=30).status_code == 200

    def retire(self, number: str) -> None:
        """What a person does, who deletes it."""
        headers = {"If-Match": self.get(f"issue/{number}")["@etag"], "X-Requested-With": "test", "Origin": self.url}
        address, admin = f"{self.url}/rest/data/issue/{number}", ("admin", "admin-s3cret")
        assert requests.delete(address, headers=headers, auth=admin, timeout=30).status_code == 200


@contextmanager
def running_tracker(home: Path, template: str = "classic", detector: str = "") -> Iterator[Tracker]:
    """`detector`: Python that the tracker runs before it changes something."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        tracker = Tracker(f"http://127.0.0.1:{bound.getsockname()[1]}")
        _make(home, tracker.url, template, detector)
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(home), str(bound.fileno())], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=end_with_parent, pass_fds=[bound.fileno()],
        )  # fmt: skip
    try:
        _wait(tracker.url, process)
        yield tracker
    finally:
        end(process)


def _make(home: Path, url: str, template: str, detector: str) -> None:
    _admin(home, "install", template, "sqlite")
    (home / "detectors" / "for_tests.py").write_text(detector or "def init(db): pass\n")
    _edit(home / "config.ini", r"^#?web = .*$", f"web = {url}/")
    _edit(home / "config.ini", r"^#?domain = .*$", "domain = example.com")
    _edit(home / "config.ini", r"^#?host = .*NO DEFAULT.*$", "host = localhost")
    _edit(home / "config.ini", r"^debug = *$", f"debug = {home}/mail")
    _edit(home / "config.ini", r"^password_pbkdf2_default_rounds = .*$", "password_pbkdf2_default_rounds = 1000")
    _edit(home / "schema.py", r'IssueClass\(db, "issue",', 'IssueClass(db, "issue", incident_key=String(),')
    _admin(home, "initialise", "admin-s3cret")
    _admin(home, "create", "user", f"username={USER}", f"password={PASSWORD}", f"address={USER}@example.com", "roles=User")


def _admin(home: Path, *words: str) -> None:
    done = subprocess.run([ADMIN, "-i", str(home), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _edit(file: Path, what: str, by: str) -> None:
    text, count = re.subn(what, by, file.read_text(), flags=re.MULTILINE)
    assert count, f"{file.name} has no {what}"
    file.write_text(text)


def _wait(url: str, process: subprocess.Popen[str]) -> None:
    """Its socket takes connections from the beginning: the first one is answered when the tracker serves."""
    try:
        requests.get(f"{url}/rest", timeout=PATIENCE_SECONDS)
    except requests.RequestException as error:
        process.kill()
        raise RuntimeError(f"Roundup did not start: {process.communicate()[1][-1000:]}") from error
