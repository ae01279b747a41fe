"""A diagnosis is written up: rendered, and kept as the document of its incident's version. What passes is read again later."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import replace
from datetime import datetime
from typing import Protocol

from handlers.azure.arm import Azure
from handlers.diagnosis import catalogue
from handlers.diagnosis.diagnose import changes_since, passing_unread
from handlers.diagnosis.evidence import diagnosis_of, evidence_of
from handlers.diagnosis.owner import owner_of
from handlers.diagnosis.recovery import changes_before_recovery
from handlers.facts.jobs import newest_recovery_point
from handlers.model import Diagnosis, Failure, History, Incident, Job, Members, Storm, Surroundings, Verdict, time_text
from handlers.model.delivery import RESOLVED, Delivery
from handlers.model.document import Document
from handlers.model.parts import Part
from handlers.model.plain import PlainTicket
from handlers.model.typed_json import to_json
from handlers.records.alert_queue import AlertQueue, Message
from handlers.records.documents import Documents, UnreadableDocument
from handlers.records.reminders import DueRow
from handlers.runbook.ending import End, render_end
from handlers.runbook.note import render_note
from handlers.runbook.render import fixed_by, render, render_storm
from handlers.runbook.templates import message as text
from handlers.runbook.templates import words_of
from handlers.settings import Settings
from handlers.tickets.event import ended_document, failure_document, plain_document, storm_document
from handlers.tickets.members_csv import members_csv

log = logging.getLogger(__name__)

SECOND_READING = "second_reading"
SECOND_READING_SECONDS = (5 * 60, 15 * 60, 60 * 60, 4 * 60 * 60)
LARGEST_BODY = 64 * 1024
PROVEN = {"backup": "recovered", "restore": "restored"}
"""By operation that a completed job of the same kind proves: the words of its end."""


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
    document = document_of(incident, diagnosis, message, tools)
    reopened = incident.delivery.ticket.status == RESOLVED
    body = message.content[:LARGEST_BODY].decode("utf-8", "replace")
    note = note_of(document, last_shown(incident, tools), reopened=reopened)
    tools.documents.write(incident.id, incident.delivery.version, replace(document, body=body, note=note, key=incident.key))


def document_of(incident: Incident, diagnosis: Diagnosis, message: Message, tools: Tools) -> Document:
    """What a diagnosis says of the incident."""
    changes = changes_since(incident.verdicts, diagnosis)
    reopened = incident.delivery.ticket.status == RESOLVED
    history = History(incident.failures, incident.first_failed_at, changes, reopened)
    settings = tools.settings
    owner = owner_of(diagnosis.readings, settings.owner_tags)
    about = Surroundings(owner, incident.same_before, settings.show_actors)
    runbook = render(diagnosis, settings.runbook_language, settings.arm_endpoint, history, about, settings.operator_shell)
    evidence = evidence_of(diagnosis, tools.now())
    return failure_document(
        incident, diagnosis, runbook, changes, message.since, evidence, owner, severity_from=settings.severity_from
    )


def last_shown(incident: Incident, tools: Tools) -> Document | None:
    """The newest diagnosis that the ticket shows, or is about to show; None for a first version."""
    return tools.documents.newest(incident.id, oldest_shown(incident.delivery))


def shown_of_storm(storm: Storm, tools: Tools) -> Document | None:
    """What the storm's ticket shows; None for a first version, and for one that cannot be read any more."""
    version = oldest_shown(storm.delivery)
    try:
        return tools.documents.read(storm.id, version) if version else None
    except UnreadableDocument:
        log.exception("a document cannot be read")
        return None


def oldest_shown(delivery: Delivery) -> int:
    """The oldest version that a ticket shows: what is new against it is new for every target's ticket. 0: there is none before."""
    return min((shown.shown for shown in delivery.tickets.values() if shown.shown), default=delivery.version - 1)


