"""Single tickets refuse, or were changed by a person, at a ticket system of its own file, while unrelated failures get theirs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.faults.office import BLOCKED, DELETED, LOCKED, MOVED, UNRESOLVED, Office, Ticket
from bench.faults.rig import PATIENCE_SECONDS, Rig
from bench.faults.stored import DEFAULT
from sandbox.scenario import Scenario

CLOSED, REQUIRED = "closed by a person", "a field is newly required"
FAIL_AGAIN, RECOVER = (MOVED, DELETED, LOCKED, CLOSED), (BLOCKED, UNRESOLVED)
TROUBLED = len(FAIL_AGAIN) + len(RECOVER) + 1
OTHERS = 30


def tickets_moved_deleted_locked_closed_blocked(rig: Rig) -> None:
    """One ticket each is moved, deleted, locked, closed, blocked, lacks a field to close or to open; 30 others come at the first try."""
    office, troubled, others = _opened(rig)
    tickets = {name: _ticket_of(office, vm) for name, vm in troubled.items() if name != REQUIRED}
    for name, ticket in tickets.items():
        ticket.trouble, ticket.state = ("", "closed") if name == CLOSED else (name, "open")
    office.required, office.required_about = "team", troubled[REQUIRED].subscription
    rig.may_stay_due |= {troubled[name].name for name in (MOVED, LOCKED, BLOCKED, UNRESOLVED, REQUIRED)}
    _change(rig, troubled)
    rig.wait_until(lambda: _has_struck(office, tickets, troubled), PATIENCE_SECONDS, "the fault struck not every ticket")
    began = len(office.creates)
    rig.send(others)
    _wait_for_tickets(rig, office, TROUBLED + len(others))
    _check_others(rig, office, others, office.creates[began:])


def no_ticket_refuses(rig: Rig) -> None:
    """The same in good weather, to compare."""
    office, troubled, others = _opened(rig)
    _change(rig, troubled)
    changed = [_ticket_of(office, troubled[name]) for name in (*FAIL_AGAIN, *RECOVER)]
    rig.wait_until(lambda: all(ticket.notes for ticket in changed), PATIENCE_SECONDS, "not every ticket was changed")
    rig.send(others)
    _wait_for_tickets(rig, office, TROUBLED + len(others))


def lateness_of_others(rig: Rig) -> list[float]:
    """Of each unrelated VM the seconds from its alert's answer to its ticket."""
    office, others = rig.offices[DEFAULT], rig.vms[TROUBLED:]
    sent = {one.vm.name: one.at for one in rig.sender.acknowledged}
    return [max(0.0, _ticket_of(office, vm).opened_at - sent[vm.name]) for vm in others]


def _opened(rig: Rig) -> tuple[Office, dict[str, Scenario], Sequence[Scenario]]:
    """The VMs that are to be in trouble have their tickets, but for that whose ticket cannot be opened; and the others."""
    office, troubled = rig.offices[DEFAULT], dict(zip((*FAIL_AGAIN, *RECOVER, REQUIRED), rig.vms, strict=False))
    rig.send([troubled[name] for name in (*FAIL_AGAIN, *RECOVER)])
    _wait_for_tickets(rig, office, TROUBLED - 1)
    return office, troubled, rig.vms[TROUBLED:]


def _change(rig: Rig, troubled: dict[str, Scenario]) -> None:
    """Each VM fails again, or recovers; one fails for the first time."""
    for name in FAIL_AGAIN:
        rig.fail_again(troubled[name])
    for name in RECOVER:
        rig.recover(troubled[name])
    rig.send([troubled[REQUIRED]])


def _has_struck(office: Office, tickets: dict[str, Ticket], troubled: dict[str, Scenario]) -> bool:
    """Each ticket has refused, was opened again or is followed by another one."""
    refuse = [tickets[name] for name in (MOVED, LOCKED, BLOCKED, UNRESOLVED)]
    followed = len(office.about(troubled[DELETED].subscription)) == 2
    return all(ticket.refused for ticket in refuse) and _refusals(office) >= 2 and tickets[CLOSED].state == "open" and followed


