"""What the tests of readers share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.alerts import read
from handlers.azure.arm import Azure
from handlers.facts import gather
from handlers.facts.jobs import find_job
from handlers.model import Alert, Failure
from handlers.settings import Settings
from sandbox.azure import running_azure
from sandbox.scenario import load

Facts = Callable[..., Any]


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """`facts(yaml, *names)`: the facts of a small world, by name."""

    def of(text: str, *names: str) -> dict[str, Any]:
        path, now = tmp_path / "small_world.yaml", datetime.now(UTC)
        path.write_text(f"title: t\n{text}", encoding="utf-8")
        scenario = load(path)
        with running_azure([scenario]) as running:
            azure = Azure(Settings("http://127.0.0.1", arm_endpoint=running.url, logs_endpoint=running.url,
                                   log_analytics_workspace_id=scenario.workspace_id))  # fmt: skip
            (alert,) = read(scenario.alert_body(now))
            assert isinstance(alert, Alert)
            failure = Failure.of(alert, find_job(alert, azure).job, now)
            return {name: reading.value for name, reading in gather(names, failure, azure, message="", now=now).items()}

    return of
