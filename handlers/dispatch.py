"""Story: a message lies in the queue. What it is decides which story gets it; then the tickets that are due are updated."""

import logging
from collections.abc import Iterator
from copy import replace
from datetime import datetime
from typing import Any

from handlers import alert_queued, canary, many_failed, members_diagnosed, read_again, reminded
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded
from handlers.ticket_due import update_ticket
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def work_on(queued: bytes, tools: Tools, came_at: datetime | None = None) -> None:
    """Work on one message. Whatever escapes lets it come again through the host, and after five times into the poison queue."""
    message = tools.queue.open(queued)
    for recorded in recorded_by(replace(message, since=message.since or came_at or tools.now()), tools):
        if recorded:
            update_ticket(recorded.row, recorded.reminder, tools)


def recorded_by(message: Message, tools: Tools) -> Iterator[Recorded[Any] | None]:
    """What the story of a message writes down. Each ticket is updated before the story goes on."""
    match message.kind:
        case "alert":
            yield from alert_queued.recorded_by_alerts(message, tools)
        case "due":
            yield reminded.bring_back(message, tools)
        case "second_reading":
            yield read_again.diagnose_again(message, tools)
        case "storm_reading":
            yield many_failed.read_members(message, tools)
        case "members_pass":
            members_diagnosed.diagnose_members(message, tools)
        case "canary_arrival":
            canary.log_arrival(message, tools)
        case _:
            log.error("a note of an unknown kind was dropped")
