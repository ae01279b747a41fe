"""One ticket refuses, or the configuration is wrong: what that costs, what becomes of it, and that nobody else notices. On a virtual clock."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from handlers.sweep import sweep
from handlers.tickets.gate import Gate
from handlers.tickets.posting import Tickets
from sandbox.scenario import Scenario
from tests.memory_storage import MemoryStorage
from tests.stories.test_many_failed import alike
from tests.tickets.office import BLOCKED, CONFLICT, DELETED, LOCKED, MOVED, Office, Ticket, running_office, target_of
from tests.workbench import Bench, Target

BenchOf = Callable[..., Bench]
JOBS = "Microsoft.RecoveryServices/vaults/backupJobs"
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


class WatchedGate(Gate):
    """A gate that counts how often something made it think that the ticket system is down."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.failures = 0

    def failed(self, retry_after: float | None) -> None:
        self.failures += 1
        super().failed(retry_after)


class Desk:
    """A workbench whose ticket system is an office."""

    def __init__(self, bench: Bench, office: Office, options: dict[str, Any]) -> None:
        self.bench, self.office, self.gate = bench, office, WatchedGate(bench.clock.seconds)
        office.now = bench.clock.seconds
        self.configure(**options)

    def configure(self, **options: Any) -> None:
        """The operator sets TICKET_OPTIONS, and the app starts anew."""
        target = target_of(self.office, self.bench.clock, **options)
        self.bench.tools = replace(self.bench.tools, tickets=Tickets(target, self.gate, self.bench.clock))

    def fail(self, vm: Scenario, *, again: int = 0) -> None:
        """The VM's backup fails; `again`: for the so-manieth time, each a day after the other."""
        body = vm.alert_body(self.bench.clock.began)
        if again:
            job = self._job(vm, again, "Failed")
            body = copy.deepcopy(body)
            body["data"]["alertContext"]["extendedInfo"]["jobId"] = job
        self.bench.fire(body)

    def recover(self, vm: Scenario, days: float) -> None:
        """A backup has completed so many days after the failure, and the sweep sees it."""
        self._job(vm, days, "Completed")
        self.bench.clock.ahead = max(self.bench.clock.ahead, timedelta(days=days, hours=1))
        sweep(self.bench.tools, settled=timedelta(0))
        self.bench.work()

    def _job(self, vm: Scenario, days: float, status: str) -> str:
        world = self.bench.azure.azure.worlds[vm.subscription]
        failed = next(body for body in world.of_type(JOBS) if body["name"] == world.job["id"])
        at = self.bench.clock.began + timedelta(days=days)
        times = {"startTime": at.isoformat(), "endTime": (at + timedelta(minutes=10)).isoformat()}
        kept = {name: value for name, value in failed["properties"].items() if status == "Failed" or name != "errorDetails"}
        name = str(world.guid(f"job/{status}/{days}"))
        world._add(f"{world.vault_id}/backupJobs/{name}", failed["type"], kept | times | {"status": status})
        return name

    def further_failure(self, vm: Scenario) -> None:
        """It fails a day later, too, and an hour passes."""
        self.bench.clock.ahead += timedelta(days=1)
        self.fail(vm, again=round(self.bench.clock.ahead / timedelta(days=1)))
        self.bench.run(seconds=HOUR)

    @property
    def row(self) -> Any:
        return next(self.bench.tools.incidents.between(" ", "~"))


@contextmanager
def desk_with(bench_of: BenchOf, failing: tuple[Scenario, ...], **options: Any) -> Iterator[Desk]:
    with running_office() as office:
        bench = bench_of(scenarios=failing, storage=MemoryStorage(), target=Target(), storm_threshold=1000, watched=True)
        yield Desk(bench, office, options)


@contextmanager
def desk_with_a_ticket(bench_of: BenchOf, **options: Any) -> Iterator[tuple[Desk, Scenario, Ticket]]:
    """One VM has failed, and has a ticket."""
    (vm,) = alike(1)
    with desk_with(bench_of, (vm,), **options) as desk:
        desk.fail(vm)
        desk.bench.work()
        (ticket,) = desk.office.tickets
        yield desk, vm, ticket


# ---------------------------------------------------------------- nobody else notices