def note_of(document: Document, before: Document | None, *, reopened: bool = False) -> str:
    """What a document says that the one before does not; empty where none was for a ticket: that of a storm's member has evidence only."""
    if before is None or "findings" not in before.data:
        return ""
    return render_note(before.data, document.data, document.data["runbook"]["language"], reopened=reopened)


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
    example = members.example(fixed_by(storm))
    document = tools.documents.newest(example.id, example.delivery.version) if example else None
    diagnosis = diagnosis_of(document.evidence) if document and document.evidence else None
    settings, names = tools.settings, tools.documents.write_names(storm.id, members_csv(members.rows))
    runbook = render_storm(
        storm, members, diagnosis, settings.runbook_language, settings.arm_endpoint, settings.operator_shell, names
    )
    made = storm_document(storm, members, diagnosis, runbook)
    note = note_of(made, shown_of_storm(storm, tools))
    tools.documents.write(storm.id, storm.delivery.version, replace(made, note=note, key=storm.key))


def write_end_up(incident: Incident, job: Job | None, tools: Tools) -> None:
    """Keep what the incident's newest version says of its end; `job` is the backup or restore that proves the recovery."""
    language, item = tools.settings.runbook_language, incident.item_name
    last = tools.documents.newest(incident.id, incident.delivery.version)
    failure = Failure.of(incident.alert(), None, tools.now())
    error = catalogue.error_of(incident.code)
    operation = catalogue.operation_of(error, failure)
    unproven = "lapsed" if incident.is_of_restores else "gone"
    title = _title_of_end(item, operation, language) if job else text(language, f"{unproven}_title", item=item)
    note = recovery_note(failure, job, operation, tools) if job else text(language, unproven, item=item)
    page = render_end(end_of(incident, failure, job, last, tools), note, language, show_actors=tools.settings.show_actors)
    known = (error, catalogue.title_of(error, language))
    document = ended_document(incident, job, title, page, language, last, known)
    tools.documents.write(incident.id, incident.delivery.version, replace(document, key=incident.key))


def _title_of_end(item: str, operation: str, language: str) -> str:
    """A completed backup proves that a failed backup works again; of a failed configuration it only proves that there is a backup."""
    if operation in PROVEN:
        return text(language, f"{PROVEN[operation]}_title", item=item)
    return text(language, "recovered_other_title", failed=words_of(language)["failed"][operation].format(item=item))


def recovery_note(failure: Failure, job: Job, operation: str, tools: Tools) -> str:
    """Which job proves the recovery, and of when a backup's recovery point is."""
    language = tools.settings.runbook_language
    note = text(language, PROVEN.get(operation, "recovered"), job=job.id, status=job.status, ended=time_text(job.ended_at))
    if job.is_restore:
        return note
    note += "" if operation in PROVEN else f" {text(language, 'recovered_other')}"
    point = newest_recovery_point(failure, job, tools.azure)
    return f"{note} {text(language, 'recovery_point', time=time_text(point))}" if point else note


def end_of(incident: Incident, failure: Failure, job: Job | None, last: Document | None, tools: Tools) -> End:
    """The incident at its end, with what was changed before the backup that proves its recovery."""
    verdicts = incident.verdicts or (last.verdicts if last else {})
    cause = next((cause for cause, verdict in verdicts.items() if verdict is Verdict.CONFIRMED), "")
    end = End(incident.item_name, incident.code, incident.first_failed_at, cause, of_restore=incident.is_of_restores)
    if job is None:
        return end
    if job.is_restore:  # no change since mends a restore: it is tried in another way
        return replace(end, ended_at=job.ended_at or job.started_at)
    known = diagnosis_of(last.evidence).readings if last and last.evidence else {}
    changes = changes_before_recovery(failure, job, known, tools.azure, tools.now())
    return replace(end, ended_at=job.ended_at or job.started_at, changes=changes)


def row_as_json(row: DueRow) -> bytes:
    """A row for a person to read."""
    return to_json(row)
