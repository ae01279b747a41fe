"""Changes of incidents as `ticket_due` posts them, for tests of ticketing systems: real events with the parts of their pages.

Each is made once: to render a page takes a tenth of a second, and hundreds of tests post the same few.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from handlers.model import Change, Diagnosis, History, Incident, Job, Verdict
from handlers.model import incident as transitions
from handlers.model import storm as storm_transitions
from handlers.model.delivery import DEFAULT_TARGET, OPEN, Delivery, Shown
from handlers.model.delivery import RESOLVED as ENDED
from handlers.model.document import Document
from handlers.model.parts import Part
from handlers.model.plain import UNREADABLE, PlainTicket
from handlers.model.storm import members_of
from handlers.runbook.note import render_note
from handlers.runbook.render import render, render_storm
from handlers.tickets.event import ended_document, event_of, failure_document, plain_document, storm_document
from sandbox.azure import running_azure
from sandbox.scenario import load_scenarios
from tests.golden import diagnosis_of

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
HOSTILE = "hostile_extension_message"
PLAIN = "restore_point_group_locked"
OPENED, UPDATED, RESOLVED, REOPENED = "incident.opened", "incident.updated", "incident.resolved", "incident.reopened"
NUMBERS = {"opened": 1, "updated": 2, "resolved": 3, "reopened": 4}


@dataclass(frozen=True)
class Posting:
    """What `Target.post` is given."""

    event: Mapping[str, Any]
    change_id: str
    parts: tuple[Part, ...] = ()


@cache
def diagnosis(name: str) -> Diagnosis:
    scenario = next(found for found in load_scenarios() if found.name == name)
    with running_azure([scenario]) as azure:
        return diagnosis_of(scenario, azure.url, datetime.now(UTC))


@cache
def incident(name: str = PLAIN, *, change: str = OPENED, ticket: tuple[str, str] = ("", "")) -> Incident:
    """The scenario's incident at the version of a change; `ticket` is the id and the URL that an earlier answer named."""
    about = diagnosis(name)
    made = transitions.failed(None, about.failure, about.error.code, NOW, region="westeurope")
    assert made is not None
    number = NUMBERS[change.rpartition(".")[2]]
    status = ENDED if change == RESOLVED else OPEN
    return replace(made, status=status, failures=2 if number > 1 else 1, delivery=delivery(number, ticket))


def delivery(version: int, ticket: tuple[str, str]) -> Delivery:
    return Delivery(version, version, {DEFAULT_TARGET: Shown(version - 1, ticket_id=ticket[0], ticket_url=ticket[1])})


def posting(document: Document, about: Any, change: str) -> Posting:
    event = event_of(document, change.rpartition(".")[2], about.delivery.ticket, NOW)
    return Posting(event, f"{about.id}.{about.delivery.version}", document.parts)


@cache
def failed(change: str = OPENED, name: str = PLAIN, *, ticket: tuple[str, str] = ("", ""), language: str = "en") -> Posting:
    """`incident.opened`, `incident.updated` or `incident.reopened`."""
    about, made = incident(name, change=change, ticket=ticket), diagnosis(name)
    changes = (Change("disk_too_large", Verdict.UNKNOWN, Verdict.RULED_OUT),) if change != OPENED else ()
    history = History(about.failures, about.first_failed_at, changes, change == REOPENED)
    document = failure_document(about, made, render(made, language, history=history), changes)
    before = failed(name=name, language=language).event["data"] if change != OPENED else None
    note = render_note(before, document.data, language, reopened=change == REOPENED) if before else ""
    return posting(replace(document, note=note), about, change)


@cache
def resolved(name: str = PLAIN, *, ticket: tuple[str, str] = ("", "")) -> Posting:
    about = incident(name, change=RESOLVED, ticket=ticket)
    job = Job("job-good", "Completed", "Backup", started_at=NOW, ended_at=NOW + timedelta(hours=1))
    note = "A backup has completed since the failure: job `job-good`, Completed, ended 2026-11-22 20:30 UTC."
    last = failure_document(about, diagnosis(name), render(diagnosis(name), "en"))
    return posting(ended_document(about, job, f"Backup of {about.item_name} works again", note, "en", last), about, RESOLVED)


@cache
def storm(change: str = "storm.opened", *, affected: int = 30, ticket: tuple[str, str] = ("", "")) -> Posting:
    """A storm of copies of one incident; the first two have tickets of their own."""
    model = replace(incident(), verdicts=diagnosis(PLAIN).verdicts)
    status = ENDED if change == "storm.resolved" else OPEN
    members = [
        replace(model, id=f"{number:032x}", item_name=f"vm-{number:03}", status=status,
                delivery=delivery(2, (f"T-{number}", f"https://tickets.example.com/{number}") if number < 2 else ("", "")))
        for number in range(affected)
    ]  # fmt: skip
    summary = members_of(members)
    about = storm_transitions.opened(None, "westeurope", model.code, NOW)
    assert about is not None
    about = replace(about, status=status, delivery=delivery(NUMBERS[change.rpartition(".")[2]], ticket))
    runbook = render_storm(about, summary, diagnosis(PLAIN), "en")
    document = storm_document(about, summary, diagnosis(PLAIN), runbook)
    before = storm(affected=affected - 1).event["data"] if change != "storm.opened" else None
    return posting(replace(document, note=render_note(before, document.data, "en") if before else ""), about, change)


@cache
def unreadable() -> Posting:
    ticket = replace(PlainTicket.of("odd", UNREADABLE, "body.json", NOW), delivery=delivery(1, ("", "")))
    body = b'{"odd": "@here #1 <!channel> {{x}}"}'
    return posting(plain_document(ticket, [body], "An alert could not be read", "Look at it.", "en"), ticket, "opened")
