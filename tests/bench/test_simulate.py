"""`make simulate`: cases that can be counted by hand, and what must hold of every night."""

from __future__ import annotations

import re
from collections import defaultdict
from copy import replace
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest

from bench.simulate.buckets import Bucket, Window, Workers
from bench.simulate.costs import Cost, Costs, costs_of, measured_costs
from bench.simulate.grid import figures_of, points
from bench.simulate.limits import Limits, Prices
from bench.simulate.measure import derived, runs
from bench.simulate.model import Play, play
from bench.simulate.night import BAD, BUSY, ORDINARY, Estate, Failure, Night, failures_of
from bench.simulate.outcome import INSTANCES, QUERIES, READS, ROWS, TICKETS, Outcome, Setup
from bench.simulate.page import PAGE, grid_table, outcome_of, part_in, quick_parts, with_parts
from bench.simulate.real import Asked, Played, Spent, storage_calls
from handlers.records.storms import AT_ONCE, HELD_SECONDS

NOTHING = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
FREE = Costs(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
PROMPT = Limits(storage_seconds=0, read_seconds=0, post_seconds=0, poll=0, tickets_rate=1e6)
"""Where nothing takes time, what is left can be counted by hand."""
TOLERANCE = 1.02
"""More of something reorders what waits."""


def at_once(count: int, *, key: int = 0, at: float = 0.0) -> list[Failure]:
    return [Failure(at, number, 0, key, 0) for number in range(count)]


def apart(count: int) -> list[Failure]:
    """Each of another region and code, so that each is told alone."""
    return [Failure(0.0, number, 0, number, 0) for number in range(count)]


def played(failures: list[Failure], costs: Costs = FREE, **changed: object) -> Outcome:
    setup = Setup(Estate(1_000), instances=1, limits=PROMPT)
    return play(failures, replace(setup, **changed), costs)  # type: ignore[arg-type]


def night(items: int = 20_000, subscriptions: int = 4, which: Night = BAD, seed: int = 1) -> list[Failure]:
    return failures_of(Estate(items, subscriptions), which, seed)


# ---------------------------------------------------------------- buckets


def test_a_bucket_lets_its_burst_pass_at_once_and_then_one_after_the_other() -> None:
    bucket = Bucket(burst=3, rate=2)
    assert [bucket.take(1, 0.0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]


def test_a_bucket_is_full_again_after_a_pause() -> None:
    bucket = Bucket(burst=2, rate=1)
    bucket.take(2, 0.0)
    assert bucket.take(2, 10.0) == 10.0
    assert bucket.take(1, 10.0) == 11.0


def test_a_bucket_says_how_many_pass_in_time() -> None:
    bucket = Bucket(burst=200, rate=20)
    assert bucket.within(8, 0.0) == pytest.approx(360)
    bucket.take(360, 0.0)
    assert bucket.within(8, 0.0) == pytest.approx(0)


def test_a_window_lets_its_number_pass_and_the_others_in_the_next_ones() -> None:
    window = Window(most=2, seconds=5)
    assert [window.take(1, at) for at in (1.0, 2.0, 2.0, 2.0, 2.0)] == [1.0, 2.0, 6.0, 6.0, 11.0]


def test_a_window_that_is_taken_up_for_longer_lets_nobody_pass_in_time() -> None:
    window = Window(most=2, seconds=5)
    assert window.within(8, 0.0) == 4
    window.take(7, 0.0)
    assert window.within(8, 0.0) == 0
    assert window.within(20, 0.0) == 1 + 2


def test_two_workers_do_three_things_in_the_time_of_two() -> None:
    workers = Workers(2)
    assert [workers.work(1.0, 0.0) for _ in range(3)] == [1.0, 1.0, 2.0]


# ---------------------------------------------------------------- small nights, counted by hand


def test_three_alike_are_told_at_once_and_the_fourth_after_the_hold() -> None:
    outcome = played(at_once(AT_ONCE + 1))
    assert outcome.told_at == [0, 0, 0, HELD_SECONDS]
    assert (outcome.alone, outcome.storms) == (4, 0)


def test_more_alike_than_the_threshold_are_one_storm_whose_ticket_goes_out_after_ten_seconds() -> None:
    outcome = played(at_once(6), threshold=5)
    assert outcome.told_at == [0, 0, 0, 10, 10, 10], "those that were held are taken in"
    assert (outcome.alone, outcome.storms) == (3, 1)


def test_failures_of_other_regions_are_no_storm() -> None:
    outcome = played(at_once(5, key=1) + at_once(5, key=2), threshold=5)
    assert outcome.storms == 0


def test_ten_that_need_a_second_of_a_processor_each_are_told_after_ten_seconds() -> None:
    outcome = played(apart(10), replace(FREE, alone=replace(NOTHING, cpu=1.0)))
    assert max(outcome.told_at) == 10.0
    assert outcome.binds == INSTANCES


def test_a_slow_ticket_system_is_what_binds() -> None:
    outcome = played(apart(12), limits=replace(PROMPT, tickets_rate=0.5))
    assert max(outcome.told_at) == 22.0
    assert outcome.binds == TICKETS


def test_reads_beyond_what_passes_in_eight_seconds_are_made_later() -> None:
    """200 at once and 20 a second: 360 in eight seconds. The thirty-seventh of those that read ten goes without."""
    costs = replace(FREE, alone=replace(NOTHING, reads=10))
    outcome = played(apart(40), costs, limits=replace(PROMPT, at_once=40))
    assert outcome.unread == 4
    assert max(outcome.told_at) == pytest.approx(8.0)
    assert outcome.reads == pytest.approx(400)
    assert outcome.never_read == 0
    assert outcome.binds == READS


def test_queries_are_counted_for_all_subscriptions_together() -> None:
    costs = replace(FREE, alone=replace(NOTHING, queries=1))
    failures = [Failure(0.0, number, number, number, 0) for number in range(20)]
    outcome = played(failures, costs, limits=replace(PROMPT, at_once=20))
    assert outcome.unread == 4, "four at once and 1.6 a second: 16 in eight seconds"
    assert outcome.given_up[QUERIES] == pytest.approx(20 - 16.8, abs=1)


def test_one_partition_takes_its_rows_one_after_the_other() -> None:
    costs = replace(FREE, alone=replace(NOTHING, rows=100))
    outcome = played(apart(60), costs, limits=replace(PROMPT, at_once=60))
    assert max(outcome.told_at) == pytest.approx(2.0), "2,000 at once, then 2,000 a second: 6,000 rows"
    assert outcome.waits[ROWS] == pytest.approx(sum(outcome.waits.values()))


def test_a_night_costs_what_the_list_says() -> None:
    prices = Prices(gb_second=0.5, memory_gb=2, million_executions=1e6, table_10k=1e4, queue_10k=2e4, blob_write_10k=3e4)
    assert prices.of(3, 4, 5, 6, 7) == pytest.approx(3 * 2 * 0.5 + 4 + 5 + 12 + 21)


def test_an_idle_host_finds_a_message_after_half_the_polling_interval() -> None:
    outcome = played([Failure(0.0, 0, 0, 0, 0), Failure(100.0, 1, 0, 1, 0)], limits=replace(PROMPT, poll=Limits.poll))
    assert outcome.told_at == [2.5, 102.5], "host.json: maxPollingInterval 00:00:05"


# ---------------------------------------------------------------- what holds of every night

SETUPS = [
    (items, subscriptions, instances, which)
    for items, subscriptions in ((1_000, 1), (20_000, 4))
    for instances in (1, 8)
    for which in (ORDINARY, BUSY, BAD)
]


@pytest.mark.parametrize(("items", "subscriptions", "instances", "which"), SETUPS)
def test_no_failure_is_without_a_ticket(items: int, subscriptions: int, instances: int, which: Night) -> None:
    failures = night(items, subscriptions, which)
    outcome = play(failures, Setup(Estate(items, subscriptions), instances), measured_costs())
    assert outcome.lost == 0
    assert all(told >= failure.at for told, failure in zip(outcome.told_at, failures, strict=True))
    assert outcome.posts >= outcome.alone + outcome.storms


def test_the_same_seed_gives_the_same_night_and_another_seed_another() -> None:
    setup = Setup(Estate(20_000, 4), 8)
    first, again, other = (play(night(seed=seed), setup, measured_costs()) for seed in (1, 1, 2))
    assert first == again
    assert first.told_at != other.told_at


def test_twice_the_instances_need_half_the_time_where_nothing_else_binds() -> None:
    """Forty alerts of a second's work, each instance with ten at a time."""
    costs, limits = replace(FREE, alone=replace(NOTHING, cpu=1.0)), replace(PROMPT, at_once=10)
    last = [max(played(apart(40), costs, limits=limits, instances=count, started=count).told_at) for count in (1, 2, 4)]
    assert last == [40.0, 20.0, 10.0]


def test_more_instances_are_never_slower() -> None:
    """On average, and for 99 in 100. One ticket may wait for its eight seconds: the background passes of more instances ask more
    questions at the same time, and all have one quota."""
    failures = night(60_000)
    late = [play(failures, Setup(Estate(60_000, 4), instances), measured_costs()).late() for instances in (1, 2, 8)]
    for fewer, more in pairwise(late):
        assert sum(more) <= TOLERANCE * sum(fewer)
        assert more[len(more) * 99 // 100] <= TOLERANCE * fewer[len(fewer) * 99 // 100]
        assert more[-1] <= fewer[-1] + Limits.longest_wait


def test_twice_the_subscriptions_are_never_worse() -> None:
    """One subscription's reads bind where nothing is a storm; the more there are, the fewer facts come late."""
    unread = []
    for subscriptions in (1, 2, 4):
        limits = Limits(azures_queries=1e6, queries_burst=1e6)
        setup = Setup(Estate(60_000, subscriptions), 8, threshold=100_000, limits=limits)
        unread.append(play(night(60_000, subscriptions), setup, measured_costs()).unread)
    assert unread == sorted(unread, reverse=True)
    assert unread[0] > unread[-1]


class Watched(Bucket):
    """A bucket that writes down what passes when."""

    def __init__(self, burst: float, rate: float) -> None:
        super().__init__(burst, rate)
        self.passed: list[tuple[float, float]] = []

    def take(self, count: float, now: float) -> float:
        at = super().take(count, now)
        self.passed.append((at, count))
        return at


class WatchedWindow(Window):
    def __init__(self, most: float, seconds: float) -> None:
        super().__init__(most, seconds)
        self.windows: dict[float, float] = defaultdict(float)

    def take(self, count: float, now: float) -> float:
        at = super().take(count, now)
        self.windows[self.began] = self.used
        return at


def test_no_limit_is_exceeded_in_any_window() -> None:
    """By what the buckets let pass: in any ten seconds no more than a burst and ten seconds' refill, for posts and rows; 15 queries in five."""
    limits = replace(Limits(), tickets_rate=0.5)
    run = Play(night(20_000), Setup(Estate(20_000, 4), 8, threshold=40, limits=limits), measured_costs())
    tickets, rows = Watched(1, 0.5), Watched(limits.partition_rate, limits.partition_rate)
    graph = WatchedWindow(limits.azures_queries - limits.queries_left_to_others, limits.azures_queries_seconds)
    run.allowed.tickets, run.allowed.partition, run.allowed.graph = tickets, rows, graph
    run.run()
    for bucket in (tickets, rows):
        largest = max(count for _, count in bucket.passed)
        for begin, _ in bucket.passed[::50]:
            within = sum(count for at, count in bucket.passed if begin <= at < begin + 10)
            assert within <= bucket.burst + 10 * bucket.rate + largest
    assert max(graph.windows.values()) <= limits.azures_queries


# ---------------------------------------------------------------- costs and page


def spent(**named: float) -> Spent:
    return Spent(**{"host_cpu": 0, "storage_cpu": 0, "azure_cpu": 0, "reads": 0, "queries": 0, "calls": {}, "posts": 0} | named)  # type: ignore[arg-type]


def run_of(alerts: int, own: int, storms: int, attached: Spent, quiet: Spent) -> Played:
    return Played(Asked(alerts), attached, quiet, 0, 0, own, storms, rows_an_incident=3)


def test_costs_are_the_difference_of_two_runs_and_the_rest() -> None:
    """Alone 2 s each; a member 1 s; a storm 5 s besides. Afterwards a member 0.5 s, a storm 4 s and 30 reads."""
    alone = run_of(10, 10, 0, spent(host_cpu=20, posts=10), spent(host_cpu=20, posts=10))
    small = run_of(13, 3, 1, spent(host_cpu=6 + 10 + 5), spent(host_cpu=6 + 10 + 5 + 5 + 4, reads=20))
    large = run_of(23, 3, 1, spent(host_cpu=6 + 20 + 5), spent(host_cpu=6 + 20 + 5 + 10 + 4, reads=30))
    costs = derived(alone, small, large)
    assert {kind: cost.cpu for kind, cost in costs.items()} == {
        "alone": 2, "member": 1, "storm": 5, "looked_at": pytest.approx(0.5), "background": pytest.approx(4),
    }  # fmt: skip
    assert (costs["looked_at"].reads, costs["background"].reads) == (0, 30)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("POST /devstoreaccount1/alerts/messages?visibilitytimeout=45", "queue put"),
        ("DELETE /devstoreaccount1/alerts/messages/1?popreceipt=2", "queue delete"),
        ("GET /devstoreaccount1/alerts-poison/messages?numofmessages=1", "own"),
        ("POST /devstoreaccount1/$batch", "row batch"),
        ("GET /devstoreaccount1/incidents(PartitionKey='incident',RowKey='a')", "row read"),
        ("PATCH /devstoreaccount1/incidents(PartitionKey='opened-2026-11-26',RowKey='a')", "opened write"),
        ("GET /devstoreaccount1/incidents()?$filter=PartitionKey%20eq%20'opened-1'%20and%20RowKey%20ge%20'a'", "opened list"),
        ("GET /devstoreaccount1/incidents()?$filter=PartitionKey%20eq%20'incident'%20and%20RowKey%20gt%20'a'", "row list"),
        ("GET /devstoreaccount1/incidents()?$filter=PartitionKey%20eq%20'incident'&$select=RowKey", "own"),
        ("PUT /devstoreaccount1/incidents/a/1", "blob write"),
    ],
)
def test_calls_of_the_access_log_are_told_apart(line: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f'127.0.0.1 - - [26/Nov/2026] "{line} HTTP/1.1" 200 -\n', encoding="utf-8")
    assert storage_calls(tmp_path / "log") == {kind: 1}


@pytest.mark.parametrize("name", ["costs", "bounds", "compared"])
def test_the_page_says_what_was_measured_and_how_far_the_simulation_is_from_it(name: str) -> None:
    assert part_in(PAGE.read_text(encoding="utf-8"), name) == quick_parts()[name], "run `make simulate`"


def test_the_costs_are_those_of_the_runs_that_are_kept() -> None:
    costs = asdict(costs_of({kind: asdict(cost) for kind, cost in derived(*runs()[:3]).items()}))
    assert asdict(measured_costs()) == {kind: pytest.approx(cost, abs=1e-4) for kind, cost in costs.items()}


@pytest.mark.parametrize("which", [ORDINARY, BUSY, BAD], ids=lambda which: which.name)
@pytest.mark.parametrize("items", [1_000, 10_000])
def test_the_pages_tables_say_what_the_simulation_gives(items: int, which: Night) -> None:
    shown = part_in(PAGE.read_text(encoding="utf-8"), which.name).splitlines()
    ours = [
        figures_of(setup, night, measured_costs()) for night, setup in points() if (night, setup.estate.items) == (which, items)
    ]
    expected = grid_table(which.name, ours).splitlines()[2:]
    assert [line for line in shown if line.startswith(f"| {items:,} |")] == expected, "run `make simulate`"


@pytest.mark.parametrize(
    ("items", "subscriptions", "instances", "which"),
    [(100_000, 20, 1, BAD), (100_000, 2_000, 40, BAD), (100_000, 1, 40, BUSY), (1_000_000, 2_000, 40, BUSY)],
)
def test_the_pages_larger_rows_say_what_the_simulation_gives(
    items: int, subscriptions: int, instances: int, which: Night
) -> None:
    figures = figures_of(Setup(Estate(items, subscriptions), instances), which, measured_costs())
    shown = part_in(PAGE.read_text(encoding="utf-8"), which.name).splitlines()
    cells = " | ".join(outcome_of(figures))
    assert any(line.startswith(f"| {items:,} |") and line.endswith(f"| {cells} |") for line in shown), "run `make simulate`"


def test_parts_of_a_page_are_written_anew_and_the_rest_stays() -> None:
    page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert with_parts(page, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    assert part_in(page, "x") == "old"


def test_every_plot_is_shown() -> None:
    shown = set(re.findall(r"images/(scale-\w+\.svg)", PAGE.read_text(encoding="utf-8")))
    assert shown == {path.name for path in (PAGE.parent / "images").glob("scale-*.svg")}
