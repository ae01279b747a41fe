"""`make soak`: every fault of bench/faults again and again, several at a time, with more and other load, until the time is over.

`python -m bench.soak --minutes 15 --seed 7`; `--short` runs each once as `make test` does; `--only NAME` runs only those.
Exit code 1: an alert was lost, or told twice, or a fault did not end as it should.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.faults import FAULTS, Fault, run
from bench.faults.audit import HEAD, Figures, line, table
from bench.faults.rig import ROOT, Plan

AT_ONCE = 4


class Soak:
    """Hands out faults until the time is over, and prints each outcome as it comes."""

    def __init__(self, faults: Sequence[Fault], options: argparse.Namespace) -> None:
        self.options, self.faults = options, faults
        self.ends = time.monotonic() + 60 * options.minutes
        self.random, self.lock = random.Random(options.seed), threading.Lock()
        self.handed_out = 0
        self.turn: list[Fault] = []
        self.outcomes: list[Figures] = []

    def next(self) -> tuple[Fault, Plan] | None:
        """The next fault and its plan: each round in another order, each with more load; None when the time is over."""
        with self.lock:
            round_ = self.handed_out // len(self.faults)
            if round_ if self.options.short else time.monotonic() > self.ends:
                return None
            if not self.turn:
                self.turn = list(self.faults) if self.options.short else self.random.sample(self.faults, len(self.faults))
            self.handed_out += 1
            plan = Plan(
                self.options.short, self.random.randrange(10**6), round_, self.ends, self.options.app, not self.options.verbose
            )
            return self.turn.pop(0), plan

    def lane(self) -> None:
        while found := self.next():
            outcome = run(*found)
            with self.lock:
                self.outcomes.append(outcome)
                print(line(outcome), flush=True)

    def run(self) -> int:
        print(f"seed {self.options.seed}, {self.options.at_once} faults at a time\n{HEAD}", flush=True)
        with ThreadPoolExecutor(self.options.at_once) as pool:
            for lane in [pool.submit(self.lane) for _ in range(self.options.at_once)]:
                lane.result()
        bad = [outcome for outcome in self.outcomes if not outcome.ok]
        posted, lost = sum(one.acknowledged for one in self.outcomes), sum(one.lost for one in self.outcomes)
        duplicates = sum(one.duplicates for one in self.outcomes)
        print(
            f"\n{len(self.outcomes)} faults, {posted} alerts acknowledged, {lost} lost, {duplicates} duplicates, {len(bad)} not ok"
        )
        if bad:
            print(table(bad))
        return 1 if bad else 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many faults run side by side")
    parser.add_argument("--short", action="store_true", help="each fault once, in its short form")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="only faults whose name holds one of these")
    parser.add_argument("--app", type=Path, default=ROOT, help="the app's folder")
    parser.add_argument("--verbose", action="store_true", help="show the function hosts' logs")
    options = parser.parse_args(arguments)
    faults = [fault for fault in FAULTS if not options.only or any(name in fault.name for name in options.only)]
    if not faults:
        print(f"No fault is called so; they are {', '.join(fault.name for fault in FAULTS)}.", file=sys.stderr)
        return 2
    return Soak(faults, options).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
