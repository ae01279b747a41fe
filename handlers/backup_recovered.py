"""Story: a backup worked again. The ticket is resolved only on proof: a completed backup after the last failure."""

from __future__ import annotations

import logging

from handlers.facts.jobs import completed_after, newest_recovery_point
from handlers.model import Alert, Failure, Incident, Job, time_text
from handlers.model.incident import key_of
from handlers.records.alert_queue import Message
from handlers.runbook.templates import message as text
from handlers.tell import post, tell_log
from handlers.tickets.event import resolved_event
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(alert: Alert, message: Message, tools: Tools) -> None:
    """A source says that a backup recovered: resolve the incident of the alert's protected item, if it is proven."""
    incident = tools.incidents.find(key_of(Failure.of(alert, None, tools.now()).key))
    if incident is None or (incident.status == "resolved" and not incident.pending):
        log.info("an alert says resolved, and no incident is open for it")
        return
    failure = Failure.of(incident.alert(), None, tools.now())
    if job := completed_after(failure, incident.last_failed_at, tools.azure):
        resolve(incident, job, message, tools)
    else:
        log.info("incident %s: an alert says resolved, but no backup has completed since", incident.id)


def resolve(incident: Incident, job: Job, message: Message, tools: Tools) -> bool:
    """Resolve the incident's ticket; whether it was ours to do. Raises NotNow."""
    begun = tools.incidents.begin_recovery(incident, job, message.id, tools.now())
    if begun is None:
        return False
    if begun.incident.storm:
        return True  # its storm's ticket tells it
    language = tools.settings.runbook_language
    point = newest_recovery_point(Failure.of(incident.alert(), None, tools.now()), job, tools.azure)
    note = text(language, "recovered", job=job.id, status=job.status, ended=time_text(job.ended_at))
    note += " " + text(language, "recovery_point", time=time_text(point)) if point else ""
    event = resolved_event(
        begun.incident, job, text(language, "recovered_title", item=incident.item_name), note, language, tools.now()
    )
    posted = post(begun, event, message, tools)
    tools.incidents.settle(begun.incident, posted.id, posted.url, {})
    tell_log(begun.incident, posted, incident.code, message, tools)
    return True
