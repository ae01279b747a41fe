"""Story (timer): what no alert said. Failed jobs without an incident are queued, recoveries recorded, and what was left is taken up.

Azure does not alert on everything: https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts
"""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from handlers import backup_recovered, last_resort
from handlers.model import Incident
from handlers.records.left_over import carry_over, stuck_rows, wake_storms
from handlers.records.missed import ended_incidents
from handlers.records.reminders import Recorded
from handlers.records.retention import delete_old
from handlers.ticket_due import update_ticket
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def sweep(tools: Tools, *, settled: timedelta = timedelta(minutes=10)) -> Counter[str]:
    """One sweep; how many vaults were read, failed jobs queued, incidents ended. What failed a moment ago has an alert under way."""
    counts: Counter[str] = Counter()
    for recorded in chain(left_over(tools), recoveries(tools, settled, counts)):
        try:
            if recorded:
                update_ticket(recorded.row, recorded.reminder, tools)
        except Exception:  # what breaks is one row's problem
            log.exception("a row of the sweep broke")
    delete_old(tools)
    log.info("sweep done vaults=%d failed=%d recovered=%d", counts["vaults"], counts["failed"], counts["recovered"])
    return counts


def recoveries(tools: Tools, settled: timedelta, counts: Counter[str]) -> Iterator[Recorded[Any] | None]:
    """End the incidents that have a good backup, or none to come; failed jobs that nobody knows are queued on the way."""
    carry_over((tools.incidents, tools.storms), tools.marks, tools.now())
    recovered: list[Incident] = []
    for incident, job in ended_incidents(tools, settled, counts):
        recorded = (
            backup_recovered.record_recovery(incident, job, tools) if job else backup_recovered.record_gone(incident, tools)
        )
        recovered += [recorded.row] if recorded else []
        yield recorded
    counts["recovered"] = len(recovered)
    wake_storms(tools.storms, recovered, tools.queue, tools.now())


def left_over(tools: Tools) -> Iterator[Recorded[Any] | None]:
    """What could not be posted at all, and the rows whose reminder is gone; each is tried on its own."""
    for name, content, why in tools.queue.unposted():
        recorded = last_resort.record_given_up(content, why, tools)
        tools.queue.drop_unposted(name)
        yield recorded
    yield from stuck_rows((tools.incidents, tools.storms, tools.plain_tickets), tools.now())
