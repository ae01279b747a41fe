"""The whole app as processes before real ticketing systems, through a proxy that holds back or loses what they answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bench.faults.office import BLOCKED, DELETED, MOVED
from bench.faults.rig import Needs, Plan, Rig, running_rig
from bench.faults.stored import is_due, ticket_of
from sandbox.scenario import Scenario
from tests.tickets.real import CLOSED, Real, each_real_system

type Running = Callable[[Path], AbstractContextManager[Real]]
PATIENCE_SECONDS = 400
"""Against hangs: RT makes two tickets a second, on a machine that does little else."""
SLOW_SECONDS = 40
"""Longer than the app waits for any answer but that to a new ticket (30)."""
pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]


@contextmanager
def app_before(real: Real, vms: int) -> Iterator[Rig]:
    with running_rig(Plan(), Needs(vms=vms, settings=real.settings())) as rig:
        yield rig


def wait_until_all_is_shown(rig: Rig) -> None:
    """Until each VM that failed has its ticket, and nothing is left to post."""

    def is_shown() -> bool:
        rows = rig.stored.rows("incident")
        return len(rows) == len(rig.vms) and all(ticket_of(row).get("ticket_id") for row in rows) and not any(map(is_due, rows))

    rig.wait_until(is_shown, PATIENCE_SECONDS, "not every ticket came")
    assert rig.problems == []


def tickets_of_all(rig: Rig, real: Real) -> list[list[str]]:
    """The tickets of each incident, as the system itself finds them, and as the app knows them."""
    rows = rig.stored.rows("incident")
    assert [[ticket_of(row)["ticket_id"]] for row in rows] == [real.tickets(row["id"]) for row in rows]
    return [real.tickets(row["id"]) for row in rows]


@pytest.mark.slow
@each_real_system
def test_a_new_ticket_whose_answer_takes_40_seconds_is_there_once_and_delays_no_other(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as real, app_before(real, vms=4) as rig:
        slow, *others = rig.vms
        held, began = real.proxy.hold(real.create, seconds=SLOW_SECONDS), time.monotonic()
        rig.send([slow])
        assert held.taken.wait(PATIENCE_SECONDS)
        rig.send(others)
        wait_until_all_is_shown(rig)
        print(f"\nall tickets are known {time.monotonic() - began:.0f} s after the first alert")
        assert all(len(tickets) == 1 for tickets in tickets_of_all(rig, real))
        assert real.proxy.count(f"{real.create} 20[01]") == len(rig.vms), "nobody asks for it a second time"


@each_real_system
def test_a_new_ticket_whose_answer_is_lost_is_there_once(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as real, app_before(real, vms=3) as rig:
        held = real.proxy.hold(real.create, lost=True)
        rig.send()
        wait_until_all_is_shown(rig)
        assert held.taken.is_set()
        assert all(len(tickets) == 1 for tickets in tickets_of_all(rig, real))
        assert real.proxy.count(f"{real.create} 20[01]") == len(rig.vms), "it is found by its key"


@each_real_system
def test_what_a_person_did_to_single_tickets_holds_up_no_other(running: Running, tmp_path: Path) -> None:
    """One is moved, one deleted, one closed, one blocked by another; each fails again, but the blocked one, which recovers."""
    with running(tmp_path) as real, app_before(real, vms=len(real.deeds) + 6) as rig:
        touched, others = dict(zip(real.deeds, rig.vms, strict=False)), rig.vms[len(real.deeds) :]
        rig.send(list(touched.values()))
        rig.wait_until(lambda: len(numbers(rig)) == len(touched), PATIENCE_SECONDS, "not every ticket came")
        tickets = {deed: numbers(rig)[vm.subscription] for deed, vm in touched.items()}
        for deed, vm in touched.items():
            real.deeds[deed](tickets[deed])
            rig.recover(vm) if deed == BLOCKED else rig.fail_again(vm)
        rig.wait_until(lambda: has_struck(rig, touched, tickets, real), PATIENCE_SECONDS, "the deeds did not strike")
        opened = real.proxy.count(f"{real.create} 20[01]")
        rig.send(others)
        rig.wait_until(lambda: len(numbers(rig)) == len(rig.vms), PATIENCE_SECONDS, "the others wait")
        assert rig.problems == []
        assert real.proxy.count(f"{real.create} 20[01]") == opened + len(others), "each is opened by one request"
        assert numbers(rig)[touched[CLOSED].subscription] == tickets[CLOSED], "what was opened again needs no successor"


def numbers(rig: Rig) -> dict[str, str]:
    """The number of each incident's ticket as the app knows it, by subscription."""
    rows = {row["vm_id"].split("/")[2]: ticket_of(row).get("ticket_id", "") for row in rig.stored.rows("incident")}
    return {subscription: number for subscription, number in rows.items() if number}


def has_struck(rig: Rig, touched: Mapping[str, Scenario], tickets: Mapping[str, str], real: Real) -> bool:
    """The deleted one has a successor, the closed one is open again, and those that refuse have done so."""
    refusals = [ticket_of(row).get("refusals", 0) for row in rig.stored.rows("incident")]
    followed = numbers(rig)[touched[DELETED].subscription] != tickets[DELETED]
    return (
        followed
        and real.is_open(tickets[CLOSED])
        and len([one for one in refusals if one]) == len({MOVED, BLOCKED} & touched.keys())
    )
