"""Story (timer): what no alert said. Failed jobs without an incident are queued, recoveries recorded, and what was left is taken up.

Azure never alerts on a backup that was already in progress, on a VM that was deleted, and after failed deliveries; action groups
drop what is over their rate. https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts
"""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from handlers import backup_recovered, last_resort
from handlers.model import Incident
from handlers.model.delivery import OPEN
from handlers.records.left_over import carry_over, is_stuck, wake_storms
from handlers.records.missed import good_jobs, no_longer_protected, queue_missed
from handlers.records.reminders import Recorded
from handlers.records.retention import delete_old
from handlers.records.vault_sweep import VaultSweep
from handlers.ticket_due import update_ticket
from handlers.wiring import Tools

log = logging.getLogger(__name__)

SETTLED = timedelta(minutes=10)
"""A job that failed a moment ago has an alert under way, which says more."""


def sweep(tools: Tools, *, settled: timedelta = SETTLED) -> Counter[str]:
    """One sweep; how many vaults were read, failed jobs queued, incidents ended."""
    counts: Counter[str] = Counter()
    for recorded in chain(recoveries(tools, settled, counts), left_over(tools)):
        try:
            if recorded:
                update_ticket(recorded.row, recorded.reminder, tools)
        except Exception:  # what breaks is one row's problem
            log.exception("a row of the sweep broke")
    delete_old(tools)
    log.info("sweep done vaults=%d failed=%d recovered=%d", counts["vaults"], counts["failed"], counts["recovered"])
    return counts


def recoveries(tools: Tools, settled: timedelta, counts: Counter[str]) -> Iterator[Recorded[Any] | None]:
    """Go through the vaults: queue failed jobs that nobody knows, end the incidents that have a good backup or none to come."""
    now = tools.now()
    carry_over(tools.incidents, tools.marks, now)
    carry_over(tools.storms, tools.marks, now)
    active, recovered = list(tools.incidents.active()), list[Incident]()
    incidents = [incident for incident in active if incident.status == OPEN]
    for vault in VaultSweep(tools.azure, tools.marks, now - settled, now).vaults(tools.settings.watched_subscriptions, incidents):
        counts["vaults"] += 1
        counts["failed"] += queue_missed(vault, active, tools.settings.watched_subscriptions, tools.incidents, tools.queue)
        for incident, job in good_jobs(vault, incidents):
            if recorded := backup_recovered.record_recovery(incident, job, tools):
                recovered.append(recorded.row)
                yield recorded
    counts["recovered"] = len(recovered)
    wake_storms(tools.storms, recovered, tools.queue, now)
    for incident in no_longer_protected(incidents, tools.marks, tools.azure, now):
        yield backup_recovered.record_gone(incident, tools)


def left_over(tools: Tools) -> Iterator[Recorded[Any] | None]:
    """What could not be posted at all, and the rows whose reminder is gone; each is tried on its own."""
    for name, content, why in tools.queue.unposted():
        recorded = last_resort.record_given_up(content, why, tools)
        tools.queue.drop_unposted(name)
        yield recorded
    for rows in (tools.incidents, tools.storms, tools.plain_tickets):
        yield from (Recorded(row, None) for row in rows.active() if is_stuck(row, tools.now()))
