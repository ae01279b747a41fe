"""Story: somebody wants to see what today's checks and templates make of a past incident. Offline, from its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.diagnosis.diagnose import changes_since, diagnose, facts_needed
from handlers.model import Diagnosis, Reading, Reason, Unknown, Verdict
from handlers.records import documents
from handlers.runbook.render import render


class NotADocument(ValueError):
    """The file is not an incident document of this app."""


def replay(document: Mapping[str, Any], language: str = "") -> Iterator[tuple[str, str]]:
    """For each failure in the document: what changes in its verdicts (empty: nothing), and its runbook as it would be today."""
    try:
        failures = document["failures"]
        for record in failures:
            diagnosis = diagnosis_of(record)
            runbook = render(diagnosis, language or record["runbook"]["language"])
            yield summary(record, diagnosis), runbook.markdown
    except (KeyError, TypeError) as error:
        raise NotADocument(f"the document lacks {error}") from None


def diagnosis_of(record: Mapping[str, Any]) -> Diagnosis:
    """The diagnosis from the facts as they were read. A fact that was not read then is unknown."""
    failure, error = documents.failure_of(record)
    readings = documents.readings_of(record, failure, error)
    for name in facts_needed(failure, error) - readings.keys():
        readings[name] = Reading(Unknown(Reason.NO_DATA), "", documents.read_time(record))
    return diagnose(failure, error, readings)


def summary(record: Mapping[str, Any], diagnosis: Diagnosis) -> str:
    before = {finding["cause"]: Verdict(finding["verdict"]) for finding in record["findings"]}
    changes = [f"{c.cause}: {c.before or '–'} → {c.now}" for c in changes_since(before, diagnosis)]
    gone = [f"{cause}: {verdict} → –" for cause, verdict in before.items() if cause not in diagnosis.verdicts]
    return "; ".join(changes + gone)
