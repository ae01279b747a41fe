"""The incident's evidence: one JSON document per incident in blob storage, from which a diagnosis can be made again.

`{"incident": {…}, "failures": [{"alert", "job", "error", "readings", "findings", "runbook", "posted", …}, …]}`, the newest last.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, get_type_hints

from handlers.facts import GIVEN, all_facts, given
from handlers.model import Alert, Diagnosis, Error, Failure, Incident, Job, Reading, Runbook, Unknown
from handlers.records.storage import CALL_SECONDS, INCIDENT_BLOBS, Storage

MOST_FAILURES_KEPT = 10
LARGEST_BODY = 64 * 1024
VERSION = 1


class Documents:
    """The blobs of the container `incidents`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, incident: Incident, record: Mapping[str, Any]) -> None:
        """Add what a change of the incident was made from; the same change again takes its place."""
        kept = [one for one in self._failures(incident) if one["change_id"] != record["change_id"]] if incident.change > 1 else []
        document = {"version": VERSION, "incident": plain(incident), "failures": [*kept, record][-MOST_FAILURES_KEPT:]}
        content = json.dumps(document, ensure_ascii=False).encode()
        self._storage.blobs(INCIDENT_BLOBS).upload_blob(name_of(incident), content, overwrite=True, timeout=CALL_SECONDS)

    def newest(self, incident: Incident) -> dict[str, Any] | None:
        """The newest record of the incident; None when it has none."""
        failures = self._failures(incident)
        return failures[-1] if failures else None

    def forget(self, before: datetime, kept: Container[str]) -> int:
        """Delete the documents that nobody has written since then, but for incidents with the keys `kept`; how many."""
        blobs, gone = self._storage.blobs(INCIDENT_BLOBS), 0
        for blob in blobs.list_blobs():
            if blob.last_modified < before and blob.name.partition("/")[0] not in kept:
                blobs.delete_blob(blob.name, timeout=CALL_SECONDS)
                gone += 1
        return gone

    def _failures(self, incident: Incident) -> list[dict[str, Any]]:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            found = self._storage.blobs(INCIDENT_BLOBS).download_blob(name_of(incident), timeout=CALL_SECONDS).readall()
        except ResourceNotFoundError:
            return []
        failures: list[dict[str, Any]] = json.loads(found)["failures"]
        return failures


def name_of(incident: Incident) -> str:
    return f"{incident.key}/{incident.id}.json"


def record_of(
    change_id: str, diagnosis: Diagnosis, runbook: Runbook, posted: Mapping[str, Any], body: bytes, now: datetime
) -> dict[str, Any]:
    """All that a diagnosis was made from and what came of it, as JSON."""
    failure = diagnosis.failure
    return {
        "change_id": change_id,
        "at": now.isoformat(),
        "body": body[:LARGEST_BODY].decode("utf-8", "replace"),
        "alert": plain(failure.alert),
        "job": plain(failure.job),
        "job_unread": plain(failure.job_unread),
        "failed_at": failure.failed_at.isoformat(),
        "error": plain(diagnosis.error),
        "readings": {name: _reading(reading) for name, reading in sorted(diagnosis.readings.items()) if name not in GIVEN},
        "findings": plain(diagnosis.findings),
        "runbook": {"language": runbook.language, "title": runbook.title, "markdown": runbook.markdown},
        "posted": dict(posted),
    }


def alert_of(record: Mapping[str, Any]) -> Alert:
    alert: Alert = _made(record["alert"], Alert)
    return alert


def failure_of(record: Mapping[str, Any]) -> tuple[Failure, Error]:
    """The failure and its error, as they were."""
    job, unread = record["job"], record["job_unread"]
    failed_at = datetime.fromisoformat(record["failed_at"])
    failure = Failure.of(
        alert_of(record), _made(job, Job) if job else None, failed_at, _made(unread, Unknown) if unread else None
    )
    return failure, _made(record["error"], Error)


def readings_of(record: Mapping[str, Any], failure: Failure, error: Error) -> dict[str, Reading]:
    """The facts as they were read, those that the failure itself carries included."""
    now = read_time(record)
    carried = {name: Reading(value, "", now) for name, value in given(failure, error.message, now).items()}
    facts = all_facts()
    found = {name: _read(stored, get_type_hints(facts[name].read)["return"]) for name, stored in record["readings"].items()
             if name in facts}  # fmt: skip
    return carried | found


def read_time(record: Mapping[str, Any]) -> datetime:
    """When the diagnosis was made."""
    return datetime.fromisoformat(record["at"])


def plain(value: Any) -> Any:
    """A value of the model as JSON."""
    import msgspec

    return msgspec.to_builtins(value)


def _reading(reading: Reading) -> dict[str, Any]:
    unread = isinstance(reading.value, Unknown)
    return {
        "value": None if unread else plain(reading.value),
        "unread": plain(reading.value) if unread else None,
        "source": reading.source,
        "read_at": reading.read_at.isoformat(),
    }


def _read(stored: Mapping[str, Any], kind: Any) -> Reading:
    value = _made(stored["unread"], Unknown) if stored["unread"] else _made(stored["value"], kind)
    return Reading(value, stored["source"], datetime.fromisoformat(stored["read_at"]))


def _made(stored: Any, kind: Any) -> Any:
    import msgspec

    return msgspec.convert(stored, kind)