def _refusals(office: Office) -> int:
    """How often a new ticket was refused."""
    return len([status for _, _, status in list(office.creates) if status == 422])


def _check_others(rig: Rig, office: Office, others: Sequence[Scenario], creates: Sequence[tuple[float, str, int]]) -> None:
    """Each was opened by one request, and none was touched again: so nothing stood in the way of any."""
    for vm in others:
        rig.check(len(tickets := office.about(vm.subscription)) == 1, f"{vm.name} has {len(tickets)} tickets")
        rig.check(not any(ticket.asked for ticket in tickets), f"the ticket of {vm.name} was asked for again")
    opened = [status for _, _, status in creates if status != 422]
    rig.check(opened == [201] * len(others), f"{len(opened)} requests for the tickets of {len(others)} others")


def _wait_for_tickets(rig: Rig, office: Office, count: int) -> None:
    rig.wait_until(lambda: len(office.tickets) >= count, PATIENCE_SECONDS, f"not {count} tickets came")


def _ticket_of(office: Office, vm: Scenario) -> Ticket:
    return office.about(vm.subscription)[0]


def field_newly_required_in_one_place(rig: Rig) -> None:
    """New tickets lack a field that is required now: the changes stay due, until the operator sets it and the app starts anew."""
    office = rig.offices[DEFAULT]
    office.required = "team"
    rig.send()
    rig.wait_until(lambda: _refusals(office) >= 2 * len(rig.vms), PATIENCE_SECONDS, "not every alert was tried")
    rig.check(not office.tickets and not rig.stored.unposted(), "a ticket, or a raw alert for one, in spite of the refusal")
    rig.restart({"TICKET_OPTIONS": '{"fields": {"team": "storage"}}'})
    rig.wait_until(lambda: len(office.tickets) == len(rig.vms), 400, "not every runbook went out")
    rig.check(all(ticket.body.startswith("# Backup of") for ticket in office.tickets), "a ticket lacks its runbook")


def three_targets_through_a_crash_an_outage_and_slow_answers(rig: Rig) -> None:
    """The desk, one that goes away, and one that is slow get each change once: opened in crashes, told again in an outage, resolved."""
    down, slow = rig.offices["down"], rig.offices["slow"]
    slow.slowness = rig.between(1, 1, 4)
    rig.send(over=rig.between(2, 2, 10))
    for _ in range(2):
        time.sleep(rig.between(1.5, 1, 5))
        rig.kill(rig.hosts[0])
        rig.hosts[0].start()
    _wait_until_told(rig, "incident.opened", 1)
    rig.office_servers["down"].stop()
    for vm in rig.vms:
        rig.fail_again(vm)
    _wait_until_told(rig, "incident.updated", 2, without="down")
    rig.check(all(len(ticket.changes) == 1 for ticket in down.tickets), "a ticket system that is away was told something")
    rig.office_servers["down"].start()
    _wait_until_told(rig, "incident.updated", 2)
    for vm in rig.vms:
        rig.recover(vm)
    _wait_until_told(rig, "incident.resolved", 3)
    for name, office in rig.offices.items():
        rig.check(len(office.tickets) == len(rig.vms), f"{len(office.tickets)} tickets at {name} for {len(rig.vms)} VMs")
        rig.check(all(ticket.state == "closed" for ticket in office.tickets), f"a ticket is open at {name}")


def _wait_until_told(rig: Rig, event_type: str, changes: int, without: str = "") -> None:
    """Until each VM's ticket has so many changes at each target, the desk among them."""

    def is_told() -> bool:
        at_desk = [event for event in rig.desk.events() if event["type"] == event_type]
        offices = [office for name, office in rig.offices.items() if name != without]
        full = [[ticket for ticket in list(office.tickets) if len(ticket.changes) == changes] for office in offices]
        return {len(at_desk), *map(len, full)} == {len(rig.vms)}

    rig.wait_until(is_told, PATIENCE_SECONDS, f"{event_type} did not come everywhere once")
