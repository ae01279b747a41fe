"""Story: an alert failed again and again, or its ticket was refused for good. A plain ticket says what is known.

What not even a plain ticket can be posted for is kept in a blob, and the sweep tries again. Nothing is lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from handlers import alerts
from handlers.model import Alert, Failure, NotNow
from handlers.model.incident import OPENED, key_of
from handlers.model.parts import Part
from handlers.records.alert_queue import ALERT, Message
from handlers.runbook.templates import message as text
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.event import plain_event, unreadable_event
from handlers.tickets.posted_log import log_posted
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(queued: bytes, tools: Tools) -> None:
    """Post a plain ticket for a message of the poison queue. That queue has none of its own: what cannot be posted is kept."""
    log.error("alert set aside: it failed too often")
    message = Message(content=queued)
    try:
        message = _opened(queued, tools)
        if message.kind == ALERT:
            body = body_of(message.content)
            posted = post_plain(body, "gave_up", message, tools)
            settle_waiting(body, posted, tools)
    except Exception as error:
        log.exception("no plain ticket for a poison message")
        tools.queue.keep_unposted(message.content, type(error).__name__)


def _opened(queued: bytes, tools: Tools) -> Message:
    """The message; as it lies in the queue when its blob cannot be fetched."""
    from azure.core.exceptions import AzureError

    try:
        return tools.queue.open(queued)
    except AzureError:
        return Message(content=queued)


def settle_waiting(body: object, posted: Posted, tools: Tools) -> None:
    """An incident that waits for the ticket of this alert has it now: nobody need take it up again."""
    for alert in alerts.read(body):
        if isinstance(alert, Alert) and alert.fired:
            incident = tools.incidents.find(key_of(Failure.of(alert, None, tools.now()).key))
            if incident and incident.pending == OPENED:
                tools.incidents.settle(incident, posted.id, posted.url, {})


def post_plain(body: object, why: str, message: Message, tools: Tools) -> Posted:
    """A ticket for a person: nobody could read the alert (`unreadable`), or it failed again and again (`gave_up`).

    Raises NotNow; an alert whose plain ticket is refused for good is kept.
    """
    language = tools.settings.runbook_language
    event = unreadable_event(body, text(language, f"{why}_title"), text(language, why), language, tools.now())
    change_id = f"{event['data']['incident']['id']}.1.unreadable"
    try:
        posted = tools.tickets.post(event, change_id, may_exist=message.tries > 0)
    except TicketNotPosted as refusal:
        log.error("alert set aside: even its plain ticket was refused")
        tools.queue.keep_unposted(message.content, str(refusal))
        return Posted()
    log_posted("alert.unreadable", event["data"]["incident"]["id"], posted.id)
    return posted


def post(
    event: dict[str, Any], change_id: str, message: Message, tools: Tools, *, may_exist: bool, parts: Sequence[Part] = ()
) -> Posted:
    """Post an event; when it is refused for good, the same change in plain words, with the answer's text.

    A target may refuse a long page and take a short one. Both are one change and have one id: whichever was taken, a repeat of
    either is recognised. Raises NotNow.
    """
    try:
        return tools.tickets.post(event, change_id, may_exist=may_exist, parts=parts)
    except TicketNotPosted as refusal:
        log.error("alert set aside: change %s was refused for good", change_id)
        why = str(refusal)
    language, data = tools.settings.runbook_language, event["data"]
    code = (data["error"] or {}).get("code") or "–"
    words = text(language, "refused", code=code, item=data["protected_item"]["name"], answer=why)
    try:
        return tools.tickets.post(plain_event(event, words), change_id, may_exist=True)
    except TicketNotPosted as again:
        tools.queue.keep_unposted(message.content or words.encode(), str(again))
        return Posted()


def try_unposted_again(tools: Tools) -> int:
    """Post plain tickets for what is kept; how many. Stops at the first that is not taken."""
    done = 0
    for name, content, why in tools.queue.unposted():
        language = tools.settings.runbook_language
        words = f"{text(language, 'gave_up')}\n\n{why}"
        event = unreadable_event(body_of(content), text(language, "gave_up_title"), words, language, tools.now())
        try:
            tools.tickets.post(event, f"{event['data']['incident']['id']}.1.unreadable", may_exist=True)
        except (NotNow, TicketNotPosted) as refusal:
            log.warning("what is kept could not be posted: %s", refusal)
            return done
        tools.queue.drop_unposted(name)
        done += 1
    return done


def body_of(content: bytes) -> object:
    try:
        body: object = json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")
    return body
