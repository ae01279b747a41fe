"""An incident that never was, for somebody who sets a ticketing system up: its changes as the app would post them, marked as a test."""

from __future__ import annotations

from collections.abc import Iterator
from copy import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from msgspec import Struct

from handlers.diagnosis.catalogue import error_of
from handlers.diagnosis.diagnose import diagnose, facts_needed
from handlers.model import Alert, Failure, Incident, Job, Reading, Reason, Unknown
from handlers.model.delivery import RESOLVED, Shown
from handlers.model.document import Document
from handlers.model.incident import failed
from handlers.model.parts import Part
from handlers.runbook.render import render
from handlers.runbook.templates import message
from handlers.tickets.answers import Posted
from handlers.tickets.event import ended_document, event_of, failure_document

CODE = "UserErrorRpCollectionLimitReached"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-example"
VAULT = f"{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/vaults/rsv-example"
VM = f"{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines/vm-example"
ITEM = (
    f"{VAULT}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;rg-example;vm-example"
    "/protectedItems/vm;iaasvmcontainerv2;rg-example;vm-example"
)


class Change(Struct, frozen=True):
    """What `Target.post` is given."""

    event: dict[str, Any]
    id: str
    parts: tuple[Part, ...]


class Example:
    """One incident with a key of its own each time."""

    def __init__(self, language: str, now: datetime) -> None:
        self._language, self._now = language, now
        alert = Alert(
            "example", id="example", fired_at=now, severity="Sev3", item_id=ITEM, vault_id=VAULT, vm_id=VM, error_code=CODE
        )
        failure, error = Failure.of(alert, None, now), error_of(CODE)
        unread = Reading(Unknown(Reason.NO_DATA), "–", now)
        self._diagnosis = diagnose(failure, error, dict.fromkeys(facts_needed(failure, error), unread))
        incident = failed(None, failure, CODE, now)
        assert incident is not None, "a new incident begins with its first failure"
        self._incident: Incident = replace(incident, id=uuid4().hex)

    def opened(self) -> Change:
        return self._change("opened", 1, self._failure(), Posted())

    def updated(self, ticket: Posted) -> Change:
        return self._change("updated", 2, self._failure(), ticket)

    def resolved(self, ticket: Posted) -> Change:
        job = Job("example", "Completed", "Backup", started_at=self._now, ended_at=self._now + timedelta(hours=1))
        title = message(self._language, "recovered_title", item=self._incident.item_name)
        note = message(self._language, "example")
        ended = ended_document(replace(self._incident, status=RESOLVED), job, title, note, self._language, self._failure())
        return self._change("resolved", 3, replace(ended, parts=()), ticket)

    def _failure(self) -> Document:
        return failure_document(self._incident, self._diagnosis, render(self._diagnosis, self._language))

    def _change(self, change: str, version: int, document: Document, ticket: Posted) -> Change:
        marked = replace(
            document,
            data={**document.data, "title": f"{message(self._language, 'example_mark')}: {document.data['title']}"},
            parts=tuple(self._marked(document.parts)),
        )
        shown = Shown(version - 1, ticket_id=ticket.id, ticket_url=ticket.url)
        return Change(event_of(marked, change, shown, self._now), f"{self._incident.id}.{version}", marked.parts)

    def _marked(self, parts: tuple[Part, ...]) -> Iterator[Part]:
        yield Part(f"**{message(self._language, 'example')}**\n\n")
        yield from parts
