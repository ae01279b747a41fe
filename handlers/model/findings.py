"""What a check says, and what comes of all checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import replace
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from handlers.model.claims import TRUE, Claim, claim
from handlers.model.facts import Reading
from handlers.model.failure import Error, Failure
from handlers.model.recovery import Recovery
from handlers.model.words import UNREAD, Os, Reason, Unknown, Verdict


class Opinion(Struct, frozen=True):
    """What a check says: a verdict and the values that led to it, by the name of their fact."""

    verdict: Verdict
    evidence: Mapping[str, Any] = field(default_factory=dict)
    why: Unknown | None = None
    """Why it is unknown; None for the other verdicts."""
    line: str = ""
    """The sentence of the decision table's line that gave the verdict."""
    contrary: bool = False
    """Possible only because the code says so, or the time is open: what was read speaks against it."""


class Line(Struct, frozen=True):
    """A line of a decision table: the verdict if it holds, a sentence that says when that is, and the values behind it."""

    verdict: Verdict
    says: str
    when: Claim
    evidence: Mapping[str, Any]
    why: Unknown | None = None
    contrary: bool = False


def confirmed(says: str, when: Claim | bool, **evidence: Any) -> Line:
    return Line(Verdict.CONFIRMED, says, claim(when), evidence)


def possible(says: str, when: Claim | bool, *, contrary: bool = False, **evidence: Any) -> Line:
    return Line(Verdict.POSSIBLE, says, claim(when), evidence, contrary=contrary)


def ruled_out(says: str, when: Claim | bool, **evidence: Any) -> Line:
    return Line(Verdict.RULED_OUT, says, claim(when), evidence)


def unknown(says: str, why: Reason, when: Claim | bool = TRUE, **evidence: Any) -> Line:
    return Line(Verdict.UNKNOWN, says, claim(when), evidence, Unknown(why))


def decide(*lines: Line) -> Opinion:
    """The verdict of the first line that holds; if none does, unknown, for the reason of the first that cannot be decided.

    A line that holds below one that Azure did not let us decide is worth less than it says: confirmed becomes possible, ruled out
    becomes unknown. What only the guest could tell does not count here.
    """
    open_lines: list[Line] = []
    for line in lines:
        if line.when.holds:
            return _weakened(line, open_lines)
        if line.when.holds is None:
            open_lines.append(line)
    first = open_lines[0] if open_lines else None
    why = first.when.why if first else Unknown(Reason.NO_DATA)
    return Opinion(Verdict.UNKNOWN, first.evidence if first else {}, why, first.says if first else "")


def _weakened(line: Line, open_lines: list[Line]) -> Opinion:
    said = Opinion(line.verdict, line.evidence, line.why, line.says, line.contrary)
    rivals = [rival for rival in open_lines if rival.verdict is not line.verdict and _is_unread(rival)]
    if rivals and line.verdict is Verdict.CONFIRMED:
        return replace(said, verdict=Verdict.POSSIBLE)
    if rivals and line.verdict is Verdict.RULED_OUT:
        return Opinion(Verdict.UNKNOWN, rivals[0].evidence, rivals[0].when.why, rivals[0].says)
    return said


def _is_unread(line: Line) -> bool:
    return line.when.why is not None and line.when.why.why in UNREAD


class Asserts(Struct, frozen=True):
    """What names a cause: error codes, and a pattern for the error's own words."""

    codes: tuple[str, ...] = ()
    message: str = ""

    def names_code(self, code: str) -> bool:
        return code.lower() in {known.lower() for known in self.codes}

    def names_message(self, message: str) -> bool:
        return bool(self.message) and re.search(self.message, message, re.IGNORECASE) is not None

    def matches(self, code: str, message: str) -> bool:
        return self.names_code(code) or self.names_message(message)


class Evidence(Struct, frozen=True):
    """One value behind a verdict: which fact, its value (text, number, bool, None or a list of these), where and when read."""

    fact: str
    value: Any
    source: str = ""
    read_at: datetime | None = None


class Finding(Struct, frozen=True):
    cause: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    why: Unknown | None = None


class Diagnosis(Struct, frozen=True):
    """Findings ordered by verdict, then by the order in which Microsoft documents the causes."""

    failure: Failure
    error: Error
    findings: tuple[Finding, ...]
    readings: Mapping[str, Reading]
    os: Os | None = None
    earlier: Mapping[str, Reading] = field(default_factory=dict)
    """What an earlier reading of the same failure showed, as far as it was used."""
    recovery: Recovery = field(default_factory=Recovery)

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """By cause, in the findings' order."""
        return {finding.cause: finding.verdict for finding in self.findings}


class Change(Struct, frozen=True):
    """A verdict that is another than in the last diagnosis; `before` is None for a cause that was not among them."""

    cause: str
    before: Verdict | None
    now: Verdict


class History(Struct, frozen=True):
    """What was before this failure in the same incident."""

    failures: int
    first_failed_at: datetime
    changes: tuple[Change, ...] = ()
    reopened: bool = False
