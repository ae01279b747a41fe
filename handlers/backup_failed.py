"""Story: one queued alert body, from parsing to a posted ticket. Whatever escapes here puts the message back into the queue."""

from __future__ import annotations

import json
import logging

from handlers import alerts, backup_recovered, facts
from handlers.alert_received import watched
from handlers.catalogue import classify
from handlers.diagnose import diagnose, facts_needed
from handlers.facts.jobs import find_job
from handlers.model import Alert, Failure, Ignored, Unreadable
from handlers.runbook import message, render
from handlers.tickets.event import failure_event, unreadable_event
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(queued: bytes, tools: Tools) -> None:
    """Every alert in a queue message becomes a ticket, or is logged as ignored with its reason."""
    content = tools.queue.body(queued)
    try:
        body: object = json.loads(content)
    except (ValueError, RecursionError):
        body = content.decode("utf-8", "replace")
    for alert in alerts.read(body):
        match watched(alert, tools.settings):
            case Ignored(reason):
                log.info("alert ignored: %s", reason)
            case Unreadable(unread):
                post_unreadable(unread, "unreadable", tools)
            case Alert(fired=False) as resolved:
                backup_recovered.handle(resolved, tools)
            case Alert() as fired:
                open_ticket(fired, tools)


def open_ticket(alert: Alert, tools: Tools) -> None:
    """Find the job, classify the error, gather facts, check causes, render the runbook, post the ticket."""
    found = find_job(alert, tools.azure)
    failure = Failure.of(alert, found.job, tools.now(), found.unread)
    error = classify(alert, found.job)
    readings = facts.gather(facts_needed(failure, error), failure, tools.azure, message=error.message, now=tools.now())
    diagnosis = diagnose(failure, error, readings)
    runbook = render(diagnosis, tools.settings.runbook_language, tools.settings.arm_endpoint)
    tools.tickets.post(failure_event("incident.opened", diagnosis, runbook, tools.now()))


def post_unreadable(body: object, why: str, tools: Tools) -> None:
    """A ticket for a person: nobody could read the alert (`unreadable`), or it failed again and again (`gave_up`)."""
    language = tools.settings.runbook_language
    title, text = message(language, f"{why}_title"), message(language, why)
    tools.tickets.post(unreadable_event(body, title, text, language, tools.now()))
