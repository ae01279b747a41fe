"""`list_incidents`, and the runbook of one: what the deployed app has on record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from handlers.agents.sources import Sources
from handlers.cli.incidents import by_id, listed
from handlers.cli.outcome import USAGE, NotDone, not_done
from handlers.model import Incident, ResourceId
from handlers.model.parts import ticket_text
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.storage import Storage, StorageDown
from handlers.tickets.event import time_of


def list_incidents(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    with _records(sources) as storage:
        incidents = [row for row in listed(Incidents(storage), only_open=arguments["open_only"]) if _is_watched(row, sources)]
    return {"incidents": [_shown(incident) for incident in incidents[: arguments["limit"]]], "total": len(incidents)}


def runbook_of_incident(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """What its newest version says. Raises NotDone."""
    incident_id = arguments["incident_id"]
    if arguments["language"] or any(arguments[name] for name in ("vm_id", "item_id", "job_id", "vault_id")):
        raise NotDone("incident_id stands alone: a recorded runbook has its language", USAGE)
    if not re.fullmatch("[0-9a-f]{8,32}", incident_id):
        raise NotDone("incident_id must be 8 to 32 characters of 0-9 and a-f: list_incidents tells it", USAGE)
    with _records(sources) as storage:
        incident = by_id(incident_id, storage)
        if vault := ResourceId.parse(incident.vault_id):
            sources.check_watched(vault.subscription)
        document = Documents(storage).newest(incident.id, incident.delivery.version)
    if document is None:
        return {"runbook": None, "nothing": "The incident has no runbook yet."}
    language, title = document.data["runbook"]["language"], document.data["title"]
    return {"runbook": {"language": language, "title": title, "markdown": ticket_text(document.parts)}, "nothing": None}


@contextmanager
def _records(sources: Sources) -> Iterator[Storage]:
    """The storage account; what keeps from reading it is NotDone."""
    from azure.core.exceptions import AzureError

    try:
        yield sources.storage()
    except StorageDown as error:
        raise NotDone(f"{error}: an app's incidents are in its storage account", USAGE) from None
    except AzureError as error:
        raise not_done(
            "The records", "the storage account", error, "Storage Table Data Reader, Storage Blob Data Reader"
        ) from None


def _is_watched(incident: Incident, sources: Sources) -> bool:
    vault, watched = ResourceId.parse(incident.vault_id), sources.settings.watched_subscriptions
    return not watched or vault is None or vault.subscription.lower() in watched


def _shown(incident: Incident) -> dict[str, Any]:
    ticket = incident.delivery.ticket
    return {
        "id": incident.id,
        "status": incident.status,
        "item": incident.item_name,
        "item_id": incident.item_id or None,
        "vm_id": incident.vm_id or None,
        "vault_id": incident.vault_id or None,
        "code": incident.code,
        "failures": incident.failures,
        "first_failed_at": time_of(incident.first_failed_at),
        "last_failed_at": time_of(incident.last_failed_at),
        "resolved_at": time_of(incident.resolved_at),
        "verdicts": {cause: verdict.value for cause, verdict in incident.verdicts.items()},
        "storm": incident.storm or None,
        "ticket": {"id": ticket.ticket_id or None, "url": ticket.ticket_url or None},
    }
