"""What became of the alerts that were acknowledged: ticketed, attached to a storm, or lost; and what was told twice."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.faults.costs import Costs
from bench.faults.rig import Rig
from bench.faults.stored import is_due, ticket_of
from sandbox.ticket_desk import Try

OWN_TICKET = ("incident.opened", "alert.unreadable")


@dataclass(frozen=True)
class Figures:
    """One fault's outcome. `waiting`: kept in the queue, because the ticket system asked for a long wait, or refuses this one."""

    fault: str
    posted: int
    acknowledged: int
    ticketed: int
    attached: int
    waiting: int
    duplicates: int
    costs: Costs
    seconds: float
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems and not self.duplicates and not self.lost

    @property
    def lost(self) -> int:
        return self.acknowledged - self.ticketed - self.attached - self.waiting


class Audit:
    """Reads the desk's tries and the table as they are now."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._events: list[tuple[dict[str, Any], frozenset[str]]] = []

    def taken(self) -> dict[str, tuple[dict[str, Any], frozenset[str]]]:
        """By webhook id: each event as the desk has it (of a repeat it keeps nothing), and the names of the VMs in it."""
        tries = self.rig.desk.tries
        for one in tries[len(self._events) :]:
            self._events.append((json.loads(one.body), self._named(one)))
        found: dict[str, tuple[dict[str, Any], frozenset[str]]] = {}
        for one, event in zip(tries, self._events, strict=False):
            if one.taken:
                found.setdefault(one.webhook_id, event)
        return found

    def _named(self, one: Try) -> frozenset[str]:
        text = one.body.decode()
        return frozenset(name for mark, name in self.rig.marks.items() if mark in text)

    def ticketed(self) -> set[str]:
        """The VMs that have a ticket of their own, at every ticket system."""
        at_desk = {name for event, names in self.taken().values() if event["type"] in OWN_TICKET for name in names}
        at_offices = [
            {name for mark, name in self.rig.marks.items() if office.about(mark)} for office in self.rig.offices.values()
        ]
        return set.intersection(*([at_desk] if self.rig.desk_is_used else []), *at_offices)

    def attached(self) -> set[str]:
        """The VMs that a storm's ticket speaks for."""
        posted = {row["id"] for row in self.rig.stored.rows("storm") if ticket_of(row).get("shown")}
        return {self._name_of(row["vm_id"]) for row in self._rows() if row.get("storm") in posted}

    def late(self) -> list[str]:
        """Tickets that came later than the fault allows."""
        opened = [one.at for one in self.rig.desk.tries if one.taken and b'"incident.opened"' in one.body[:60]]
        late = max(opened, default=0.0) - self.rig.latest
        return [f"the last ticket came {late:.0f} s too late"] if late > 0 else []

    def unnamed(self) -> set[str]:
        """The VMs that a storm's ticket speaks for and does not name."""
        storms = [event["data"]["storm"]["members"] for event, _ in self.taken().values() if event["type"].startswith("storm.")]
        named = {self._name_of(member["vm_id"]) for members in storms for member in members}
        return self.attached() - named

    def unsettled(self) -> set[str]:
        """The VMs whose incident's ticket must still change."""
        return {self._name_of(row["vm_id"]) for row in self._rows() if is_due(row)}

    def waiting(self) -> int:
        """How many messages lie in the queue for tickets that refuse."""
        return self.rig.left_in_queue + len(self.unsettled() & self.rig.may_stay_due)

    def _name_of(self, vm_id: str) -> str:
        return self.rig.marks.get(vm_id.split("/")[2], vm_id)

    def _rows(self) -> list[dict[str, Any]]:
        return self.rig.stored.rows("incident")

    def duplicates(self) -> list[str]:
        """A change under two webhook ids, a failure with two tickets, a ticket of one that a storm's ticket speaks for."""
        changes: dict[tuple[str, ...], set[str]] = defaultdict(set)
        tickets: dict[str, set[str]] = defaultdict(set)
        for webhook_id, (event, names) in self.taken().items():
            incident, kind = event["data"]["incident"], event["type"]
            more = () if kind == "incident.opened" else (str(incident.get("failures")), json.dumps(event["data"].get("changes")))
            if not kind.startswith("storm."):
                changes[(kind, incident["id"], *more)].add(webhook_id)
            if kind in OWN_TICKET:
                for name in names:
                    tickets[name].add(incident["id"])
        found = [f"{key[0]} posted under {', '.join(sorted(ids))}" for key, ids in changes.items() for _ in range(len(ids) - 1)]
        found += [f"{name} has the tickets of {', '.join(sorted(ids))}" for name, ids in tickets.items() if len(ids) > 1]
        found += [f"{name} has a ticket and is in a storm" for name in self.attached() & tickets.keys()]
        found += [f"{name} is there twice at {at}" for at, office in self.rig.offices.items() for name in office.taken_twice()]
        return found


