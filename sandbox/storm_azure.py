"""The simulated Azure of a storm, in a process of its own: its time and memory are not the app's.

`python -m sandbox.storm_azure --vaults 50 --vms 8000`. Besides the control of sandbox/azure/server.py it knows
`POST /_sandbox/recover`: from then on every VM is well and has a completed backup. The vaults send nothing to Log Analytics.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from werkzeug.wrappers import Request

from sandbox.azure import answers, graph
from sandbox.azure.answers import Answer
from sandbox.azure.arm import Resources
from sandbox.azure.server import SimulatedAzure
from sandbox.http import serving
from sandbox.processes import end, end_with_parent
from sandbox.storm_world import StormWorld

STORM_PAGE_SIZE = 100
ROOT = Path(__file__).parent.parent


class StormAzure(SimulatedAzure):
    """Answers from a storm instead of from scenarios."""

    def __init__(self, world: StormWorld) -> None:
        super().__init__((), page_size=STORM_PAGE_SIZE, throttled=True)
        self.storm = world

    def _resources(self, subscription: str, key: str) -> Resources | None:
        return self.storm.resources(subscription, key)

    def _rows(self, table: str, subscriptions: Sequence[str]) -> Iterator[Any]:
        if table in (graph.CHANGES, graph.GROUPS):
            return iter(())
        return (row for subscription in subscriptions for row in self.storm.rows(table, subscription))

    def _control(self, request: Request) -> Answer:
        if request.path == "/_sandbox/recover" and request.method == "POST":
            self.storm.recover(datetime.now(UTC))
            return answers.ok({"recovered": self.storm.vms})
        return super()._control(request)


@dataclass(frozen=True)
class RunningStormAzure:
    """The control of a storm's Azure that is being served at `url`."""

    url: str

    def counts(self) -> dict[str, Any]:
        """See `CallCounts.as_json`."""
        found: dict[str, Any] = self._control("GET", "counts")
        return found

    def reset(self) -> None:
        self._control("DELETE", "calls")

    def throttle(self, on: bool) -> None:
        self._control("POST", "throttle", on=on)

    def recover(self) -> None:
        self._control("POST", "recover")

    def _control(self, method: str, what: str, **body: object) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox/{what}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_storm_azure(vaults: int, vms: int, now: datetime) -> Iterator[RunningStormAzure]:
    """Start the process, wait until it listens, end it by its id."""
    arguments = ["--vaults", str(vaults), "--vms", str(vms), "--now", now.isoformat()]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.storm_azure", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent,
    )  # fmt: skip
    try:
        line = process.stdout.readline() if process.stdout else ""
        if " on http" not in line:
            raise SystemExit("The storm's Azure did not start; what it said stands above.")
        yield RunningStormAzure(line.rpartition(" ")[2].strip())
    finally:
        end(process)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.storm_azure", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--vaults", type=int, default=50)
    parser.add_argument("--vms", type=int, default=8000)
    parser.add_argument("--now", type=datetime.fromisoformat, default=datetime.now(UTC), help="ISO 8601: the VMs failed before")
    options = parser.parse_args()
    world = StormWorld(options.vaults, options.vms, options.now)
    world.build_lists()
    with serving(StormAzure(world).respond, options.port) as url:
        print(f"a storm of {options.vms} VMs in {options.vaults} vaults on {url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
