"""Story: a source says that a backup recovered. The ticket is resolved only on proof: a completed backup after the failure."""

from __future__ import annotations

import logging

from handlers.facts.jobs import completed_after
from handlers.model import Alert, Failure, time_text
from handlers.runbook import message
from handlers.tickets.event import resolved_event
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(alert: Alert, tools: Tools) -> None:
    """Resolve the ticket of the alert's protected item, if a backup has completed since the alert fired."""
    failure = Failure.of(alert, None, tools.now())
    job = completed_after(failure, alert.fired_at or tools.now(), tools.azure)
    if job is None:
        log.info("alert %s says resolved, but no backup has completed since", alert.id)
        return
    language = tools.settings.runbook_language
    title = message(language, "recovered_title", item=failure.item_name)
    note = message(language, "recovered", job=job.id, status=job.status, ended=time_text(job.ended_at))
    tools.tickets.post(resolved_event(failure, job, title, note, language, tools.now()))
