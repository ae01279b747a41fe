"""The generated parts of docs/scale.md, as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from pathlib import Path

from bench.simulate.compared import Line, compare
from bench.simulate.costs import COSTS, KINDS, Costs, measured_costs
from bench.simulate.grid import NIGHTS, Figures, figures_of, grid
from bench.simulate.limits import Limits
from bench.simulate.night import BUSY, Estate
from bench.simulate.outcome import ACCOUNT, INSTANCES, QUERIES, QUEUE, READS, ROWS, TICKETS, Setup

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
NAMES = {
    "": "nothing", READS: "reads of a subscription", QUERIES: "Resource Graph's quota", ROWS: "the table's partition", ACCOUNT: "the storage account",
    QUEUE: "the queue", TICKETS: "the ticket system", INSTANCES: "instances",
}  # fmt: skip
UNITS = {"cpu": "processor, ms", "reads": "reads", "queries": "queries", "rows": "rows", "messages": "queue operations",
         "blobs": "documents written", "posts": "posts"}  # fmt: skip
KIND_NAMES = {
    "alone": "an alert with a ticket of its own", "member": "a storm's member", "storm": "a storm besides its members",
    "looked_at": "a member afterwards, in the background", "background": "a storm afterwards, in the background",
}  # fmt: skip


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# ---------------------------------------------------------------- what one costs, and how many each bound lets pass


def costs_table(costs: Costs) -> str:
    return table(("", *UNITS.values()), ([KIND_NAMES[kind], *_costs_of(costs, kind)] for kind in KINDS))


def _costs_of(costs: Costs, kind: str) -> Iterator[str]:
    for name in UNITS:
        value = getattr(getattr(costs, kind), name) * (1000 if name == "cpu" else 1)
        yield f"{value:.0f}" if value >= 20 else f"{value:.1f}"


def most_a_second(costs: Costs, limits: Limits, instances: int) -> list[tuple[str, float, float, str]]:
    """The bound, how many alerts a second it lets pass that have a ticket of their own, how many members, and what moves it."""
    alone, member = costs.alone, costs.member
    queries = (limits.azures_queries - limits.queries_left_to_others) / limits.azures_queries_seconds
    return [
        (NAMES[QUERIES] + ", in all", min(queries, limits.queries_rate * instances) / alone.queries, 0.0,
         "another identity (a deployment of its own for each part of the estate); `STORM_THRESHOLD`"),
        (NAMES[READS] + ", for each", min(limits.azures_reads_rate, limits.reads_rate * instances) / alone.reads, 0.0,
         "more subscriptions; `STORM_THRESHOLD`"),
        (NAMES[TICKETS], limits.tickets_rate / alone.posts, 0.0, "`TICKET_ROUTES` to another system; `STORM_THRESHOLD`"),
        (f"the processors of {instances} instances", instances / alone.cpu, instances / member.cpu, "`MAXIMUM_INSTANCE_COUNT`"),
        (NAMES[ROWS], limits.partition_rate / alone.rows, limits.partition_rate / member.rows, "nothing: another deployment"),
        (NAMES[ACCOUNT], limits.account_rate / alone.calls, limits.account_rate / member.calls, "nothing: another deployment"),
        (NAMES[QUEUE], limits.queue_rate / alone.messages, limits.queue_rate / member.messages, "nothing: another deployment"),
    ]  # fmt: skip


def bounds_table(costs: Costs, limits: Limits, instances: int = 40) -> str:
    rows = sorted(most_a_second(costs, limits, instances), key=lambda row: row[1])
    cells = ([name, f"{alone:.1f}", f"{member:.0f}" if member else "—", moves] for name, alone, member, moves in rows)
    return table(("bound", "alerts alone, a second", "members, a second", "what moves it"), cells)


# ---------------------------------------------------------------- the grid


GRID_HEAD = ("items", "subscriptions", "instances at most", "… started", "failures", "told alone", "storms", "posts", "half told",
             "last told", "facts later", "… after", "binds first", "a night")  # fmt: skip


def outcome_of(point: Figures) -> tuple[str, ...]:
    return (
        str(point.instances_used), f"{point.failures:,}", f"{point.alone:,}", str(point.storms), f"{point.posts:,}",
        duration(point.half_told), duration(point.told), f"{point.unread:,}", duration(point.complete), NAMES[point.binds],
        f"${point.usd:.2f}",
    )  # fmt: skip


def grid_rows(points: Iterable[Figures]) -> Iterator[list[str]]:
    """Points of one estate between which there is no difference are one row."""
    alike: dict[tuple[int, tuple[str, ...]], list[Figures]] = {}
    for point in points:
        alike.setdefault((point.items, outcome_of(point)), []).append(point)
    for (items, outcome), same in alike.items():
        yield [
            f"{items:,}",
            _range([point.subscriptions for point in same]),
            _range([point.instances for point in same]),
            *outcome,
        ]


def _range(numbers: Sequence[int]) -> str:
    return f"{min(numbers):,}" + (f" to {max(numbers):,}" if min(numbers) < max(numbers) else "")


def grid_table(night: str, points: Iterable[Figures]) -> str:
    return table(GRID_HEAD, grid_rows(point for point in points if point.night == night))


def duration(seconds: float) -> str:
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


# ---------------------------------------------------------------- what moves a bound

ESTATE = Estate(1_000_000, 20)
BASE = Setup(ESTATE, 40)


def changes() -> list[tuple[str, Setup]]:
    """One thing is another than in the busy night of a million items, 20 subscriptions and 40 instances."""
    limits = BASE.limits
    return [
        ("as in the table above", BASE),
        ("`STORM_THRESHOLD` 10 instead of 20", replace(BASE, threshold=10)),
        ("`STORM_THRESHOLD` 100,000: no storms", replace(BASE, threshold=100_000)),
        ("`MAXIMUM_INSTANCE_COUNT` 8 (the plan allows 40 at least)", replace(BASE, instances=8)),
        ("`newBatchThreshold` 0 instead of 4 in host.json", replace(BASE, limits=replace(limits, at_once=limits.batch_size))),
        ("`batchSize` 16, `newBatchThreshold` 8", replace(BASE, limits=replace(limits, batch_size=16, at_once=24))),
        ("8 instances always ready", replace(BASE, started=8)),
        ("the ticket system takes 1 post a second", replace(BASE, limits=replace(limits, tickets_rate=1))),
        ("… and 20 posts a second", replace(BASE, limits=replace(limits, tickets_rate=20))),
        ("twice the quota of Resource Graph, used to the full", replace(BASE, limits=replace(
            limits, azures_queries=30, queries_left_to_others=2 * limits.queries_left_to_others,
            queries_rate=2 * limits.queries_rate))),
        ("two deployments, half of the estate each (one of them)", replace(BASE, estate=Estate(ESTATE.items // 2, 10))),
    ]  # fmt: skip


CHANGES_HEAD = ("changed", "told alone", "storms", "posts", "half told", "last told", "facts later", "binds first", "a night")


def changes_table(costs: Costs) -> str:
    return table(CHANGES_HEAD, (change_row(name, figures_of(setup, BUSY, costs)) for name, setup in changes()))


def change_row(name: str, point: Figures) -> list[str]:
    return [name, f"{point.alone:,}", str(point.storms), f"{point.posts:,}", duration(point.half_told), duration(point.told),
            f"{point.unread:,}", NAMES[point.binds], f"${point.usd:.2f}"]  # fmt: skip


# ---------------------------------------------------------------- beside real runs


def compared_table(lines: Iterable[Line]) -> str:
    rows = ([line.run, line.figure, f"{line.real:.0f}", f"{line.simulated:.0f}", f"{line.deviation:+.0%}"] for line in lines)
    return table(("run", "figure", "measured", "simulated", "deviation"), rows)


def source() -> str:
    found = json.loads(COSTS.read_text(encoding="utf-8"))
    return f"Measured on {found['measured']} with `{found['command']}`."


# ---------------------------------------------------------------- the page


def quick_parts() -> dict[str, str]:
    """What takes no second to write."""
    costs = measured_costs()
    return {
        "costs": f"{source()}\n\n{costs_table(costs)}", "bounds": bounds_table(costs, Limits()), "compared": compared_table(compare()),
    }  # fmt: skip


def parts() -> dict[str, str]:
    nights = {night.name: grid_table(night.name, grid()) for night in NIGHTS}
    return quick_parts() | nights | {"changes": changes_table(measured_costs())}


def part_in(page: str, name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", page, re.DOTALL)
    return found[1] if found else ""


def with_parts(page: str, new: dict[str, str]) -> str:
    for name, text in new.items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        page = f"{before}{begin}{text}\n{end}{after}"
    return page


def write(new: dict[str, str]) -> None:
    PAGE.write_text(with_parts(PAGE.read_text(encoding="utf-8"), new), encoding="utf-8")
