"""Story: an alert failed again and again and lies in the poison queue. A plain ticket says what is known; nothing is lost."""

from __future__ import annotations

import json
import logging

from handlers.backup_failed import post_unreadable
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(queued: bytes, tools: Tools) -> None:
    """Post a plain ticket with the body. A poison queue has no poison queue: nothing may escape but a failed post."""
    try:
        content = tools.queue.body(queued)
        body: object = json.loads(content)
    except Exception:
        log.exception("a poison message could not be read")
        body = queued.decode("utf-8", "replace")
    post_unreadable(body, "gave_up", tools)