def arrivals(bench_of: BenchOf, trouble: str, count: int = 30) -> tuple[dict[str, float], Desk]:
    """When the tickets of others were opened, in seconds after their failure, while one ticket is in trouble."""
    troubled, *others = alike(1 + count)
    with desk_with(bench_of, (troubled, *others)) as desk:
        desk.fail(troubled)
        desk.bench.work()
        desk.office.tickets[0].trouble = trouble
        desk.bench.clock.ahead += timedelta(days=1)
        desk.fail(troubled, again=1)
        desk.bench.work()
        began = desk.bench.clock.seconds()
        for vm in others:
            desk.fail(vm)
            desk.bench.run(seconds=2)
        desk.bench.run(seconds=2 * HOUR)
        first = desk.office.tickets[0].key
        return {key: at - began for at, key, _ in desk.office.creates if key != first}, desk


def test_thirty_others_get_their_tickets_as_in_good_weather_while_one_ticket_refuses(bench_of: BenchOf) -> None:
    calm, _ = arrivals(bench_of, "")
    for trouble, count in ((LOCKED, 30), (MOVED, 5), (DELETED, 5)):
        seen, desk = arrivals(bench_of, trouble, count)
        assert len(seen) == count
        usual_times = sorted(calm.values())[:count]
        assert max(late - usual for late, usual in zip(sorted(seen.values()), usual_times, strict=True)) <= 5
        assert desk.gate.failures == 0, "the gate never closed"
        assert len(desk.office.creates) == count + 2, "each is opened once, and one successor"
        assert [ticket.asked for ticket in desk.office.tickets[1:]] == [[]] * (count + 1), "no other is tried a second time"


# ---------------------------------------------------------------- a further failure


@pytest.mark.parametrize("trouble", [MOVED, LOCKED])
def test_a_ticket_that_cannot_be_changed_gets_a_successor_that_names_it(bench_of: BenchOf, trouble: str) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.trouble = trouble
        desk.further_failure(vm)
        _, successor = desk.office.tickets
        assert "This ticket continues ticket `1`" in successor.body
        refused = [at for at, _, status in ticket.asked if status != 200]
        assert [round(after - before) for before, after in pairwise(refused)] == [MINUTE, 10 * MINUTE]
        desk.further_failure(vm)
        assert len(desk.office.tickets) == 2
        assert len(successor.notes) == 1, "what follows is told there"
        assert len([status for _, _, status in ticket.asked if status != 200]) == 3


