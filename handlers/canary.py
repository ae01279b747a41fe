"""Story (timer, once a day): a marked alert goes the whole way, so that silence is noticed.

`canary arrived` in the log is what an alert rule watches for its absence. With CANARY=quiet everything but the post to the ticket
system happens; with CANARY=ticket a ticket is opened and resolved.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from handlers.alerts.canary import body_of
from handlers.facts.vaults import vaults_readable
from handlers.model import Alert, Failure, Job, Runbook
from handlers.model.incident import key_of
from handlers.records.alert_queue import Message
from handlers.records.incidents import Begun
from handlers.runbook.markup import to_html
from handlers.runbook.render import render
from handlers.runbook.templates import message as text
from handlers.tell import failure_of, look, post
from handlers.tickets.answers import Posted
from handlers.tickets.event import failure_event, resolved_event
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def send(tools: Tools) -> None:
    """Queue today's canary."""
    if tools.settings.canary == "off":
        return
    tools.queue.put(body_of(tools.now()))
    log.info("canary sent")


def arrive(alert: Alert, message: Message, tools: Tools) -> None:
    """What an alert goes through, and what a recovery does after it. Raises NotNow."""
    if tools.settings.canary == "off":
        return
    failure, error = failure_of(alert, tools)
    if begun := tools.incidents.begin(failure, error.code, message.id, tools.now()):
        diagnosis = look(failure, error, tools)
        runbook = in_plain_words(render(diagnosis, tools.settings.runbook_language), tools)
        posted = told(begun, failure_event(begun.incident, diagnosis, runbook, tools.now()), message, tools)
        tools.incidents.settle(begun.incident, posted.id, posted.url, diagnosis.verdicts)
    resolve(failure, message, tools)
    seconds = (tools.now() - alert.fired_at).total_seconds() if alert.fired_at else 0
    log.info("canary arrived seconds=%.0f tickets=%s azure=%s", seconds, tools.settings.canary, azure_answers(tools))


def resolve(failure: Failure, message: Message, tools: Tools) -> None:
    incident = tools.incidents.find(key_of(failure.key))
    if incident is None or (incident.status == "resolved" and not incident.pending):
        return
    job = Job(id=failure.alert.id, status="Completed", operation="Canary", started_at=tools.now(), ended_at=tools.now())
    if begun := tools.incidents.begin_recovery(incident, job, message.id, tools.now()):
        language = tools.settings.runbook_language
        words = text(language, "canary_title"), text(language, "canary")
        posted = told(begun, resolved_event(begun.incident, job, *words, language, tools.now()), message, tools)
        tools.incidents.settle(begun.incident, posted.id, posted.url, {})


def told(begun: Begun, event: dict[str, Any], message: Message, tools: Tools) -> Posted:
    return post(begun, event, message, tools) if tools.settings.canary == "ticket" else Posted()


def in_plain_words(runbook: Runbook, tools: Tools) -> Runbook:
    """The rendered page gives way to a sentence that nobody can take for a failure."""
    language = tools.settings.runbook_language
    words = text(language, "canary")
    return replace(runbook, title=text(language, "canary_title"), markdown=words, html=to_html(words))


def azure_answers(tools: Tools) -> str:
    """`ok` when the vaults of every watched subscription can be listed, else `unread`; `-` when none is watched."""
    watched = tools.settings.watched_subscriptions
    return "-" if not watched else "ok" if vaults_readable(watched, tools.azure) else "unread"
