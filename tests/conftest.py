"""The whole sandbox, started once for all tests that need it: Azurite, the simulated Azure, the ticket desk, the function host."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
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
from sandbox.scenario import Scenario, load_scenarios
from sandbox.ticket_desk import Desk, running_desk

pytest_plugins = ["tests.workbench"]

ROOT = Path(__file__).parent.parent
hypothesis.settings.register_profile("patient", deadline=None)  # a loaded machine is no finding
hypothesis.settings.load_profile("patient")
os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")


@dataclass
class Sandbox:
    """Everything that runs, and what was fired: the answers of /api/alerts by scenario."""

    storage: str
    azure: RunningAzure
    desk: Desk
    host_url: str
    answers: dict[str, requests.Response]

    def post(self, body: Any, **headers: str) -> requests.Response:
        return requests.post(f"{self.host_url}/api/alerts", json=body, headers=headers, timeout=30)

    def settle(self) -> None:
        """Wait until what was posted until now is worked on: until an alert that came after it has its ticket, and a moment."""
        mark = str(uuid4())
        self.post({mark: "a shape of its own"})
        self.event_with(mark)
        time.sleep(1)

    def event_with(self, mark: str, seconds: float = 60, kind: str = "") -> dict[str, Any]:
        """The event that holds a text, of a kind if one is asked for; waits for it."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.desk.events() if mark in str(event) and kind in event["type"]]

        assert self.desk.wait_for(lambda _: bool(found()), seconds), f"no ticket for {mark}"
        return found()[-1]


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
    """The sandbox with every scenario's alert fired."""
    scenarios = load_scenarios()
    with ExitStack() as stack:
        azure = stack.enter_context(running_azure(scenarios))
        desk = stack.enter_context(running_desk(SECRET))
        settings = sandbox_settings(azurite, azure.url, desk.webhook_url) | {"SANDBOX_VISIBILITY_SECONDS": "1"}
        host = stack.enter_context(running_host(ROOT, settings))
        found = Sandbox(azurite, azure, desk, host.url, {})
        for scenario in scenarios:
            found.answers[scenario.name] = found.post(scenario.alert_body(datetime.now(UTC)))
        for scenario in scenarios:
            if later := scenario.later_body(datetime.now(UTC)):
                found.event_with(scenario.subscription)
                found.post(later)
        yield found


def all_scenarios() -> list[Scenario]:
    return load_scenarios()
