"""ALERTS_KEY and ALERTS_AUTH through the app's own HTTP route, in Microsoft's worker library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from sandbox.__main__ import sandbox_settings
from sandbox.azurite import connection_string
from sandbox.function_host import running_host
from tests.conftest import ROOT

NOWHERE = sandbox_settings(connection_string(9, 9, 9), "http://127.0.0.1:9", "http://127.0.0.1:9")
OLD, NEW = "old-" + "k" * 40, "new/+" + "k" * 40
BUDGET = {
    "schemaId": "azureMonitorCommonAlertSchema",
    "data": {"essentials": {"monitoringService": "CostAlerts"}, "alertContext": {"AlertCategory": "budgets"}},
}
"""An alert about something else: it is answered with 202 and needs no queue."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_host(ROOT, NOWHERE | {"ALERTS_KEY": f"{OLD}, {NEW}"}) as host:
        yield f"{host.url}/api/alerts"


@pytest.mark.parametrize("key", [OLD, NEW])
def test_each_of_two_keys_opens_the_route(address: str, key: str) -> None:
    assert requests.post(address, json=BUDGET, params={"code": key}, timeout=30).status_code == 202
    assert requests.post(address, json=BUDGET, headers={"X-Functions-Key": key}, timeout=30).status_code == 202


@pytest.mark.parametrize("key", ["", "wrong", OLD[:-1]])
def test_any_other_key_is_401_and_nothing_is_said(address: str, key: str) -> None:
    answers = [
        requests.post(address, json=BUDGET, params={"code": key}, timeout=30),
        requests.post(address, data=b"{", headers={"x-functions-key": key}, timeout=30),
        requests.options(address, headers={"WebHook-Request-Origin": "eventgrid.azure.net"}, timeout=30),
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(401, b"")] * 3
    assert "WebHook-Allowed-Origin" not in answers[2].headers


ASK = """
from pathlib import Path
from sandbox.function_worker import Worker
print(next(function.trigger["authLevel"] for function in Worker(Path.cwd()).functions if function.name == "alerts"))
"""


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        ({}, "FUNCTION"),
        ({"ALERTS_KEY": OLD}, "ANONYMOUS"),
        ({"ALERTS_AUTH": "entra", "WEBSITE_AUTH_ENABLED": "True"}, "ANONYMOUS"),
    ],
)
def test_the_hosts_own_keys_are_asked_for_only_where_nobody_else_checks(settings: dict[str, str], level: str) -> None:
    environment = {"PATH": os.environ["PATH"], "TICKET_URL": "https://t.example.com", "PYTHONDONTWRITEBYTECODE": "1", **settings}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().endswith(level), done.stderr


def test_entra_without_app_service_authentication_does_not_start_and_says_so() -> None:
    environment = {"PATH": os.environ["PATH"], "TICKET_URL": "https://t.example.com", "ALERTS_AUTH": "entra"}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert "ALERTS_AUTH is entra, but App Service authentication is off" in done.stderr
