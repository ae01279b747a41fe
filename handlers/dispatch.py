"""Story: a message lies in the queue. What it is decides which story gets it; what cannot be done now is put back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from handlers import backup_failed, many_failed, second_look
from handlers.model import NotNow
from handlers.records.alert_queue import ALERT, Message
from handlers.tell import SECOND_LOOK
from handlers.wiring import Tools

log = logging.getLogger(__name__)

STORIES: dict[str, Callable[[Message, Tools], None]] = {
    ALERT: backup_failed.handle,
    SECOND_LOOK: second_look.handle,
    many_failed.STORM: many_failed.handle,
    many_failed.STORM_MEMBERS: many_failed.look_at_members,
}


def handle(queued: bytes, tools: Tools, message_id: str = "", came_at: datetime | None = None) -> None:
    """Work on one message. Whatever escapes puts it back through the host, and after five times into the poison queue."""
    message = tools.queue.open(queued, message_id)
    message = replace(message, since=message.since or came_at or tools.now())
    story = STORIES.get(message.kind)
    if story is None:
        log.error("a note of an unknown kind was dropped")
        return
    try:
        story(message, tools)
    except NotNow as wait:
        log.info("put back for %.0f s, try %d: %s", wait.seconds, message.tries + 1, wait)
        tools.queue.put_back(message, wait.seconds, tools.now())
