"""What is over for long is deleted, once a day, by the sweep: nothing grows for ever."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from handlers.records.vault_marks import Mark
from handlers.wiring import Tools

log = logging.getLogger(__name__)

CLOSED_FOR = timedelta(days=90)
"""Rows and documents of incidents and storms that ended so long ago."""
BODIES_FOR = timedelta(days=14)
"""Bodies of alerts in blobs; a message lives for seven days, and each time that it is put back for seven more."""
DONE = Mark("forgotten")


def forget(marks: dict[str, Mark], now: datetime, tools: Tools) -> None:
    """Once a day."""
    done = marks.get(DONE.vault_id, DONE).read_until
    if done and now - done < timedelta(days=1):
        return
    incidents = tools.incidents.forget_closed(now - CLOSED_FOR)
    documents = tools.documents.forget(now - CLOSED_FOR, {incident.key for incident in tools.incidents.open_ones()})
    tools.storms.forget(now - CLOSED_FOR)
    bodies = tools.queue.forget_bodies(now - BODIES_FOR)
    tools.marks.save(Mark(DONE.vault_id, read_until=now))
    log.info("forgot incidents=%d documents=%d bodies=%d", incidents, documents, bodies)
