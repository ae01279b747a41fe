"""Tickets at several targets at once: who gets what, and what the troubles of one mean for the others. On a virtual clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from copy import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from handlers.model.parts import Part
from handlers.model.refusal import Past
from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.gate import Gate
from handlers.tickets.maintenance import read_maintenance
from handlers.tickets.posting import NO_PAST, Tickets, TicketsByName
from handlers.tickets.routes import read_routes
from sandbox.scenario import Scenario
from tests.memory_storage import MemoryStorage
from tests.stories.test_many_failed import alike
from tests.stories.test_refusals import Desk
from tests.tickets.system import Reply
from tests.tickets.targets.happy import HAPPY, running
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
HOUR = 3600
SLOW_LEASE = timedelta(seconds=90)
LIFE = ["incident.opened", "incident.updated", "incident.resolved"]


class Died(Exception):
    """The process that posted is gone."""


class System:
    """A ticket system that finds what may be there already, and does everything else that it is told: twice, if told twice."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.tries = 0
        self.before: Callable[[], None] = lambda: None
        """What happens before a change is taken, and after: an exception is what the post ends with."""
        self.after: Callable[[], None] = lambda: None

    def post(
        self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST, parts: Sequence[Part] = ()
    ) -> Posted:
        self.tries += 1
        self.before()
        if not may_exist or change_id not in [change for change, _ in self.taken]:
            self.taken.append((change_id, event))
        self.after()
        return Posted(f"{id(self)}-{event['data']['incident']['id'][:6]}")

    @property
    def types(self) -> list[str]:
        return [event["type"] for _, event in self.taken]


class Office(Desk):
    """A workbench with several ticket systems and rules; those that no rule names are there too."""

    def __init__(self, bench: Bench, rules: Sequence[dict[str, Any]], **systems: System) -> None:
        self.bench, self.systems = bench, systems
        self.follow(rules)

    def follow(self, rules: Sequence[dict[str, Any]]) -> None:
        """The operator sets TICKET_ROUTES, and the app starts anew."""
        settings, clock = Settings("https://t.example.com", ticket_routes=tuple(rules)), self.bench.clock
        made = {name: Tickets(system, Gate(clock.seconds), clock, SLOW_LEASE) for name, system in self.systems.items()}
        self.bench.tools = replace(
            self.bench.tools,
            routes=read_routes(settings, {}),
            tickets=made["default"],
            others=TicketsByName({name: partial(made.__getitem__, name) for name in made}),
        )

    def live(self, vm: Scenario) -> None:
        """The VM fails, fails again a day later, and is backed up again."""
        self.fail(vm)
        self.bench.run(seconds=2 * HOUR)
        self.further_failure(vm)
        self.recover(vm, days=2)
        self.bench.run(seconds=2 * HOUR)


def to(*names: str, **when: Any) -> list[dict[str, Any]]:
    """Rules that send everything to some targets at once."""
    system = {"target": "webhook", "url": "https://t.example.com"}
    return [{"when": when, "also": name != names[-1], **({"target": name} if name == "default" else system | {"name": name})}
            for name in names]  # fmt: skip


def office_of(bench_of: BenchOf, vm: Scenario, rules: Sequence[dict[str, Any]], *names: str) -> Office:
    bench = bench_of(scenarios=(vm,), storage=MemoryStorage(), watched=True)
    return Office(bench, rules, **{name: System() for name in ("default", *names)})


def with_tags(**tags: str) -> Scenario:
    (vm,) = alike(1)
    return replace(vm, data={**vm.data, "vm": {**vm.data["vm"], "tags": tags}})


# ---------------------------------------------------------------- three at once


