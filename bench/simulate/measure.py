"""Counts what alerts cost in real runs, and writes costs.json: `make simulate MEASURE=1`. Six runs of at most 200 alerts, some fifteen minutes.

A run without storms tells what an alert costs that has a ticket of its own; two runs whose storms are of different size tell what a
member costs (the difference) and what a storm costs (the rest). A storm begins with six failures here, so that 200 make ten of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import replace
from dataclasses import asdict
from datetime import date

from bench.simulate.costs import COSTS, Cost
from bench.simulate.real import Asked, Played, Spent, play

COMMAND = "make simulate MEASURE=1"
NO_STORM = 100_000
ALONE = Asked(29, threshold=NO_STORM, watch=5)
SMALL, LARGE = Asked(99, threshold=5), Asked(199, threshold=5)
THREE_HOSTS = Asked(197, hosts=3, threshold=5)
"""As large as LARGE: each host has taken one alert before."""
TWO_HOSTS = Asked(158, hosts=2, threshold=8)
"""Other numbers than those that the simulation was written beside. Played twice: how much differs by the machine alone."""


def measure() -> None:
    keep([play(asked) for asked in (ALONE, SMALL, LARGE, THREE_HOSTS, TWO_HOSTS, TWO_HOSTS)], date.today().isoformat())


def keep(played: list[Played], day: str) -> None:
    """Write costs.json."""
    costs = derived(*played[:3])
    found = {
        "command": COMMAND, "measured": day,
        "costs": {kind: {name: round(value, 5) for name, value in asdict(cost).items()} for kind, cost in costs.items()},
        "runs": [asdict(run) for run in played],
    }  # fmt: skip
    COSTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def derived(alone: Played, small: Played, large: Played) -> dict[str, Cost]:
    """The costs of one of each kind."""
    lone = divided(spent(alone, alone.quiet), alone.own)

    def attached(run: Played) -> Cost:
        return less(spent(run, run.attached), lone, run.own)

    def afterwards(run: Played) -> Cost:
        return less(spent(run, run.quiet), spent(run, run.attached), 1)

    member, storm = slope_and_rest(attached, small, large)
    looked_at, background = read_in_bulk(*slope_and_rest(afterwards, small, large), large)
    return {"alone": lone, "member": member, "storm": storm, "looked_at": looked_at, "background": background}


def slope_and_rest(of: Callable[[Played], Cost], small: Played, large: Played) -> tuple[Cost, Cost]:
    """For a member, and for a storm besides its members."""
    more = members(large) - members(small)
    member = divided(less(of(large), of(small), 1), more)
    return member, divided(less(of(large), member, members(large)), large.storms)


def read_in_bulk(looked_at: Cost, background: Cost, large: Played) -> tuple[Cost, Cost]:
    """All reads of the background are the storm's: at most six members are read alone, the others by lists and queries for all."""
    reads, queries = large.quiet.reads - large.attached.reads, large.quiet.queries - large.attached.queries
    return replace(looked_at, reads=0.0, queries=0.0), replace(
        background, reads=reads / large.storms, queries=queries / large.storms
    )


def members(run: Played) -> int:
    """Failures that were counted and have no ticket of their own. Those that warmed the hosts up have one."""
    return run.asked.alerts - run.own


def spent(run: Played, what: Spent) -> Cost:
    """In the terms of the simulation. A transaction is as many rows as an incident has copies."""
    calls = what.calls
    single = sum(count for kind, count in calls.items() if kind.split()[0] in ("row", "opened") and kind != "row batch")
    messages = sum(count for kind, count in calls.items() if kind in ("queue put", "queue delete", "queue move"))
    return Cost(
        cpu=what.host_cpu, server_cpu=what.storage_cpu + what.azure_cpu, reads=what.reads, queries=what.queries,
        rows=single + run.rows_an_incident * calls.get("row batch", 0), calls=what.storage_calls - calls.get("queue get", 0),
        messages=messages, blobs=calls.get("blob write", 0), posts=what.posts,
    )  # fmt: skip


def divided(cost: Cost, count: int) -> Cost:
    return Cost(**{name: value / max(1, count) for name, value in asdict(cost).items()})


def less(cost: Cost, other: Cost, times: float) -> Cost:
    """Never below nothing: what is small is lost in the noise of a shared machine."""
    theirs = asdict(other)
    return Cost(**{name: max(0.0, value - times * theirs[name]) for name, value in asdict(cost).items()})


def runs() -> list[Played]:
    """The runs that costs.json was made from."""
    return [read_run(run) for run in json.loads(COSTS.read_text(encoding="utf-8"))["runs"]]


def read_run(run: dict[str, object]) -> Played:
    spent_of = {name: Spent(**run[name]) for name in ("attached", "quiet")}  # type: ignore[arg-type]
    return Played(**run | spent_of | {"asked": Asked(**run["asked"])})  # type: ignore[arg-type]


if __name__ == "__main__":
    measure()
