"""The facts that the findings speak of, each once: its value, since when that is so, when and where it was read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from handlers.model import (
    Activity,
    Availability,
    Diagnosis,
    Evidence,
    Extension,
    Failure,
    GuestEvents,
    Job,
    KeyState,
    KeyVault,
    Lock,
    ServiceIssue,
    Unknown,
    VirtualMachine,
)

SINCE: dict[type, str] = {
    Activity: "since", Availability: "since", Extension: "at", GuestEvents: "since", Job: "started_at", KeyState: "updated_at",
    KeyVault: "deleted_at", Lock: "created_at", ServiceIssue: "since", VirtualMachine: "status_at",
}  # fmt: skip
"""The values that say since when they are so, and what that is called. A log is as it is since its first time that was read."""
OF_CHECKS = "checks"


class Row(Struct, frozen=True):
    """`value` is plain (text, number, bool, None or a list of these); None with `unread`: why it could not be read.

    `origin` stands for a source without a name: `job`, `alert` or `checks`, what the app's own checks concluded.
    """

    fact: str
    value: Any
    source: str
    read_at: datetime | None
    since: datetime | None
    unread: Unknown | None
    origin: str = ""


def rows_of(diagnosis: Diagnosis) -> tuple[Row, ...]:
    """In the order in which the findings name them."""
    named: dict[str, list[Evidence]] = {}
    for evidence in (evidence for finding in diagnosis.findings for evidence in finding.evidence):
        named.setdefault(evidence.fact, []).append(evidence)
    return tuple(_row(fact, values, diagnosis) for fact, values in named.items())


def _row(fact: str, values: list[Evidence], diagnosis: Diagnosis) -> Row:
    """The parts of a list that several checks name are one list here."""
    reading, source = diagnosis.readings.get(fact), values[0].source
    if not source:
        return _carried(fact, _merged(values), diagnosis)
    value = reading.value if reading else None
    unread = value if isinstance(value, Unknown) else None
    return Row(fact, None if unread else _merged(values), source, values[0].read_at, since_of(value), unread)


def _carried(fact: str, value: Any, diagnosis: Diagnosis) -> Row:
    """What the failure itself carries, or what the checks make of facts."""
    failure = diagnosis.failure
    made_at = max((reading.read_at for reading in diagnosis.readings.values()), default=None)
    if fact == "members":
        return Row(fact, value, "", made_at, None, None, OF_CHECKS)
    return Row(fact, value, "", made_at, _carried_since(fact, failure), None, "job" if failure.job else "alert")


def _carried_since(fact: str, failure: Failure) -> datetime | None:
    return {
        "job": failure.began_at,
        "window": failure.began_at,
        "message": failure.failed_at,
        "failed_at": failure.failed_at,
    }.get(fact)


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