def test_a_deleted_ticket_gets_a_successor_at_once(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.trouble = DELETED
        desk.further_failure(vm)
        assert len(desk.office.tickets) == 2
        assert [what for _, what, _ in ticket.asked] == ["GET"]


def test_somebody_elses_edit_at_the_same_moment_is_over_a_minute_later(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.trouble = CONFLICT
        desk.recover(vm, 1)
        assert ticket.state == "open"
        ticket.trouble = ""
        desk.bench.run(seconds=2 * MINUTE)
        assert ticket.state == "closed"
        assert len(ticket.notes) == 1, "the note is not said twice"
        assert desk.bench.waits == []


# ---------------------------------------------------------------- a recovery


@pytest.mark.parametrize("trouble", [BLOCKED, LOCKED, MOVED])
def test_a_recovery_that_cannot_close_is_tried_for_a_week_and_ends_with_a_line_in_the_log(
    bench_of: BenchOf, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.trouble = trouble
        desk.recover(vm, 1)
        desk.bench.run(seconds=9 * DAY)
        assert (ticket.state, len(desk.office.tickets)) == ("open", 1), "no other ticket, and none for the app's operators"
        tries = [at for at, what, _ in ticket.asked if what == "GET"]
        assert 10 <= len(tries) <= 14, "a few on the first day, then one a day"
        assert max(after - before for before, after in pairwise(tries)) == DAY
        assert "was refused for a week and is given up" in caplog.text
        assert desk.bench.waits == []
        assert not desk.row.needs_post


def test_a_ticket_that_something_blocks_is_told_so_once_and_closed_when_nothing_does_any_more(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.trouble = BLOCKED
        desk.recover(vm, 1)
        desk.bench.run(seconds=3 * DAY)
        good, blocked = ticket.notes
        assert "A backup has completed since the failure" in good
        assert "could not be closed: `TICKET_URL answered 422:" in blocked
        assert "it is blocked" in blocked
        ticket.trouble = ""
        desk.bench.run(seconds=DAY)
        assert (ticket.state, len(ticket.notes)) == ("closed", 2)


def test_a_failure_after_a_recovery_that_cannot_close_is_told_at_once(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.trouble = BLOCKED
        desk.recover(vm, 1)
        desk.bench.run(seconds=HOUR)
        notes = len(ticket.notes)
        desk.further_failure(vm)
        assert len(ticket.notes) == notes + 1
        assert desk.row.delivery.ticket.status == "open"


# ---------------------------------------------------------------- closed by a person


def test_a_further_failure_opens_a_ticket_that_a_person_closed_again(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.state = "closed"
        desk.further_failure(vm)
        assert (ticket.state, len(ticket.notes), len(desk.office.tickets)) == ("open", 1, 1)


def test_or_it_is_silent_until_the_next_good_backup(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of) as (desk, vm, ticket):
        ticket.state, ticket.why = "closed", "wontfix"
        desk.further_failure(vm)
        desk.further_failure(vm)
        assert (ticket.state, ticket.notes) == ("closed", [])
        days = desk.bench.clock.ahead / timedelta(days=1)
        desk.recover(vm, days)
        assert (ticket.state, ticket.notes) == ("closed", [])
        desk.bench.clock.ahead += timedelta(hours=20)
        desk.fail(vm, again=round(days + 1))
        desk.bench.run(seconds=HOUR)
        assert (ticket.state, len(ticket.notes)) == ("open", 1)


def test_or_another_ticket_follows(bench_of: BenchOf) -> None:
    with desk_with_a_ticket(bench_of, on_closed="new") as (desk, vm, ticket):
        ticket.state = "closed"
        desk.further_failure(vm)
        assert (ticket.state, ticket.notes) == ("closed", [])
        assert "This ticket continues ticket `1`" in desk.office.tickets[1].body


# ---------------------------------------------------------------- the configuration


def test_a_field_that_is_newly_required_burns_no_runbook(bench_of: BenchOf, caplog: pytest.LogCaptureFixture) -> None:
    failing = alike(3)
    with desk_with(bench_of, failing) as desk:
        desk.office.required = "team"
        for vm in failing:
            desk.fail(vm)
        desk.bench.run(seconds=DAY)
        assert desk.office.tickets == []
        assert list(desk.bench.queue.unposted()) == [], "no raw alert is kept for a ticket of its own"
        assert "waits until the configuration is put right" in caplog.text
        assert "team is required" in caplog.text, "the operators' alert names the field"
        assert len(desk.office.creates) <= 3 * 2 * (24 + 5), "twice an hour and incident"
        desk.configure(fields={"team": "storage"})
        desk.bench.run(seconds=HOUR)
        assert [ticket.body.startswith("# Backup of") for ticket in desk.office.tickets] == [True] * 3
        assert desk.gate.failures == 0
        assert desk.bench.waits == []


def test_the_runbook_is_that_of_the_newest_version_when_it_is_taken_at_last(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    with desk_with(bench_of, (vm,)) as desk:
        desk.office.required = "team"
        desk.fail(vm)
        desk.bench.work()
        desk.further_failure(vm)
        desk.configure(fields={"team": "storage"})
        desk.bench.run(seconds=HOUR)
        (ticket,) = desk.office.tickets
        assert "2" in ticket.body
        assert desk.row.delivery.ticket.shown == desk.row.delivery.version == 2


def test_a_field_that_is_optional_is_left_out_and_the_runbook_stands_there_at_once(
    bench_of: BenchOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (vm,) = alike(1)
    with desk_with(bench_of, (vm,), fields={"team": "storage"}) as desk:
        desk.office.unknown = "team"
        desk.fail(vm)
        desk.bench.work()
        (ticket,) = desk.office.tickets
        assert ticket.body.startswith("# Backup of")
        assert [status for _, _, status in desk.office.creates] == [422, 201]
        assert "opens without team" in caplog.text


# ---------------------------------------------------------------- a lost answer


@pytest.mark.parametrize(("indexed_after", "tickets"), [(0, 1), (20, 1)])
def test_a_ticket_whose_answer_was_lost_is_looked_for_twice(bench_of: BenchOf, indexed_after: float, tickets: int) -> None:
    (vm,) = alike(1)
    with desk_with(bench_of, (vm,)) as desk:
        desk.office.lose_answers, desk.office.indexed_after = 1, indexed_after
        desk.fail(vm)
        desk.bench.run(seconds=HOUR)
        assert len(desk.office.tickets) == tickets
        assert len(desk.office.searches) == (2 if indexed_after else 1)
        assert desk.row.delivery.ticket.ticket_id == "1"


def test_one_that_was_never_taken_is_opened_after_the_second_search(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    with desk_with(bench_of, (vm,)) as desk:
        desk.office.lose_answers, desk.office.indexed_after = 1, 10 * DAY
        desk.fail(vm)
        desk.bench.run(seconds=HOUR)
        assert (len(desk.office.searches), len(desk.office.creates)) == (2, 2)
