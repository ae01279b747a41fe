"""Faults: what the simulated Azure does instead of answering well, from a scenario's file or at run time.

`{match: "GET */Microsoft.Authorization/locks*", status: 429, retry_after: 1200, delay: 2.5, times: 3, after: 0}`
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

STATUSES = (0, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504)


class FaultError(ValueError):
    """A fault that cannot be used; the text names the field."""


@dataclass
class Fault:
    """One fault. Only `match` is required; a fault with neither `status` nor `drop` merely delays."""

    match: str
    """Glob over `METHOD path` or `METHOD path?query`, in any case: `GET */backupJobs*`."""
    status: int = 0
    """The answer's status; 0 answers as if nothing were wrong."""
    code: str = ""
    """The error code, where the status has another by default."""
    retry_after: int | None = None
    delay: float = 0.0
    """Seconds before the answer."""
    partial: bool = False
    """Of a log query: the rows, and an error that says that they are not all."""
    drop: bool = False
    """Close the connection without an answer."""
    times: int = 0
    """How often it strikes; 0 is always."""
    after: int = 0
    """How many matching calls it lets pass first."""
    subscription: str = ""
    """Only calls that name this subscription in their path or body, as those of a scenario's file."""

    def __post_init__(self) -> None:
        self._seen, self._lock = 0, threading.Lock()

    def strikes(self, method: str, path: str, query: str, body: str = "") -> bool:
        """Whether it strikes this call; counts the calls that match."""
        if not self.matches(method, path, query, body):
            return False
        with self._lock:
            self._seen += 1
            return self._seen > self.after and (not self.times or self._seen <= self.after + self.times)

    def matches(self, method: str, path: str, query: str = "", body: str = "") -> bool:
        """Whether it is about such a call; nothing is counted."""
        if self.subscription and self.subscription.lower() not in f"{path} {body}".lower():
            return False
        forms = (f"{method} {path}", f"{method} {path}?{query}")
        return any(fnmatch.fnmatchcase(form.lower(), self.match.lower()) for form in forms)


def fault_of(given: Mapping[str, Any], subscription: str = "") -> Fault:
    """A fault as it is written in YAML or JSON, checked. Raises FaultError."""
    known = {field.name for field in fields(Fault)}
    for name in given:
        if name not in known:
            raise FaultError(f"{name}: there is no such field; known are {', '.join(sorted(known))}")
    if not isinstance(given.get("match"), str) or " " not in given["match"]:
        raise FaultError(f"match: {given.get('match')!r} is not METHOD and path, such as 'GET */locks*'")
    if given.get("status", 0) not in STATUSES:
        raise FaultError(f"status: {given['status']!r} is not one of {', '.join(map(str, STATUSES))}")
    for name in ("retry_after", "delay", "times", "after"):
        value = given.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise FaultError(f"{name}: {value!r} is not a number from 0 up")
    return Fault(**{"subscription": subscription, **given})
