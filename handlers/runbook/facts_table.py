"""The facts that the findings speak of, each once: its value, since when that is so, when and where it was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.model import Diagnosis, Evidence, Extension, Job, KeyState, KeyVault, Lock, Reading, ServiceIssue, Unknown

SINCE = {
    Lock: "created_at",
    ServiceIssue: "since",
    Extension: "at",
    KeyState: "updated_at",
    KeyVault: "deleted_at",
    Job: "started_at",
}
"""The values that say since when they are so, and what that is called."""


@dataclass(frozen=True, slots=True)
class Row:
    """`value` is plain (text, number, bool, None or a list of these); None with `unread`: why it could not be read."""

    fact: str
    value: Any
    source: str
    read_at: datetime | None
    since: datetime | None
    unread: Unknown | None


def rows_of(diagnosis: Diagnosis) -> tuple[Row, ...]:
    """In the order in which the findings name them."""
    named: dict[str, list[Evidence]] = {}
    for evidence in (evidence for finding in diagnosis.findings for evidence in finding.evidence):
        named.setdefault(evidence.fact, []).append(evidence)
    return tuple(_row(fact, found, diagnosis.readings.get(fact)) for fact, found in named.items())


def _row(fact: str, found: list[Evidence], reading: Reading | None) -> Row:
    """Several checks may have looked at different parts of a list: they are one list here. What the failure carries was read nowhere."""
    value, source = reading.value if reading else None, found[0].source
    unread = value if isinstance(value, Unknown) else None
    read_at, since = (found[0].read_at, since_of(value)) if source else (None, None)
    return Row(fact, None if unread else _merged(found), source, read_at, since, unread)


def _merged(found: Iterable[Evidence]) -> Any:
    values = [evidence.value for evidence in found if evidence.value is not None]
    if len(values) == 1 or all(value == values[0] for value in values):
        return values[0] if values else None
    return list(dict.fromkeys(item for value in values for item in (value if isinstance(value, list) else [value])))


def since_of(value: Any) -> datetime | None:
    """Since when a fact's value is so, where it says so: of several, since the first. A list of jobs is none."""
    if isinstance(value, tuple):
        return min((time for item in value if not isinstance(item, Job) and (time := since_of(item))), default=None)
    time = getattr(value, SINCE.get(type(value), ""), None) if type(value) in SINCE else None
    return time if isinstance(time, datetime) else None


def cell(markdown: str) -> str:
    """Markdown inside a cell of a table, whose columns it cannot leave. https://github.github.com/gfm/#tables-extension-"""
    return " ".join(markdown.split()).replace("|", "\\|")
