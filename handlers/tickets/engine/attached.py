"""The files that are added to a ticket: the whole runbook, where the ticket's text has only a part of it, and the members of a storm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from handlers.model import parse_time
from handlers.model.storm import MemberRow
from handlers.tickets.engine.definition import Definition
from handlers.tickets.engine.fitting import is_cut
from handlers.tickets.engine.markups import MARKUPS
from handlers.tickets.members_csv import members_csv


class TicketFile(Struct, frozen=True):
    name: str
    type: str
    content: str


def files_for(system: Definition, names: Mapping[str, Any]) -> Iterator[TicketFile]:
    """What belongs to the text that was just written. A few plain words, which stand for a page that was refused, have no files."""
    wanted, version = names["options"].get("attach"), names["change"].rpartition(".")[2]
    if wanted == "never" or not names["parts"]:
        return
    is_there = system.ticket.attaches and names["existing"]
    if not is_there and (wanted == "always" or is_cut(names["parts"], MARKUPS[system.text.markup], system.text.most)):
        yield TicketFile(f"runbook-{version}.html", "text/html", names["runbook"]["html"])
    if members := (names.get("storm") or {}).get("members"):
        yield TicketFile(f"members-{version}.csv", "text/csv", members_csv(map(_row, members)))


def _row(member: Mapping[str, Any]) -> MemberRow:
    """A member of a storm as the event has it."""
    times = {name: parse_time(member[name]) for name in ("last_failed_at", "last_good_at")}
    return MemberRow(**{name: member.get(name) or "" for name in MEMBER_TEXTS}, **times)  # type: ignore[arg-type]


MEMBER_TEXTS = ("name", "vm_id", "vault_id", "incident", "status", "code", "cause", "verdict", "owner", "ticket_url")
