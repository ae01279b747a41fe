"""`make bench`: speed and memory, as ratios from one run. The figures that README quotes.

Processes are measured from their start to their end (user and system time, resident memory), the app and its naive twin in turns,
medians compared. The app is the unpacked package, as deployed: byte code and templates compiled.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from werkzeug.wrappers import Request, Response

from handlers.runbook import render as runbook
from handlers.runbook import templates
from handlers.runbook.page import Page
from sandbox.azure import running_azure
from sandbox.azurite import running_azurite
from sandbox.http import serving
from sandbox.scenario import Scenario, load_scenarios
from tests.golden import diagnosis_of
from tools.package import build

ROOT = Path(__file__).parent.parent
SCENARIO = "restore_point_group_locked"
CALL_SECONDS = 0.080
DEPTH = 4
"""The longest chain of calls that wait for each other: job, list of restore point collections, their points, ticket.
The calls to storage between them are measured alone in the same process, and added."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))


def main() -> int:
    scenario = next(found for found in load_scenarios() if found.name == SCENARIO)
    with TemporaryDirectory() as scratch:
        app = unpacked(Path(scratch))
        rows = [*cold(scenario, app), latency(scenario, app), rendering(scenario)]
    print(f"\n{'':52} {'ours':>10} {'against':>10} {'ratio':>7} {'goal':>7}")
    for name, ours, against, goal in rows:
        print(f"{name:52} {ours:>10} {against:>10} {ratio(ours, against):7.2f} {goal:7.2f}")
    missed = [name for name, ours, against, goal in rows if ratio(ours, against) > goal]
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if missed else 0


Row = tuple[str, str, str, float]


def ratio(ours: str, against: str) -> float:
    return float(ours.split()[0]) / float(against.split()[0])


def unpacked(scratch: Path) -> Path:
    """The package as it is deployed."""
    with zipfile.ZipFile(build(scratch / "package.zip")) as package:
        package.extractall(scratch / "app")
    return scratch / "app"


def cold(scenario: Scenario, app: Path) -> list[Row]:
    """From process start: indexing, the first ticket, resident memory after it."""
    kinds = ("floor", "index", "ours", "naive")
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    with surroundings(scenario, 0) as settings:
        for round_ in range(ROUNDS):
            for kind in kinds:
                found[kind].append(child(kind, 0, settings, ROOT if kind == "naive" else app))
            print(f"\rcold start {round_ + 1}/{ROUNDS}", end="", flush=True)
    cpu = {kind: 1000 * statistics.median(one["cpu"] for one in runs) for kind, runs in found.items()}
    mib = {kind: statistics.median(one["mib"] for one in runs) for kind, runs in found.items()}
    return [
        ("Loading the app, CPU / import azure.functions", f"{cpu['index']:.0f} ms", f"{cpu['floor']:.0f} ms", 1.10),
        ("First ticket from process start, CPU / twin", f"{cpu['ours']:.0f} ms", f"{cpu['naive']:.0f} ms", 0.65),
        ("Resident memory after it / twin", f"{mib['ours']:.0f} MiB", f"{mib['naive']:.0f} MiB", 0.70),
    ]


def latency(scenario: Scenario, app: Path) -> Row:
    """Warm, 80 ms for each call to Azure and to the ticket system."""
    with surroundings(scenario, CALL_SECONDS) as settings:
        ours = child("ours", 12, settings, app)
        walls, storing = ours["walls"], statistics.median(ours["storage"])
        twin = child("naive", 5, settings, ROOT)["walls"]
    print(f"\nwarm alert, 80 ms a call: {1000 * statistics.median(walls):.0f} ms, twin {1000 * statistics.median(twin):.0f} ms")
    return (
        "Warm alert, 80 ms a call / its critical path",
        f"{1000 * statistics.median(walls):.0f} ms",
        f"{1000 * (DEPTH * CALL_SECONDS + storing):.0f} ms",
        1.15,
    )


def rendering(scenario: Scenario) -> Row:
    """Markdown through the app's way to its templates, against the same page with its templates in hand."""
    with running_azure([scenario]) as azure:
        diagnosis = diagnosis_of(scenario, azure.url, datetime.now(UTC))
    runbook.render(diagnosis, "en")
    template = templates.environment("md").get_template("en/runbook.md.j2")
    ours, kept = [], []
    for _ in range(60):
        ours.append(cpu_of(lambda: runbook.render(diagnosis, "en")))
        kept.append(cpu_of(lambda: template.render(Page(diagnosis, "en").context)))
    return (
        "Rendering, CPU / templates kept in hand",
        f"{1e3 * statistics.median(ours):.2f} ms",
        f"{1e3 * statistics.median(kept):.2f} ms",
        1.15,
    )


def cpu_of(act: Any) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def child(kind: str, rounds: int, settings: dict[str, str], folder: Path) -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT), **settings}
    shown = subprocess.run([sys.executable, "-m", "bench.child", kind, str(rounds)], cwd=folder, env=environment,
                           capture_output=True, text=True, check=False)  # fmt: skip
    if shown.returncode:
        raise SystemExit(f"{kind} failed:\n{shown.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(shown.stdout.splitlines()[-1])
    return found


@contextmanager
def surroundings(scenario: Scenario, seconds: float) -> Iterator[dict[str, str]]:
    """The simulated Azure and a ticket system that each take `seconds` per call; the settings that lead there."""

    def take(_: Request) -> Response:
        time.sleep(seconds)
        return Response('{"id": "1"}', 201, mimetype="application/json")

    with running_azurite() as storage, running_azure([scenario], latency=seconds) as azure, serving(take) as tickets:
        yield {
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": azure.url,
            "LOGS_ENDPOINT": azure.url,
            "LOG_ANALYTICS_WORKSPACE_ID": "00000000-0000-4000-8000-00000000a0a1",
            "TICKET_URL": tickets,
            "ALERT_BODY": json.dumps(scenario.alert_body(datetime.now(UTC))),
        }


if __name__ == "__main__":
    sys.exit(main())
