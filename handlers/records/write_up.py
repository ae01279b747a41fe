"""A diagnosis is written up: rendered, and kept as the document of its incident's version. What passes is read again later."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from handlers.azure.arm import Azure
from handlers.diagnosis.diagnose import changes_since, passing_unread
from handlers.diagnosis.evidence import diagnosis_of, evidence_of
from handlers.facts.jobs import newest_recovery_point
from handlers.model import Diagnosis, Failure, History, Incident, Job, Members, Storm, time_text
from handlers.model.delivery import RESOLVED
from handlers.model.parts import Part
from handlers.model.plain import PlainTicket
from handlers.records.alert_queue import AlertQueue, Message
from handlers.records.documents import Documents
from handlers.records.reminders import DueRow
from handlers.runbook.render import render, render_storm
from handlers.runbook.templates import message as text
from handlers.settings import Settings
from handlers.tickets.event import ended_document, failure_document, plain_document, storm_document
from handlers.tickets.members_csv import members_csv

log = logging.getLogger(__name__)

SECOND_READING = "second_reading"
SECOND_READING_SECONDS = (5 * 60, 15 * 60, 60 * 60, 4 * 60 * 60)
LARGEST_BODY = 64 * 1024


class Tools(Protocol):
    """What of the stories' tools is used here."""

    @property
    def settings(self) -> Settings: ...
    @property
    def azure(self) -> Azure: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def queue(self) -> AlertQueue: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


def write_up(incident: Incident, diagnosis: Diagnosis, message: Message, tools: Tools) -> None:
    """Keep what the incident's newest version says: the runbook, and what changed against what its ticket shows."""
    changes = changes_since(incident.verdicts, diagnosis)
    reopened = incident.delivery.ticket.status == RESOLVED
    history = History(incident.failures, incident.first_failed_at, changes, reopened)
    runbook = render(diagnosis, tools.settings.runbook_language, tools.settings.arm_endpoint, history)
    evidence = evidence_of(diagnosis, tools.now())
    document = failure_document(incident, diagnosis, runbook, changes, message.since, evidence)
    body = message.content[:LARGEST_BODY].decode("utf-8", "replace")
    tools.documents.write(incident.id, incident.delivery.version, replace(document, body=body))


def write_first(incident: Incident, diagnosis: Diagnosis, message: Message, tools: Tools) -> None:
    """Write up the first diagnosis of a failure; what could not be read is read again later."""
    write_up(incident, diagnosis, message, tools)
    plan_second_reading(incident, diagnosis, 0, tools)


def plan_second_reading(incident: Incident, diagnosis: Diagnosis, readings: int, tools: Tools) -> None:
    """Queue a second reading of what could not be read for a reason that passes; `readings` were made before."""
    unread = passing_unread(diagnosis)
    if unread and readings < len(SECOND_READING_SECONDS):
        log.info("incident %s: a second reading is due, unread: %s", incident.id, ", ".join(unread))
        about = {"incident": incident.key, "failures": incident.failures, "readings": readings + 1}
        tools.queue.note(SECOND_READING, after_seconds=SECOND_READING_SECONDS[readings], **about)


def write_canary_up(incident: Incident, diagnosis: Diagnosis, tools: Tools) -> None:
    """Keep a sentence that nobody can take for a failure as what the canary's version says. The page is rendered all the same."""
    language = tools.settings.runbook_language
    title, words = text(language, "canary_title"), text(language, "canary")
    runbook = replace(render(diagnosis, language), title=title, parts=(Part(words),))
    document = failure_document(incident, diagnosis, runbook)
    if incident.status == RESOLVED:
        document = ended_document(incident, None, title, words, language)
    tools.documents.write(incident.id, incident.delivery.version, document)


def write_plain_up(ticket: PlainTicket, tools: Tools) -> None:
    """Keep what a plain ticket's newest version says: why there is one, how many alerts there were, the newest bodies."""
    language = tools.settings.runbook_language
    words = [text(language, ticket.why), ticket.answer]
    words += [text(language, "so_many", count=ticket.count)] if ticket.count > 1 else []
    bodies = [tools.queue.body(name) for name in ticket.bodies]
    title = text(language, f"{ticket.why}_title")
    document = plain_document(ticket, bodies, title, "\n\n".join(filter(None, words)), language)
    tools.documents.write(ticket.id, ticket.delivery.version, document)


def write_storm_up(storm: Storm, members: Members, tools: Tools) -> None:
    """Keep what the storm's newest version says, with the steps of one member as an example, and the file with all names."""
    example = members.example
    document = tools.documents.newest(example.id, example.delivery.version) if example else None
    diagnosis = diagnosis_of(document.evidence) if document and document.evidence else None
    names = tools.documents.write_names(storm.id, members_csv(members.rows))
    runbook = render_storm(storm, members, diagnosis, tools.settings.runbook_language, tools.settings.arm_endpoint, names)
    tools.documents.write(storm.id, storm.delivery.version, storm_document(storm, members, diagnosis, runbook))


def write_end_up(incident: Incident, job: Job | None, tools: Tools) -> None:
    """Keep what the incident's newest version says of its end; `job` is the backup that proves the recovery."""
    language, item = tools.settings.runbook_language, incident.item_name
    title, note = text(language, "gone_title", item=item), text(language, "gone", item=item)
    if job:
        title = text(language, "recovered_title", item=item)
        note = text(language, "recovered", job=job.id, status=job.status, ended=time_text(job.ended_at))
        point = newest_recovery_point(Failure.of(incident.alert(), None, tools.now()), job, tools.azure)
        note += " " + text(language, "recovery_point", time=time_text(point)) if point else ""
    last = tools.documents.newest(incident.id, incident.delivery.version)
    tools.documents.write(incident.id, incident.delivery.version, ended_document(incident, job, title, note, language, last))


def row_as_json(row: DueRow) -> bytes:
    """A row for a person to read."""
    import msgspec

    return msgspec.json.encode(row)
