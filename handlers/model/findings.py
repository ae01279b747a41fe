"""What a check says, and what comes of all checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from handlers.model.facts import Reading
from handlers.model.failure import Error, Failure
from handlers.model.words import Os, Reason, Unknown, Verdict


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a check says: a verdict and the values that led to it, by the name of their fact."""

    verdict: Verdict
    evidence: Mapping[str, Any] = field(default_factory=dict)
    why: Unknown | None = None
    """Why it is unknown; None for the other verdicts."""


def confirmed(**evidence: Any) -> Opinion:
    return Opinion(Verdict.CONFIRMED, evidence)


def possible(**evidence: Any) -> Opinion:
    return Opinion(Verdict.POSSIBLE, evidence)


def ruled_out(**evidence: Any) -> Opinion:
    return Opinion(Verdict.RULED_OUT, evidence)


def unknown(why: Reason, detail: str = "", **evidence: Any) -> Opinion:
    return Opinion(Verdict.UNKNOWN, evidence, Unknown(why, detail))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One value behind a verdict: which fact, its value (text, number, bool, None or a list of these), where and when read."""

    fact: str
    value: Any
    source: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    cause: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    why: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings ordered by verdict, then by the order in which Microsoft documents the causes."""

    failure: Failure
    error: Error
    findings: tuple[Finding, ...]
    readings: Mapping[str, Reading]
    os: Os | None = None

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """By cause, in the findings' order."""
        return {finding.cause: finding.verdict for finding in self.findings}


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that is another than in the last diagnosis; `before` is None for a cause that was not among them."""

    cause: str
    before: Verdict | None
    now: Verdict


@dataclass(frozen=True, slots=True)
class History:
    """What was before this failure in the same incident."""

    failures: int
    first_failed_at: datetime
    changes: tuple[Change, ...] = ()
    reopened: bool = False
