"""The whole sandbox, started once for all tests that need it: Azurite, the simulated Azure, the ticket desk, the function host.

`make test` runs two workers: those that start function hosts stay on one of them (HOSTS).
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
import requests

from sandbox.__main__ import SECRET, sandbox_settings
from sandbox.azure import RunningAzure, running_azure
from sandbox.azurite import running_azurite
from sandbox.function_host import running_host
from sandbox.scenario import Scenario, apart, load_scenarios
from sandbox.ticket_desk import Desk, running_desk

pytest_plugins = ["tests.workbench"]

ROOT = Path(__file__).parent.parent
SEEKING = bool(os.environ.get("HYPOTHESIS_RANDOM"))
"""Other inputs each time, to find something; otherwise the same ones, so that a run says what the change did."""
hypothesis.settings.register_profile("patient", deadline=None, derandomize=not SEEKING)  # a loaded machine is no finding
hypothesis.settings.load_profile("patient")
os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")

PATIENCE_SECONDS = 150
"""How long a test waits for what takes a second on an idle machine; less than the time-out in pyproject.toml."""
AT_ONCE = 4
"""How many scenarios are diagnosed side by side."""
HOSTS = (
    "tests/bench/", "tests/end_to_end/", "tests/faults/",
    "tests/sandbox/test_function_host.py", "tests/sandbox/test_ticket_desk_in_chromium.py",
    "tests/web/test_page_in_host.py",
)  # fmt: skip
"""Tests that start function hosts: all on one worker, so that what they share starts once and no two crowds of processes take each
other's processors."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadscope`: the largest group first, then test by test. (`loadgroup` of pytest-xdist 3.8 sees no marks with pytest 9.2.)"""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class HostsTogether(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "function hosts" if nodeid.startswith(HOSTS) else nodeid

    return HostsTogether(config, log)


def wait_until[T](look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """What it sees, as soon as that is true; what it last saw when the time is over."""
    until = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return seen


@dataclass
class Sandbox:
    """Everything that runs, and what was fired: the answers of /api/alerts by scenario."""

    storage: str
    azure: RunningAzure
    desk: Desk
    host_url: str
    answers: dict[str, requests.Response]
    texts: dict[int, str] = field(default_factory=dict)

    def post(self, body: Any, **headers: str) -> requests.Response:
        return requests.post(f"{self.host_url}/api/alerts", json=body, headers=headers, timeout=30)

    def settle(self) -> None:
        """Wait until what was posted until now is worked on: until an alert that came after it has its ticket, and no message is in work."""
        mark = str(uuid4())
        self.post({mark: "a shape of its own"})
        self.event_with(mark)
        assert wait_until(lambda: self.messages_in_work() == 0)

    def messages_in_work(self) -> int:
        count: int = requests.get(f"{self.host_url}/admin/host/status", timeout=30).json()["messages"]
        return count

    def event_with(self, mark: str, kind: str = "") -> dict[str, Any]:
        """The event that holds a text, of a kind if one is asked for; waits for it."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.desk.events() if mark in self.text_of(event) and kind in event["type"]]

        assert self.desk.wait_for(lambda _: bool(found()), PATIENCE_SECONDS), f"no ticket for {mark}"
        return found()[-1]

    def text_of(self, event: dict[str, Any]) -> str:
        """All of an event, written once: every test looks for its own among all of them."""
        key = id(event)
        if key not in self.texts:
            self.texts[key] = json.dumps(event)
        return self.texts[key]


@pytest.fixture(autouse=True)
def log_levels() -> Iterator[None]:
    """A command that runs in a test's own process sets them, for itself only."""
    loggers = [logging.getLogger(), logging.getLogger("handlers")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    with running_azurite() as storage:
        yield storage


@pytest.fixture(scope="session")
def own_azurite() -> Iterator[str]:
    """A storage account that no function host listens on."""
    with running_azurite() as storage:
        yield storage


@pytest.fixture(scope="session")
def sandbox(azurite: str) -> Iterator[Sandbox]:
    """The sandbox with every scenario's alert fired, each as a lone failure."""
    scenarios = apart(load_scenarios())
    with ExitStack() as stack:
        azure = stack.enter_context(running_azure(scenarios))
        desk = stack.enter_context(running_desk(SECRET))
        settings = sandbox_settings(azurite, azure.url, desk.webhook_url) | {"SANDBOX_VISIBILITY_SECONDS": "0"}
        host = stack.enter_context(running_host(ROOT, settings))
        found = Sandbox(azurite, azure, desk, host.url, {})
        for scenario in scenarios:  # few at a time: on a slow machine a crowd's reads would come too late to be used
            found.answers[scenario.name] = found.post(scenario.alert_body(datetime.now(UTC)))
            wait_until(lambda: found.messages_in_work() < AT_ONCE)
        for scenario in scenarios:
            if later := scenario.later_body(datetime.now(UTC)):
                found.event_with(scenario.subscription)
                found.post(later)
        yield found


def all_scenarios() -> list[Scenario]:
    return load_scenarios()