def wait_for_the_end(audit: Audit, seconds: float) -> None:
    """Wait until each acknowledged alert has come to its end and nothing stirs in the queue; say what has not."""
    rig, until = audit.rig, time.monotonic() + seconds
    open_ends = ["nothing was read yet"]
    while open_ends and time.monotonic() < until and not rig.crashed():
        time.sleep(0.5)
        open_ends = _open_ends(audit)
    rig.problems += rig.crashed() + open_ends


def _open_ends(audit: Audit) -> list[str]:
    rig, now = audit.rig, time.time()
    queued, poison = rig.stored.queued(), rig.stored.queued("alerts-poison")
    last = max((one.at for one in rig.desk.tries), default=0.0)
    found = [f"{poison} messages lie in the poison queue"] if poison else []
    if rig.notes_remain:
        came_again = now - rig.killed_at > rig.needs.lease + 3
        found += [] if came_again and now - last > 3 and not rig.stored.in_sight() else ["posts may still come"]
        found += [f"the storm's ticket does not name {name}" for name in sorted(audit.unnamed())]
    elif queued != (waiting := audit.waiting()):
        found.append(f"{queued} messages lie in the queue, not {waiting}")
    if not rig.alerts_wait:
        ended = audit.ticketed() | audit.attached()
        missing = sorted({sent.vm.name for sent in rig.sender.acknowledged} - ended - rig.may_stay_due)
        found += [f"no ticket for {', '.join(missing)}"] if missing else []
        found += [f"the ticket of {name} must still change" for name in sorted(audit.unsettled() - rig.may_stay_due)]
    return found


def _kept_waiting(rig: Rig, without: Sequence[str]) -> int:
    """How many of the VMs without a ticket may be without one."""
    return min(rig.left_in_queue, len(without)) if rig.alerts_wait else len([vm for vm in without if vm in rig.may_stay_due])


def figures(name: str, audit: Audit, seconds: float, bounds: Costs) -> Figures:
    rig, costs = audit.rig, audit.rig.costs()
    ticketed, attached, duplicates = audit.ticketed(), audit.attached(), audit.duplicates()
    sent = [one.vm.name for one in rig.sender.acknowledged]
    alone = [vm for vm in sent if vm not in ticketed]
    joined = [vm for vm in alone if vm in attached]
    return Figures(
        name,
        rig.sender.posted,
        len(sent),
        len(sent) - len(alone),
        len(joined),
        _kept_waiting(rig, [vm for vm in alone if vm not in attached]),
        len(duplicates),
        costs,
        seconds,
        (
            *rig.problems,
            *duplicates,
            *audit.late(),
            *costs.over(bounds),
            *(f"a query goes through a partition: {scan}" for scan in rig.scans()),
        ),
    )


WIDE = 42
HEAD = (
    f"{'':{WIDE}} {'acknow-':>8} {'ticket-':>7} {'in a':>5} {'wait-':>5} {'dupli-':>6}   each piece of work:{'diag-':>8} {'row':>11} {'mes-':>6}\n"
    f"{'fault':{WIDE}} {'ledged':>8} {'ed':>7} {'storm':>5} {'ing':>5} {'cates':>6} {'reads':>9} {'tries':>6} {'noses':>7} "
    f"{'writes':>11} {'sages':>6} {'seconds':>8}  ok"
)


def line(one: Figures) -> str:
    costs = one.costs
    shown = (
        f"{one.fault.replace('_', ' '):{WIDE}} {one.acknowledged:8} {one.ticketed:7} {one.attached:5} {one.waiting:5} "
        f"{one.duplicates:6} {costs.reads:9.1f} {costs.tries:6.1f} {costs.diagnoses:7.1f} {costs.row_writes:11.1f} {costs.messages:6.1f} "
        f"{one.seconds:8.0f}  {'yes' if one.ok else 'NO'}"
    )
    return "\n".join([shown, *(f"    {problem}" for problem in one.problems)])


def table(rows: Sequence[Figures]) -> str:
    return "\n".join([HEAD, *map(line, rows)])
