"""Somebody wants to see what today's checks and templates make of a past incident. Offline, from its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.diagnosis.diagnose import changes_since
from handlers.diagnosis.evidence import diagnosis_of
from handlers.diagnosis.owner import owner_of
from handlers.model import Diagnosis, Surroundings, Verdict
from handlers.runbook.render import render
from handlers.settings import Settings


class NotADocument(ValueError):
    """The file is not an incident document of this app."""


def replay(document: Mapping[str, Any], language: str = "") -> Iterator[tuple[str, str]]:
    """For each failure in the document: what changes in its verdicts (empty: nothing), and its runbook as it would be today."""
    try:
        for evidence, shown_in in failures_in(document):
            diagnosis = diagnosis_of(evidence)
            about = Surroundings(owner_of(diagnosis.readings, Settings.owner_tags))
            yield summary(evidence, diagnosis), render(diagnosis, language or shown_in, about=about).markdown
    except (KeyError, TypeError) as error:
        raise NotADocument(f"the document lacks {error}") from None


def failures_in(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """What each diagnosis was made from, and the language of its page. Format 1 held all failures of an incident."""
    if "failures" in document:
        yield from ((failure, failure["runbook"]["language"]) for failure in document["failures"])
    elif document["evidence"] is None:
        raise NotADocument("the document holds no diagnosis, only the end of an incident or a storm")
    else:
        yield document["evidence"], document["data"]["runbook"]["language"]


def summary(evidence: Mapping[str, Any], diagnosis: Diagnosis) -> str:
    before = {finding["cause"]: Verdict(finding["verdict"]) for finding in evidence["findings"]}
    changes = [f"{change.cause}: {change.before or '–'} → {change.now}" for change in changes_since(before, diagnosis)]
    gone = [f"{cause}: {verdict} → –" for cause, verdict in before.items() if cause not in diagnosis.verdicts]
    return "; ".join(changes + gone)