def test_three_targets_get_each_change_once_through_a_crash_an_outage_and_slow_answers(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    office = office_of(bench_of, vm, to("default", "down", "slow"), "down", "slow")
    bench, (default, down, slow) = office.bench, office.systems.values()
    crashes = [False, True, False]

    def die() -> None:
        if crashes.pop(0) if crashes else False:
            raise Died

    def refuse() -> None:
        if bench.clock.ahead % timedelta(hours=1) < timedelta(minutes=40):
            raise TicketNotPosted("TICKET_URL answered 503", status=503, maybe_taken=False)

    def answer_late() -> None:
        """Another instance works meanwhile: the row's own reminder comes."""
        bench.wait(70)

    default.after, down.before, slow.after = die, refuse, answer_late
    office.fail(vm)
    bench.run(seconds=2 * HOUR)
    with pytest.raises(Died):
        office.further_failure(vm)
    bench.run(seconds=2 * HOUR)
    office.recover(vm, days=2)
    bench.run(seconds=2 * HOUR)
    for system in (default, down, slow):
        assert system.types == LIFE
        assert len({change for change, _ in system.taken}) == 3
    assert not office.row.needs_post
    assert bench.waits == []


class Real(System):
    """A system of its file, over HTTP to an imitation of it."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__()
        self.target = HAPPY[name].at(url, name)

    def post(
        self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST, parts: Sequence[Part] = ()
    ) -> Posted:
        self.tries += 1
        self.before()
        posted = self.target.post(event, change_id, may_exist=may_exist, past=past, parts=parts)
        self.taken.append((change_id, event))
        self.after()
        return posted


def test_three_systems_over_http_each_have_one_ticket_that_ends_closed_whatever_breaks(bench_of: BenchOf) -> None:
    """The first loses the answer to the new ticket in a crash, the second refuses for forty minutes of each hour, the third is slow."""
    (vm,) = alike(1)
    with running("redmine") as first, running("github") as second, running("servicenow") as third:
        bench = bench_of(scenarios=(vm,), storage=MemoryStorage(), watched=True)
        systems = {
            "default": Real("redmine", first.url),
            "down": Real("github", second.url),
            "slow": Real("servicenow", third.url),
        }
        office, crashes = Office(bench, to("default", "down", "slow"), **systems), [True]

        def die() -> None:
            if crashes and crashes.pop():
                raise Died

        def refuse() -> None:
            if bench.clock.ahead % timedelta(hours=1) < timedelta(minutes=40):
                second.instead = {len(second.asked): Reply(503, {"message": "unavailable"})}

        def answer_late() -> None:
            bench.wait(70)

        systems["default"].after, systems["down"].before, systems["slow"].after = die, refuse, answer_late
        office.fail(vm)
        with pytest.raises(Died):
            bench.run(seconds=2 * HOUR)
        bench.run(seconds=2 * HOUR)
        office.further_failure(vm)
        bench.run(seconds=2 * HOUR)
        office.recover(vm, days=2)
        bench.run(seconds=2 * HOUR)
        assert [len(one.made) for one in (first, second, third)] == [1, 1, 1]
        assert [one.closed for one in (first, second, third)] == [True, True, True]
        assert systems["down"].types == systems["slow"].types == LIFE
        assert systems["down"].tries > len(LIFE)
        assert not office.row.needs_post


def test_the_outage_of_one_target_delays_no_other_and_costs_no_more_when_the_others_post(bench_of: BenchOf) -> None:
    failing = alike(12)
    bench = bench_of(scenarios=failing, storage=MemoryStorage(), storm_threshold=1000)
    office = Office(bench, to("default", "down"), default=System(), down=System())
    default, down = office.systems.values()

    def refuse() -> None:
        raise TicketNotPosted("TICKET_URL answered 503", status=503, maybe_taken=False)

    down.before = refuse
    for vm in failing:
        office.fail(vm)
        bench.run(seconds=60)
        assert default.types[-1:] == ["incident.opened"]
    sent = bench.queue.sent
    bench.run(seconds=8 * HOUR)
    assert (bench.queue.sent - sent) / len(failing) <= 100, "a message in five minutes, though another system takes tickets"
    assert len(default.taken) == default.tries == len(failing)
    down.before = lambda: None
    bench.run(seconds=600)
    assert len(down.taken) == len(failing)
    assert bench.waits == []


# ---------------------------------------------------------------- who gets what


def test_what_no_rule_matches_goes_to_the_default_target(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    office = office_of(bench_of, vm, to("payments", vault=["rsv-payments-*"]), "payments")
    office.live(vm)
    assert (office.systems["default"].types, office.systems["payments"].types) == (LIFE, [])


def test_a_ticket_stays_where_it_was_opened_when_tags_and_rules_change(bench_of: BenchOf) -> None:
    vm = with_tags(Team="payments")
    office = office_of(bench_of, vm, to("payments", tag={"team": ["pay*"]}), "payments")
    office.fail(vm)
    office.bench.run(seconds=HOUR)
    assert office.systems["payments"].types == ["incident.opened"]
    office.follow([*to("default", kind=["incident"]), *to("payments")])
    office.further_failure(vm)
    office.recover(vm, days=2)
    office.bench.run(seconds=HOUR)
    assert (office.systems["payments"].types, office.systems["default"].types) == (LIFE, [])


def test_a_target_that_is_not_set_up_any_more_is_told_and_its_incident_goes_where_the_rules_say_now(
    bench_of: BenchOf, caplog: pytest.LogCaptureFixture
) -> None:
    (vm,) = alike(1)
    office = office_of(bench_of, vm, to("old"), "old")
    office.fail(vm)
    office.bench.run(seconds=HOUR)
    office.follow([])
    office.further_failure(vm)
    assert (office.systems["old"].types, office.systems["default"].types) == (["incident.opened"], ["incident.opened"])
    assert "has tickets at old, which TICKET_ROUTES does not name" in caplog.text


def test_what_a_rule_drops_is_posted_nowhere_and_said_in_the_log(bench_of: BenchOf, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    vm = with_tags(env="dev")
    office = office_of(bench_of, vm, [{"when": {"tag": {"env": ["dev"]}}, "drop": "nobody restores development"}])
    office.live(vm)
    assert office.systems["default"].taken == []
    assert "why=nobody restores development" in caplog.text
    assert not office.row.needs_post
    assert office.bench.waits == []


def test_a_dropped_incident_is_told_when_a_further_failure_is_not_dropped(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    office = office_of(bench_of, vm, [{"when": {}, "drop": "not yet"}])
    office.fail(vm)
    office.bench.run(seconds=HOUR)
    office.follow([])
    office.further_failure(vm)
    office.recover(vm, days=2)
    office.bench.run(seconds=HOUR)
    assert office.systems["default"].types == ["incident.opened", "incident.resolved"]


# ---------------------------------------------------------------- maintenance


def in_maintenance(bench_of: BenchOf, vm: Scenario, minutes: int) -> Office:
    """A window begins now."""
    office = office_of(bench_of, vm, [])
    window = {"start": office.bench.clock().replace(tzinfo=None).isoformat(), "minutes": minutes}
    settings = Settings("https://t.example.com", maintenance=(window,))
    office.bench.tools = replace(office.bench.tools, maintenance=read_maintenance(settings))
    return office


def test_in_maintenance_nothing_is_posted_and_what_still_fails_is_told_once_afterwards(
    bench_of: BenchOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (vm,) = alike(1)
    office = in_maintenance(bench_of, vm, 2 * 24 * 60)
    office.fail(vm)
    office.bench.run(seconds=HOUR)
    office.further_failure(vm)
    assert office.systems["default"].tries == 0
    assert "ticket waits" not in caplog.text, "nobody need be told that it waits"
    office.bench.run(seconds=24 * HOUR)
    assert office.systems["default"].types == ["incident.opened"]
    assert office.systems["default"].taken[0][1]["data"]["incident"]["failures"] == 2
    assert office.bench.waits == []


def test_what_fails_and_recovers_in_maintenance_is_never_told(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    office = in_maintenance(bench_of, vm, 4 * 24 * 60)
    office.live(vm)
    office.bench.run(seconds=5 * 24 * HOUR)
    assert office.systems["default"].tries == 0
    assert not office.row.needs_post
    assert office.bench.waits == []


def test_a_ticket_from_before_the_maintenance_is_resolved_after_it(bench_of: BenchOf) -> None:
    (vm,) = alike(1)
    office = office_of(bench_of, vm, [])
    office.fail(vm)
    office.bench.run(seconds=HOUR)
    window = {"start": office.bench.clock().replace(tzinfo=None).isoformat(), "minutes": 3 * 24 * 60}
    maintenance = read_maintenance(Settings("https://t.example.com", maintenance=(window,)))
    office.bench.tools = replace(office.bench.tools, maintenance=maintenance)
    office.recover(vm, days=1)
    office.bench.run(seconds=HOUR)
    assert office.systems["default"].types == ["incident.opened"]
    office.bench.run(seconds=4 * 24 * HOUR)
    assert office.systems["default"].types == ["incident.opened", "incident.resolved"]
