"""The simulation beside the real runs that are kept in costs.json: one host, three hosts, and a run in which nothing is a storm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from bench.simulate.costs import measured_costs
from bench.simulate.limits import Limits
from bench.simulate.measure import runs
from bench.simulate.model import play
from bench.simulate.night import Estate, Failure
from bench.simulate.outcome import Outcome, Setup
from bench.simulate.real import Played
from sandbox.storm_world import KINDS, REGIONS, SUBSCRIPTIONS

WARM_SECONDS = 10.0
"""From the alerts that warm the hosts up to the first that counts."""
HERE = Limits(
    cores=2, storage_seconds=0.002, read_seconds=0.005, post_seconds=0.01, tickets_rate=1_000, scale_seconds=inf, cold_start=0, poll=0.4,
)  # fmt: skip
"""The machine of the real runs: two processors for the hosts, Azurite, the simulated Azure and the ticket desk together."""


@dataclass(frozen=True)
class Line:
    """One figure of one run."""

    run: str
    figure: str
    real: float
    simulated: float

    @property
    def deviation(self) -> float:
        """Of the simulation, as a share of what was measured."""
        return self.simulated / self.real - 1 if self.real else 0.0


def failures_of(run: Played) -> list[Failure]:
    """The alerts of a real run, as sandbox/storm_world.py deals them; those that warm the hosts up come first."""
    asked = run.asked
    warm, every = asked.hosts, run.posting_seconds / asked.alerts
    times = [0.0] * warm + [WARM_SECONDS + every * number for number in range(asked.alerts)]
    return [_failure(number, asked.vaults, at) for number, at in enumerate(times)]


def _failure(number: int, vaults: int, at: float) -> Failure:
    vault = number % vaults
    subscription = vault // len(REGIONS) % SUBSCRIPTIONS
    return Failure(at, number, subscription, vault % len(REGIONS), number // vaults % len(KINDS))


def simulated(run: Played) -> Outcome:
    asked = run.asked
    setup = Setup(Estate(asked.alerts + asked.hosts), asked.hosts, asked.hosts, threshold=asked.threshold, limits=HERE)
    return play(failures_of(run), setup, measured_costs())


def compare() -> list[Line]:
    played = runs()
    again = [run.asked in [earlier.asked for earlier in played[:number]] for number, run in enumerate(played)]
    return [line for run, repeated in zip(played, again, strict=True) for line in lines_of(run, repeated)]


def lines_of(run: Played, repeated: bool) -> Iterator[Line]:
    outcome, asked = simulated(run), run.asked
    name = f"{asked.alerts} alerts, {asked.hosts} host{'s' * (asked.hosts > 1)}"
    name += ("" if run.storms else ", no storm") + (", again" if repeated else "")
    yield Line(name, "seconds until each VM has a ticket", run.seconds, max(outcome.told_at) - WARM_SECONDS)
    yield Line(name, "tickets of their own", run.own, outcome.alone - asked.hosts)
    yield Line(name, "storms", run.storms, outcome.storms)
    yield Line(name, "reads from Azure", run.quiet.reads, outcome.reads - asked.hosts * measured_costs().alone.reads)
    yield Line(name, "queries", run.quiet.queries, outcome.queries - asked.hosts * measured_costs().alone.queries)
    yield Line(
        name, "seconds of the hosts' processors", run.quiet.host_cpu, outcome.cpu - asked.hosts * measured_costs().alone.cpu
    )
