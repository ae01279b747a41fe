"""Log lines as the code really writes them: its own functions are called, and what they log is kept. Nothing is typed by hand."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from handlers import alert_received, backup_recovered, canary, dispatch, last_resort, many_failed, sweep, tell
from handlers.alerts.canary import body_of
from handlers.azure.arm import NotRead
from handlers.model import Alert, Job, NotNow
from handlers.model.incident import OPENED, UPDATED, Incident, recovering
from handlers.model.storm import Storm, members_of, new_storm
from handlers.records.alert_queue import Message
from handlers.records.incidents import Begun
from handlers.records.storage import StorageDown
from handlers.records.vault_marks import Mark
from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.gate import Gate
from handlers.tickets.posting import Target, Tickets
from handlers.wiring import Tools
from tests.tickets.changes import NOW, diagnosis, failed, incident

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/vault-1"


class Taking:
    """A ticket system that takes everything, and names a ticket in an unkind way."""

    def post(self, *_: Any, **__: Any) -> Posted:
        return Posted("T 1\nposted type=incident.opened", "")


class Refusing:
    """One that refuses for good, or is out of order."""

    def __init__(self, *, permanent: bool) -> None:
        self._permanent = permanent

    def post(self, *_: Any, **__: Any) -> Posted:
        raise TicketNotPosted("TICKET_URL answered 400: no such field", permanent=self._permanent)


def tools(target: Any = None, **parts: Any) -> Tools:
    """What a story works with, each part as little as it needs."""
    nothing = SimpleNamespace()
    made = {
        "settings": Settings(ticket_url="https://t.example.com", watched_subscriptions=(SUBSCRIPTION,)),
        "azure": SimpleNamespace(has_workspace=False, shared=SimpleNamespace(get=_unread)),
        "tickets": Tickets(cast(Target, target or Taking()), Gate(lambda: 0.0), lambda: NOW),
        "queue": SimpleNamespace(
            put=_done, note=_done, keep_unposted=_done, unposted=lambda: [("a", b"{}", "400")], drop_unposted=_done, open=_broken
        ),
        "incidents": SimpleNamespace(settle=_done, find=_done, begin=_done, begin_recovery=_begin_recovery, open_ones=list,
                                     failed_since=lambda _: [], forget_closed=lambda _: 0),
        "documents": SimpleNamespace(add=_done, newest=_done, forget=lambda *_: 0),
        "marks": SimpleNamespace(all=lambda: {"forgotten": Mark("forgotten", read_until=NOW)}, save=_done),
        "storms": SimpleNamespace(save=lambda found: found, open_ones=list),
        "rush": nothing,
        "now": lambda: NOW,
    }  # fmt: skip
    return Tools(**cast(Any, made | parts))


def all_lines(logged: Callable[[], list[logging.LogRecord]]) -> list[str]:
    """Every line that a query or a rule may look for, written by the code that writes it in production."""
    for write in WRITERS:
        write()
    return [record.getMessage() for record in logged()]


def _opened(change: str = OPENED) -> None:
    begun = Begun(replace(incident(change=change), vault_id=VAULT), again=False)
    tell.tell(begun, diagnosis("restore_point_group_locked"), _message(), tools())


def _resolved() -> None:
    about = replace(incident(), pending="", vault_id=VAULT)
    job = Job("job-good", "Completed", "Backup", ended_at=NOW)
    backup_recovered.resolve(about, job, Message(kind="sweep", id="sweep"), tools())


def _storm(change: str) -> None:
    one = replace(incident(), verdicts=diagnosis("restore_point_group_locked").verdicts, pending="")
    members = members_of([replace(one, id=f"{number:032x}", item_name=f"vm-{number}") for number in range(3)])
    about: Storm = new_storm("westeurope", one.code, NOW)
    many_failed.tell(about, change, members, _message(), tools())


def _canary_arrives() -> None:
    canary.arrive(Alert("canary", id="canary-1", fired_at=NOW - timedelta(seconds=4)), Message(), tools())


def _accepted() -> None:
    alert_received.accept(json.loads(body_of(NOW)), b"{}", tools().settings, tools().queue)


def _not_accepted() -> None:
    queue = SimpleNamespace(put=_storage_down)
    alert_received.accept(json.loads(body_of(NOW)), b"{}", tools().settings, cast(Any, queue))


def _plain(target: Any = None) -> None:
    last_resort.post_plain({"odd": 1}, "unreadable", _message(), tools(target))


def _refused_then_plain() -> None:
    last_resort.post(dict(failed().event), "abc.1.opened", _message(), tools(Refusing(permanent=True)), may_exist=False)


def _put_back() -> None:
    """A message that cannot be worked on now, because the ticket system is down."""
    queue = SimpleNamespace(open=lambda *_: _message(), put_back=_done)
    rush = SimpleNamespace(another=lambda _: False)
    dispatch.handle(b"{}", tools(queue=queue, rush=rush, tickets=SimpleNamespace(check_open=_closed)))


WRITERS: tuple[Callable[[], object], ...] = (
    _opened,
    partial(_opened, UPDATED),
    _resolved,
    partial(_storm, "storm.opened"),
    partial(_storm, "storm.updated"),
    partial(_storm, "storm.resolved"),
    _plain,
    partial(_plain, Refusing(permanent=True)),
    _refused_then_plain,
    lambda: last_resort.handle(b"{}", tools()),
    lambda: last_resort.try_unposted_again(tools(Refusing(permanent=False))),
    lambda: canary.send(tools()),
    _canary_arrives,
    lambda: sweep.handle(tools()),
    _accepted,
    _not_accepted,
    _put_back,
)


def _message() -> Message:
    body = json.dumps({"schemaId": "backupRunbooksFailedJob", "vaultId": VAULT, "jobId": "job-1"}).encode()
    return Message(content=body, since=NOW - timedelta(seconds=42))


def _begin_recovery(found: Incident, job: Job, holder: str, now: Any) -> Begun:
    begun = recovering(found, job, holder, now)
    assert isinstance(begun, Incident)
    return Begun(begun, again=False)


def _done(*_: Any, **__: Any) -> None:
    return None


def _unread(*_: Any, **__: Any) -> Any:
    raise NotRead(SUBSCRIPTION)


def _broken(*_: Any, **__: Any) -> Any:
    raise ValueError("broken")


def _closed() -> None:
    raise NotNow("the ticket system is down", 60)


def _storage_down(*_: Any, **__: Any) -> Any:
    raise StorageDown("ServiceRequestError")
