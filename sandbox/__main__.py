"""`make run`: the whole way on your own machine. Azurite, the simulated Azure, the ticket desk and the function host start on
free loopback ports, one alert per scenario is fired, one line per ticket is printed as it arrives. Ctrl-C ends everything."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sandbox.azure import running_azure
from sandbox.azurite import find_azurite, running_azurite
from sandbox.function_host import running_host
from sandbox.scenario import Scenario, load_scenarios
from sandbox.ticket_desk import running_desk

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "sandbox" / "scenarios"
SECRET = "whsec_c2FuZGJveC1vbmx5LXNlY3JldC0xMjM0NTY="
"""Signs the tickets of this sandbox, and of nothing else."""
PATIENCE_SECONDS = 90


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    scenarios = [s for s in load_scenarios(SCENARIOS) if options.scenario in (None, s.name)]
    if not scenarios:
        print(f"No scenario is called {options.scenario!r}; they are the files in sandbox/scenarios.", file=sys.stderr)
        return 2
    try:
        with ExitStack() as stack:
            return run(scenarios, stack, once=options.once)
    except KeyboardInterrupt:
        print("\nEnded.")
        return 0


def run(scenarios: Sequence[Scenario], stack: ExitStack, *, once: bool) -> int:
    """Start everything, fire the alerts, report the tickets; stay until Ctrl-C unless `once`."""
    started = time.monotonic()
    _say("starting Azurite, the simulated Azure, the ticket desk and the function host …")
    storage = stack.enter_context(running_azurite(find_azurite(), port=_port("AZURITE_PORT")))
    azure = stack.enter_context(running_azure(scenarios, port=_port("AZURE_PORT")))
    desk = stack.enter_context(running_desk(SECRET, port=_port("DESK_PORT")))
    settings = settings_for(storage, azure.url, desk.webhook_url, scenarios)
    host = stack.enter_context(running_host(ROOT, settings, port=_port("HOST_PORT")))
    _say(f"ready after {time.monotonic() - started:.1f} s; firing {len(scenarios)} alerts")
    arrived = fire(scenarios, host, desk, started)
    missing = [scenario for scenario in scenarios if scenario.name not in arrived]
    for scenario in missing:
        _say(f"NO TICKET  {scenario.name}")
    _say(f"{len(arrived)} of {len(scenarios)} scenarios have their ticket after {time.monotonic() - started:.1f} s")
    print(f"\n  Ticket desk: {desk.url}\n", flush=True)
    if not once:
        print("  Ctrl-C ends everything.", flush=True)
        threading.Event().wait()
    return 1 if missing else 0
