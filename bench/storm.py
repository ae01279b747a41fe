"""`make storm`: 10,000 alerts about 8,000 VMs in 50 vaults, through the function host and Azurite, against goals.

The simulated Azure throttles as Azure Resource Manager does and is a process of its own, as are Azurite and the function host;
the ticket desk lives in this process. A naive twin takes some of the same alerts, unthrottled, to compare its CPU time.
Ends with 1 when a goal is missed. `--watch` and `--recovery` look at what follows the storm; 0 skips them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from werkzeug.wrappers import Response

from bench.processes import cpu_seconds, peak_mib
from bench.storm_figures import FOOTNOTES, Figures, Goals, table
from bench.storm_phases import Rows, post_all, recover, say, two_tickets, wait_attached, watch_background
from sandbox.__main__ import SECRET, sandbox_settings
from sandbox.azurite import running_azurite
from sandbox.function_host import RunningHost, running_host
from sandbox.http import serving
from sandbox.storm_alerts import alerts_of, first_alert
from sandbox.storm_azure import RunningStormAzure, running_storm_azure
from sandbox.storm_world import StormWorld
from sandbox.ticket_desk import Desk, running_desk

ROOT = Path(__file__).parent.parent
NEVER = "0 0 0 1 1 *"
"""Sweeps run when this bench asks for them."""
TWIN_NEEDS = ("azure.mgmt.compute", "azure.mgmt.keyvault", "azure.mgmt.network", "azure.mgmt.resource.locks")


@dataclass(frozen=True)
class Options:
    alerts: int = 10_000
    vaults: int = 50
    vms: int = 8_000
    twin: int = 60
    """Alerts for the naive twin; 0 leaves it out."""
    watch: float = 60
    """Seconds to watch the background work after the storm."""
    recovery: float = 900
    """Seconds that the recovery may take."""
    backlog: int = 300
    """Messages in the queue, beyond which posting waits: Azurite's limit, not Azure's. 0: post without a pause."""
    patience: float = 1800
    """Seconds until every VM must have a ticket."""
    app: Path = ROOT
    verbose: bool = False

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Options:
        parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
        parser.add_argument("--alerts", type=int, default=cls.alerts)
        parser.add_argument("--vaults", type=int, help="default: one for each 100 alerts, 2 to 50")
        parser.add_argument("--vms", type=int, help="default: four fifths of the alerts")
        parser.add_argument("--twin", type=int, default=cls.twin, help="alerts for the naive twin, 0: leave it out")
        parser.add_argument("--watch", type=float, default=cls.watch, help="seconds to watch after the storm, 0: none")
        parser.add_argument("--recovery", type=float, default=cls.recovery, help="seconds for the recovery, 0: leave it out")
        parser.add_argument("--backlog", type=int, default=cls.backlog, help="longest queue while posting, 0: any")
        parser.add_argument("--patience", type=float, default=cls.patience, help="seconds until every VM must have a ticket")
        parser.add_argument("--app", type=Path, default=cls.app, help="folder of the app, such as the unpacked package")
        parser.add_argument("--verbose", action="store_true", help="show the function host's log")
        found = parser.parse_args(arguments)
        found.vaults = found.vaults or min(50, max(2, found.alerts // 100))
        found.vms = found.vms or max(1, found.alerts * 4 // 5)
        return cls(**vars(found))


def main(arguments: Sequence[str]) -> int:
    options, goals = Options.of(arguments), Goals()
    rows = run(options).rows(goals)
    print(f"\n{options.alerts} alerts, {options.vms} VMs in {options.vaults} vaults\n\n{table(rows)}\n\n{FOOTNOTES}", flush=True)
    return 1 if any(row.met is False for row in rows) else 0


def run(options: Options) -> Figures:
    """The whole run, and what was measured."""
    world = StormWorld(options.vaults, options.vms, datetime.now(UTC))
    figures = Figures(options.alerts, options.vms)
    bodies = alerts_of(world, options.alerts)
    with ExitStack() as stack:
        say("starting Azurite, the storm's Azure, the ticket desk and the function host …")
        azure = stack.enter_context(running_storm_azure(options.vaults, options.vms, world.now))
        if options.twin:
            figures.twin_cpu_per_alert = twin_cpu(world, min(options.twin, options.vms), azure)
        storage = stack.enter_context(running_azurite())
        desk = stack.enter_context(running_desk(SECRET))
        settings = sandbox_settings(storage, azure.url, desk.webhook_url) | {
            "WATCHED_SUBSCRIPTIONS": ",".join(world.subscriptions),
            "SWEEP_SCHEDULE": NEVER,
        }
        host = stack.enter_context(running_host(options.app.resolve(), settings, quiet=not options.verbose))
        rows = Rows(storage)
        azure.reset()
        azure.throttle(True)
        storm(bodies, options, figures, host, azure, desk, storage)
        if options.watch:
            say(f"watching the background work for {options.watch:.0f} s …")
            figures.background = watch_background(options.watch, azure, rows)
        if options.recovery:
            say("every VM recovers …")
            figures.recovery = recover(azure, host.url, rows, desk, options.recovery)
        figures.refused = int(azure.counts()["statuses"].get("429", 0))
        figures.peak_mib_at_the_end = peak_mib(host.process.pid)
    return figures


def storm(
    bodies: Sequence[bytes],
    options: Options,
    figures: Figures,
    host: RunningHost,
    azure: RunningStormAzure,
    desk: Desk,
    storage: str,
) -> None:
    """Post everything, wait until every VM has a ticket, note what it took."""
    say(f"posting {len(bodies)} alerts …")
    cpu, began = cpu_seconds(host.process.pid), time.monotonic()
    answers = post_all(bodies, host.url, storage, options.backlog)
    figures.posting_seconds = time.monotonic() - began
    figures.acknowledged = answers.pop("202", 0)
    figures.other_answers = answers
    attached, own = wait_attached(options.vms, Rows(storage), desk, options.patience)
    figures.drain_seconds = time.monotonic() - began
    figures.cpu_per_alert = (cpu_seconds(host.process.pid) - cpu) / len(bodies)
    figures.peak_mib = peak_mib(host.process.pid)
    counts, events = azure.counts(), desk.events()
    figures.attached, figures.own_tickets = len(attached), len(own)
    figures.two_tickets = two_tickets(events)
    figures.reads, figures.log_queries = Counter(counts["reads"]), counts["log_queries"]
    figures.failed_reads = Counter({status: n for status, n in counts["statuses"].items() if status not in ("200", "429")})
    figures.events, figures.repeats = Counter(event["type"] for event in events), desk.repeats


def twin_cpu(world: StormWorld, count: int, azure: RunningStormAzure) -> float:
    """CPU seconds that the naive twin takes for an alert, against the same Azure without its limit."""
    if not all(map(_installed, TWIN_NEEDS)):
        say("the naive twin is left out: requirements-bench.txt is not installed")
        return 0.0
    say(f"the naive twin takes {count} alerts …")
    azure.throttle(False)
    lines = b"\n".join(json.dumps(first_alert(world.member(number))).encode() for number in range(count))
    with serving(lambda _: Response('{"id": "1"}', 201, mimetype="application/json")) as tickets:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ARM_ENDPOINT": azure.url, "LOGS_ENDPOINT": azure.url,
                       "TICKET_URL": tickets}  # fmt: skip
        shown = subprocess.run([sys.executable, "-m", "bench.storm_twin"], env=environment, cwd=ROOT, input=lines,
                               capture_output=True, check=False)  # fmt: skip
    if shown.returncode:
        raise SystemExit(f"the naive twin failed:\n{shown.stderr.decode()[-2000:]}")
    return float(json.loads(shown.stdout.splitlines()[-1])["cpu"])


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nEnded.")
        sys.exit(1)
