"""Where a row's tickets are: decided by TICKET_ROUTES when its first version is posted, and for as long as it lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from handlers.model.delivery import DEFAULT_TARGET, LEASE, RESOLVED, Delivery, routed, settled, without
from handlers.records.documents import Documents
from handlers.records.reminders import DueRow, Stay, on_delivery
from handlers.records.rows import Rows
from handlers.tickets.maintenance import Maintenance
from handlers.tickets.posted_log import log_dropped, log_quiet, log_target_gone
from handlers.tickets.routes import Drop, Routes, subject_of

MOST_QUIET_SECONDS = 3600.0
"""So often it is asked whether the windows are still the same."""


class Tools(Protocol):
    """What of the stories' tools is used here."""

    @property
    def documents(self) -> Documents: ...
    @property
    def routes(self) -> Routes | None: ...
    @property
    def maintenance(self) -> Maintenance | None: ...
    @property
    def now(self) -> Callable[[], datetime]: ...
    def rows_of(self, row: DueRow) -> Rows[Any]: ...


def routed_row(row: DueRow, tools: Tools) -> tuple[DueRow, list[Stay]]:
    """The row with its targets, or settled if a rule drops it. They are saved with its first attempt.

    A stay: that cannot be decided yet, because somebody is writing what its version says.
    """
    row = _without_gone_targets(row, tools)
    if row.needs_post and tools.maintenance and (quiet := _in_maintenance(row, tools.maintenance, tools)):
        return quiet
    if not row.needs_post or row.delivery.tickets:
        return row, []
    if not tools.routes:
        return _with(row, lambda delivery: routed(delivery, (DEFAULT_TARGET,))), []
    document = tools.documents.read(row.id, row.delivery.first_version, again=True)
    if document is None:
        return row, [Stay(LEASE.total_seconds())]
    match tools.routes.targets_of(subject_of(document)):
        case Drop(why):
            return _dropped(row, why, tools)
        case targets:
            return _with(row, lambda delivery: routed(delivery, targets)), []


def _in_maintenance(row: DueRow, maintenance: Maintenance, tools: Tools) -> tuple[DueRow, list[Stay]] | None:
    """A row of which nothing is posted now: until the window ends, or ever, if it recovers without having had a ticket."""
    document = tools.documents.read(row.id, row.delivery.version, again=True)
    end = maintenance.end_for(subject_of(document), tools.now()) if document else None
    if document is None or end is None:
        return None
    if document.status == RESOLVED and not row.delivery.has_ticket:
        return _dropped(row, "it failed and recovered in maintenance", tools)
    log_quiet(row.id, end)
    return row, [Stay(min((end - tools.now()).total_seconds(), MOST_QUIET_SECONDS), quiet=True)]


def _dropped(row: DueRow, why: str, tools: Tools) -> tuple[DueRow, list[Stay]]:
    version = row.delivery.version
    after = tools.rows_of(row).change(row.key, on_delivery(row.id, lambda delivery: settled(delivery, version)), row)
    log_dropped(row.id, why)
    return (after, []) if after and after.delivery.settled == after.delivery.version else (row, [Stay(LEASE.total_seconds())])


def _without_gone_targets(row: DueRow, tools: Tools) -> DueRow:
    """A target that TICKET_ROUTES does not name any more keeps its ticket as it stands."""
    known = {DEFAULT_TARGET, *(tools.routes.targets if tools.routes else ())}
    gone = row.delivery.tickets.keys() - known
    if not gone or not row.needs_post:
        return row
    log_target_gone(row.id, sorted(gone))
    kept = on_delivery(row.id, lambda delivery: without(delivery, gone))
    return tools.rows_of(row).change(row.key, kept, row) or kept(row) or row


def _with(row: DueRow, change: Callable[[Delivery], Delivery]) -> DueRow:
    return on_delivery(row.id, change)(row) or row
