"""What a diagnosis was made from, as JSON, and the diagnosis made of it again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_type_hints

from handlers.diagnosis.diagnose import diagnose, facts_needed
from handlers.facts import GIVEN, all_facts, given
from handlers.model import Alert, Diagnosis, Error, Failure, Job, Reading, Reason, Unknown
from handlers.model.typed_json import WrongShape, from_builtins, to_builtins

log = logging.getLogger(__name__)


def evidence_of(diagnosis: Diagnosis, now: datetime) -> dict[str, Any]:
    """The alert, the job, the error and every fact as it was read."""
    failure = diagnosis.failure
    return {
        "at": now.isoformat(),
        "alert": to_builtins(failure.alert),
        "job": to_builtins(failure.job),
        "job_unread": to_builtins(failure.job_unread),
        "failed_at": failure.failed_at.isoformat(),
        "error": to_builtins(diagnosis.error),
        "readings": {name: _reading(reading) for name, reading in sorted(diagnosis.readings.items()) if name not in GIVEN},
        "earlier": {name: _reading(reading) for name, reading in sorted(diagnosis.earlier.items())},
        "findings": to_builtins(diagnosis.findings),
    }


def diagnosis_of(evidence: Mapping[str, Any]) -> Diagnosis:
    """The diagnosis that today's checks make of the facts as they were read. A fact that was not read then is unknown."""
    failure, error = failure_of(evidence)
    readings = readings_of(evidence, failure, error)
    for name in facts_needed(failure, error) - readings.keys():
        readings[name] = Reading(Unknown(Reason.NO_DATA), "", read_time(evidence))
    return diagnose(failure, error, readings, _typed(evidence.get("earlier", {})))


def alert_of(evidence: Mapping[str, Any]) -> Alert:
    alert: Alert = from_builtins(evidence["alert"], Alert)
    return alert


def failure_of(evidence: Mapping[str, Any]) -> tuple[Failure, Error]:
    """The failure and its error, as they were."""
    job, unread = evidence["job"], evidence["job_unread"]
    failed_at = datetime.fromisoformat(evidence["failed_at"])
    job_unread = from_builtins(unread, Unknown) if unread else None
    failure = Failure.of(alert_of(evidence), from_builtins(job, Job) if job else None, failed_at, job_unread)
    return failure, from_builtins(evidence["error"], Error)


def readings_of(evidence: Mapping[str, Any], failure: Failure, error: Error) -> dict[str, Reading]:
    """The facts as they were read, those that the failure itself carries included."""
    now = read_time(evidence)
    carried = {name: Reading(value, "", now) for name, value in given(failure, error.message, now).items()}
    return carried | _typed(evidence["readings"])


def _typed(stored: Mapping[str, Any]) -> dict[str, Reading]:
    """Readings of the facts that there still are."""
    facts = all_facts()
    return {name: _read(name, one, get_type_hints(facts[name].read)["return"]) for name, one in stored.items() if name in facts}


def read_time(evidence: Mapping[str, Any]) -> datetime:
    """When the diagnosis was made."""
    return datetime.fromisoformat(evidence["at"])


def _reading(reading: Reading) -> dict[str, Any]:
    unread = isinstance(reading.value, Unknown)
    return {
        "value": None if unread else to_builtins(reading.value),
        "unread": to_builtins(reading.value) if unread else None,
        "source": reading.source,
        "read_at": reading.read_at.isoformat(),
    }


def _read(name: str, stored: Mapping[str, Any], kind: Any) -> Reading:
    """A fact whose shape has changed since is unknown."""
    try:
        value = from_builtins(stored["unread"], Unknown) if stored["unread"] else from_builtins(stored["value"], kind)
    except WrongShape:
        log.info("fact %s has another shape by now", name)
        value = Unknown(Reason.NO_DATA)
    return Reading(value, stored["source"], datetime.fromisoformat(stored["read_at"]))
