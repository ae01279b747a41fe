"""Log lines as the code really writes them: its own stories run, and what they log is kept. Nothing is typed by hand."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from copy import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from handlers import alert_received, canary, dispatch, last_resort, sweep, ticket_due
from handlers.alerts.canary import body_of
from handlers.azure.arm import NotRead
from handlers.facts.vaults import Vault, log_silent_vaults
from handlers.model import Job
from handlers.model.refusal import RefusalKind
from handlers.model.storm import members_of, opened
from handlers.records.alert_queue import AlertQueue
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.plain_tickets import PlainTickets
from handlers.records.reminders import Waiting
from handlers.records.storage import StorageDown
from handlers.records.storms import Storms
from handlers.records.vault_marks import Mark, VaultMarks
from handlers.runbook.render import render, render_storm
from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.event import ended_document, failure_document, storm_document
from handlers.tickets.gate import Gate
from handlers.tickets.posting import Target, Tickets
from handlers.wiring import Tools
from tests.memory_storage import MemoryStorage
from tests.tickets.changes import NOW, delivery, diagnosis, incident

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/vault-1"


class Taking:
    """A ticket system that takes everything, and names a ticket in an unkind way."""

    def post(self, *_: Any, **__: Any) -> Posted:
        return Posted("T 1\nposted type=incident.opened", "https://tickets.example.com/T 1")


class Refusing:
    """One that refuses for good, or is out of order."""

    def __init__(self, *, permanent: bool) -> None:
        self._permanent = permanent

    def post(self, *_: Any, **__: Any) -> Posted:
        kind = RefusalKind.CONFIGURATION if self._permanent else RefusalKind.SYSTEM
        raise TicketNotPosted("TICKET_URL answered 400: no such field", kind=kind, permanent=self._permanent)


def tools(target: Any = None, **parts: Any) -> Tools:
    """What a story works with, on a storage account in memory; Azure cannot be read."""
    storage = cast(Any, MemoryStorage())
    marks = VaultMarks(storage)
    marks.save(Mark("deleted", read_until=NOW))
    made = {
        "settings": Settings(ticket_url="https://t.example.com", watched_subscriptions=(SUBSCRIPTION,)),
        "azure": SimpleNamespace(has_workspace=False, shared=SimpleNamespace(get=_unread)),
        "tickets": Tickets(cast(Target, target or Taking()), Gate(lambda: 0.0), lambda: NOW),
        "queue": AlertQueue(storage),
        "incidents": Incidents(storage),
        "documents": Documents(storage),
        "marks": marks,
        "storms": Storms(storage, 20, 15),
        "plain_tickets": PlainTickets(storage),
        "waiting": Waiting(),
        "now": lambda: NOW,
    }
    return Tools(**cast(Any, made | parts))


def all_lines(logged: Callable[[], list[logging.LogRecord]]) -> list[str]:
    """Every line that a query or a rule may look for, written by the code that writes it in production."""
    for write in WRITERS:
        write()
    return [record.getMessage() for record in logged()]


def _post(row: Any, document: Any, found: Tools | None = None) -> None:
    used = found or tools()
    used.documents.write(row.id, row.delivery.version, document)
    ticket_due.update_ticket(cast(Any, used.rows_of(row).save(None, row)), None, used)


def _opened() -> None:
    row = replace(incident(), vault_id=VAULT, delivery=delivery(1, ("", "")))
    document = failure_document(
        row, diagnosis("restore_point_group_locked"), render(diagnosis("restore_point_group_locked"), "en")
    )
    _post(row, replace(document, received_at=NOW - timedelta(seconds=42), data={**document.data, **_in_vault(document)}))


def _in_vault(document: Any) -> dict[str, Any]:
    return {"protected_item": document.data["protected_item"] | {"vault_id": VAULT}}


def _updated_and_resolved() -> None:
    row = replace(incident(), vault_id=VAULT, delivery=delivery(2, ("T-1", "")))
    document = failure_document(
        row, diagnosis("restore_point_group_locked"), render(diagnosis("restore_point_group_locked"), "en")
    )
    _post(_shown(row, "open"), replace(document, data={**document.data, **_in_vault(document)}))
    end = ended_document(row, Job("job-good", "Completed", "Backup", ended_at=NOW), "works again", "note", "en", document)
    _post(_shown(row, "open"), replace(end, data={**end.data, **_in_vault(end)}))


def _shown(row: Any, status: str) -> Any:
    shown = {name: replace(ticket, status=status) for name, ticket in row.delivery.tickets.items()}
    return replace(row, delivery=replace(row.delivery, tickets=shown))


def _storm(status: str, version: int) -> None:
    model = replace(incident(), verdicts=diagnosis("restore_point_group_locked").verdicts)
    members = members_of([replace(model, id=f"{number:032x}", item_name=f"vm-{number}") for number in range(3)])
    about = opened(None, "westeurope", model.code, NOW)
    assert about is not None
    row = replace(about, status=status, delivery=delivery(version, ("T-2", "")))
    runbook = render_storm(row, members, diagnosis("restore_point_group_locked"), "en")
    document = storm_document(row, members, diagnosis("restore_point_group_locked"), runbook)
    _post(_shown(row, "open" if version > 1 else ""), document)


def _canary_arrives() -> None:
    dispatch.work_on(body_of(NOW - timedelta(seconds=4)), tools())


def _silent_vault() -> None:
    listed = SimpleNamespace(get=lambda *_, **__: {VAULT: Vault("westeurope", is_silent=True)})
    log_silent_vaults((SUBSCRIPTION,), cast(Any, SimpleNamespace(shared=listed)))


def _accepted() -> None:
    alert_received.accept(json.loads(body_of(NOW)), b"{}", tools().settings, tools().queue)


def _not_accepted() -> None:
    queue = SimpleNamespace(put=_storage_down)
    alert_received.accept(json.loads(body_of(NOW)), b"{}", tools().settings, cast(Any, queue))


def _plain(target: Any = None) -> None:
    dispatch.work_on(b'{"odd": 1}', tools(target))


def _poison_that_cannot_be_recorded() -> None:
    broken = SimpleNamespace(open=_broken, keep_unposted=lambda *_: None)
    last_resort.work_on_poison(b"{}", last_resort.LAST_TRY, tools(queue=broken))


def _swept() -> None:
    used = tools()
    used.queue.keep_unposted(b"{}", "400")
    sweep.sweep(used)


WRITERS: tuple[Callable[[], object], ...] = (
    _opened,
    _updated_and_resolved,
    lambda: _storm("open", 1),
    lambda: _storm("open", 2),
    lambda: _storm("resolved", 3),
    _plain,
    lambda: _plain(Refusing(permanent=True)),
    lambda: _plain(Refusing(permanent=False)),
    _poison_that_cannot_be_recorded,
    lambda: last_resort.work_on_poison(b"{}", 1, tools()),
    lambda: canary.send(tools()),
    _canary_arrives,
    _silent_vault,
    _swept,
    _accepted,
    _not_accepted,
)


def _unread(*_: Any, **__: Any) -> Any:
    raise NotRead(SUBSCRIPTION)


def _broken(*_: Any, **__: Any) -> Any:
    raise ValueError("broken")


def _storage_down(*_: Any, **__: Any) -> Any:
    raise StorageDown("ServiceRequestError")
