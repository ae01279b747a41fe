"""`diagnose_backup_failure` and `get_runbook`: one failed backup as its ticket would tell it, as event and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.agents.ids import backup_asked_for
from handlers.agents.records import runbook_of_incident
from handlers.agents.sources import Sources
from handlers.cli.diagnose import alerts_of, event_as_json, missing_rights, newest_failure, other_unread, runbook_of, why_nothing
from handlers.cli.reading import Reading
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.model import Diagnosis


def diagnose_backup_failure(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """The event's own text of the runbook is left to `get_runbook`: it says the same once more."""
    reading = sources.reading(arguments["language"])
    diagnosis = _diagnosed(arguments, sources, reading)
    if isinstance(diagnosis, str):
        return {"event": None, "nothing": diagnosis, "missing_rights": [], "not_read": []}
    event = event_as_json(diagnosis, runbook_of(diagnosis, reading), reading)
    event["data"]["runbook"] |= {"markdown": "", "html": ""}
    rights, unread = list(missing_rights(diagnosis)), list(other_unread(diagnosis))
    return {"event": event, "nothing": None, "missing_rights": rights, "not_read": unread}


def get_runbook(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    if arguments["incident_id"]:
        return runbook_of_incident(arguments, sources)
    reading = sources.reading(arguments["language"])
    diagnosis = _diagnosed(arguments, sources, reading)
    if isinstance(diagnosis, str):
        return {"runbook": None, "nothing": diagnosis}
    runbook = runbook_of(diagnosis, reading)
    written = {"language": runbook.language, "title": runbook.title, "markdown": runbook.markdown}
    return {"runbook": written, "nothing": None}


def _diagnosed(arguments: Mapping[str, Any], sources: Sources, reading: Reading) -> Diagnosis | str:
    """The diagnosis, or why there is nothing to diagnose. Raises NotDone."""
    asked = backup_asked_for(arguments, sources)
    alerts = alerts_of(asked, reading)
    for alert in alerts:
        sources.check_resource(alert.vault_id)
    failure, error = newest_failure(alerts, reading)
    return why_nothing(failure, asked.job) or diagnose_failure(failure, error, reading.azure, reading.now)
