"""`make run`: the whole way on your own machine. Azurite, the simulated Azure, the ticket desk and the function host start on
free loopback ports, one alert per scenario is fired, one line per ticket is printed as it arrives. Ctrl-C ends everything."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sandbox.azure import running_azure
from sandbox.azurite import find_azurite, running_azurite
from sandbox.function_host import running_host
from sandbox.http import free_port
from sandbox.scenario import Scenario, apart, load_scenarios
from sandbox.ticket_desk import Ticket, running_desk

ROOT = Path(__file__).parent.parent
SECRET = "whsec_c2FuZGJveC1vbmx5LXNlY3JldC0xMjM0NTY="
"""Signs the tickets of this sandbox, and of nothing else."""
LINK_KEY = "sandbox-only-key-of-page-links-0123456789"
WORKSPACE = "00000000-0000-4000-8000-00000000a0a1"
PATIENCE_SECONDS = 90


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    scenarios = apart([scenario for scenario in load_scenarios() if options.scenario in ("", scenario.name)])
    if not scenarios:
        print(f"No scenario is called {options.scenario!r}; they are the files in sandbox/scenarios.", file=sys.stderr)
        return 2
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            return run(scenarios, stack, once=options.once, verbose=options.verbose)
    except KeyboardInterrupt:
        print("\nEnded.")
        return 1 if options.once else 0


def run(scenarios: Sequence[Scenario], stack: ExitStack, *, once: bool, verbose: bool) -> int:
    """Start everything, fire the alerts, report the tickets; stay until Ctrl-C unless `once`."""
    report = Report(scenarios)
    report.say("starting Azurite, the simulated Azure, the ticket desk and the function host …")
    storage = stack.enter_context(running_azurite(find_azurite(), port=_port("AZURITE_PORT")))
    azure = stack.enter_context(running_azure(scenarios, port=_port("AZURE_PORT")))
    desk = stack.enter_context(running_desk(SECRET, port=_port("DESK_PORT"), on_event=report.arrived))
    settings = sandbox_settings(storage, azure.url, desk.webhook_url)
    port = _port("HOST_PORT") or free_port()
    settings |= {"PUBLIC_URL": f"http://127.0.0.1:{port}", "LINK_KEY": LINK_KEY}
    host = stack.enter_context(running_host(ROOT, settings, port=port, quiet=not verbose))
    report.say(f"ready: function host {host.url}, ticket desk {desk.url}; firing {len(scenarios)} alerts")
    fire(scenarios, host.url)
    desk.wait_for(lambda _: not report.missing, PATIENCE_SECONDS)
    report.missing |= fire_later(scenarios, host.url)
    desk.wait_for(lambda _: not report.missing, PATIENCE_SECONDS)
    report.finish()
    print(f"\n  Ticket desk: {desk.url}\n", flush=True)
    if not once:
        print("  Ctrl-C ends everything.", flush=True)
        threading.Event().wait()
    return 1 if report.missing else 0


def sandbox_settings(storage: str, azure_url: str, webhook_url: str) -> dict[str, str]:
    """The app settings of the sandbox; those in the environment win."""
    settings = {
        "AzureWebJobsStorage": storage,
        "ARM_ENDPOINT": azure_url,
        "LOGS_ENDPOINT": azure_url,
        "LOG_ANALYTICS_WORKSPACE_ID": WORKSPACE,
        "TICKET_URL": webhook_url,
        "TICKET_SECRET": SECRET,
        "MALLOC_ARENA_MAX": "2",  # as infra/ sets it: many threads that decode JSON would else keep a heap each
    }
    chosen = {
        name: os.environ[name]
        for name in ("RUNBOOK_LANGUAGE", "WATCHED_SUBSCRIPTIONS", "SANDBOX_VISIBILITY_SECONDS")
        if name in os.environ
    }
    return settings | chosen


def fire(scenarios: Sequence[Scenario], host_url: str) -> None:
    """Post every scenario's alert; the answer must be that it is safely queued."""
    for scenario in scenarios:
        _post(scenario, scenario.alert_body(datetime.now(UTC)), host_url)


def fire_later(scenarios: Sequence[Scenario], host_url: str) -> dict[str, Scenario]:
    """Post the alerts that follow; returns the scenarios that have one, by what marks their tickets."""
    later = {_mark(scenario): scenario for scenario in scenarios if scenario.later_body(datetime.now(UTC))}
    for scenario in later.values():
        _post(scenario, scenario.later_body(datetime.now(UTC)), host_url)
    return later


def _post(scenario: Scenario, body: Any, host_url: str) -> None:
    answer = requests.post(f"{host_url}/api/alerts", json=body, timeout=30)
    if answer.status_code != 202 or not answer.json()["accepted"]:
        print(f"           {scenario.name}: not accepted ({answer.status_code} {answer.text[:200]})", flush=True)


class Report:
    """Prints one line per ticket as it arrives, and knows which scenarios still wait for theirs."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self.started = time.monotonic()
        self.missing = {_mark(scenario): scenario for scenario in scenarios}
        self.total = len(scenarios)

    def say(self, text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - self.started:7.1f} s  {text}\n")
        sys.stdout.flush()

    def arrived(self, ticket: Ticket, event: dict[str, Any]) -> None:
        data = event["data"]
        text = json.dumps(data)
        scenario = next((mark for mark in self.missing if mark in text), None)
        name = self.missing.pop(scenario).name if scenario else "?"
        code = (data["error"] or {}).get("code") or event["type"]
        without = "no cause to check" if event["type"] == "incident.opened" else event["type"]
        lead = next((f"{finding['verdict']}: {finding['cause']}" for finding in data["findings"]), without)
        self.say(f"{ticket.id:8} {name:34} {code:44} {lead}")
        if url := data.get("incident", {}).get("url"):
            sys.stdout.write(f"{'':21}page: {url}\n")

    def finish(self) -> None:
        for scenario in self.missing.values():
            self.say(f"NO TICKET  {scenario.name}")
        self.say(f"{self.total - len(self.missing)} of {self.total} scenarios have their ticket")


def _mark(scenario: Scenario) -> str:
    """What tells a scenario's ticket from the others': its subscription; the raw body has none."""
    return "misdirected system" if scenario.name == "unreadable" else scenario.subscription


def _port(name: str) -> int:
    """A fixed port from the environment, or 0 for any free one."""
    text = os.environ.get(name, "0")
    if not text.isdigit():
        raise SystemExit(f"{name} must be a port number.")
    return int(text)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself: 0 only if every scenario's ticket arrived")
    parser.add_argument("--scenario", default="", help="only this one")
    parser.add_argument("--verbose", action="store_true", help="show the function host's log")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
