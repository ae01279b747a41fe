"""What the stories share: look at a failure, and tell the change that its incident has begun."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from handlers import facts, last_resort
from handlers.diagnosis.catalogue import classify, entries
from handlers.diagnosis.diagnose import changes_since, diagnose, facts_needed
from handlers.facts import Look
from handlers.facts.jobs import find_job, listed_job
from handlers.model import Alert, Diagnosis, Error, Failure, History, Incident, NotNow, Reason, Unknown, Verdict
from handlers.model.incident import REOPENED
from handlers.model.parts import Part
from handlers.records import documents
from handlers.records.alert_queue import Message
from handlers.records.incidents import Begun
from handlers.runbook.render import render
from handlers.tickets.answers import Posted
from handlers.tickets.event import failure_event
from handlers.tickets.posted_log import log_posted
from handlers.wiring import Tools

log = logging.getLogger(__name__)

SECOND_LOOK = "second_look"
SECOND_LOOK_SECONDS = (5 * 60, 15 * 60, 60 * 60, 4 * 60 * 60)
AFTER_THE_RUSH_SECONDS = 60
PASSING = (Reason.THROTTLED, Reason.TIMED_OUT, Reason.FAILED, Reason.LATER)
"""Why a fact is unknown now and may be known later. A missing permission or resource is not looked at again."""


def failure_of(alert: Alert, tools: Tools, *, rush: bool = False) -> tuple[Failure, Error]:
    """The failure that an alert is about: its job found, its error classified.

    In a rush the job comes from its vault's list, which many alerts share, if the alert itself names the error.
    """
    if rush and (job := listed_job(alert, tools.azure)):
        error = classify(alert, job)
        if names_error(error):
            return Failure.of(alert, job, tools.now()), error
    found = find_job(alert, tools.azure)
    return Failure.of(alert, found.job, tools.now(), found.unread), classify(alert, found.job)


def names_error(error: Error) -> bool:
    """Whether the alert names an error that no other may hide behind."""
    return error.in_catalogue and error.matched_by != "message" and not entries()[error.code].wrapper


def look(failure: Failure, error: Error, tools: Tools, how: Look = Look.ALONE) -> Diagnosis:
    """Gather the facts and check the causes."""
    needed = facts_needed(failure, error)
    readings = facts.gather(needed, failure, tools.azure, message=error.message, now=tools.now(), look=how)
    return diagnose(failure, error, readings)


def tell(begun: Begun, diagnosis: Diagnosis, message: Message, tools: Tools) -> None:
    """Render the runbook, post the change, keep the evidence. Raises NotNow; then the change is free for the next try."""
    incident, now = begun.incident, tools.now()
    changes = changes_since(incident.verdicts, diagnosis)
    history = History(incident.failures, incident.first_failed_at, changes, incident.pending == REOPENED)
    runbook = render(diagnosis, tools.settings.runbook_language, tools.settings.arm_endpoint, history)
    event = failure_event(incident, diagnosis, runbook, now, changes)
    posted = post(begun, event, message, tools, runbook.parts)
    answer = {"type": incident.pending, "ticket_id": posted.id, "ticket_url": posted.url}
    tools.documents.add(incident, documents.record_of(incident.change_id, diagnosis, runbook, answer, message.content, now))
    tools.incidents.settle(incident, posted.id, posted.url, diagnosis.verdicts)
    confirmed = [cause for cause, verdict in diagnosis.verdicts.items() if verdict is Verdict.CONFIRMED]
    tell_log(incident, posted, diagnosis.error.code, message, tools, confirmed)


def post(begun: Begun, event: dict[str, Any], message: Message, tools: Tools, parts: Sequence[Part] = ()) -> Posted:
    """Post the change that an incident has begun. Raises NotNow; then the change is free for the next try."""
    try:
        return last_resort.post(event, begun.incident.change_id, message, tools, may_exist=begun.again, parts=parts)
    except NotNow:
        tools.incidents.release(begun.incident)
        raise


def look_again_later(incident: Incident, diagnosis: Diagnosis, looks: int, tools: Tools) -> None:
    """Queue a second look when Azure could not be read for a reason that passes."""
    unread = {name: reading.value.why for name, reading in diagnosis.readings.items()
              if isinstance(reading.value, Unknown) and reading.value.why in PASSING}  # fmt: skip
    if unread and looks < len(SECOND_LOOK_SECONDS):
        log.info("incident %s: a second look is due, unread: %s", incident.id, ", ".join(unread))
        about = {"incident": incident.key, "failures": incident.failures, "looks": looks + 1}
        in_a_rush = Reason.LATER in unread.values()
        tools.queue.note(SECOND_LOOK, after_seconds=AFTER_THE_RUSH_SECONDS if in_a_rush else SECOND_LOOK_SECONDS[looks], **about)


def tell_log(
    incident: Incident, posted: Posted, code: str, message: Message, tools: Tools, confirmed: Sequence[str] = ()
) -> None:
    cause, vault = next(iter(confirmed), ""), incident.vault_id.rpartition("/")[2]
    seconds = (tools.now() - message.since).total_seconds() if message.since else 0
    log_posted(incident.pending, incident.id, posted.id, code, cause, vault, seconds)
