"""The whole app as processes before real ticketing systems, through a proxy that holds back or loses what they answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bench.faults.rig import Needs, Plan, Rig, running_rig
from bench.faults.stored import is_due, ticket_of
from tests.tickets.real import Real, each_real_system

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
        assert real.proxy.count(real.create) == len(rig.vms), "nobody asks for it a second time"


@each_real_system
def test_a_new_ticket_whose_answer_is_lost_is_there_once(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as real, app_before(real, vms=3) as rig:
        held = real.proxy.hold(real.create, lost=True)
        rig.send()
        wait_until_all_is_shown(rig)
        assert held.taken.is_set()
        assert all(len(tickets) == 1 for tickets in tickets_of_all(rig, real))
        assert real.proxy.count(real.create) == len(rig.vms), "it is found by its key"
