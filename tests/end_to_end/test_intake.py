"""Intake over HTTP: large bodies survive, handshakes answer, storage down is 503, what fails for ever becomes a plain ticket."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest
import requests
from azure.storage.queue import BinaryBase64EncodePolicy, QueueClient

from sandbox.__main__ import sandbox_settings
from sandbox.azurite import connection_string, running_azurite
from sandbox.function_host import running_host
from sandbox.scenario import load_scenarios
from sandbox.ticket_desk import Trouble, running_desk
from tests.conftest import PATIENCE_SECONDS, ROOT, Sandbox

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios()}


@pytest.mark.parametrize("kib", [40, 60, 256])
def test_an_alert_of_up_to_256_kib_becomes_a_ticket(sandbox: Sandbox, kib: int) -> None:
    mark = str(uuid.uuid4())
    assert sandbox.post({mark: "é" * (kib * 512)}).status_code == 202
    assert sandbox.event_with(mark)["type"] == "alert.unreadable"


def test_a_body_that_looks_like_our_claim_check_is_read_as_a_body(sandbox: Sandbox) -> None:
    mark = str(uuid.uuid4())
    assert sandbox.post({mark: "claim"}).status_code == 202
    assert mark in sandbox.event_with(mark)["data"]["runbook"]["markdown"]


def test_what_is_not_json_is_400_and_a_budget_is_ignored(sandbox: Sandbox) -> None:
    assert requests.post(f"{sandbox.host_url}/api/alerts", data=b"{", timeout=10).status_code == 400
    budget = {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": {"monitoringService": "CostAlerts"}, "alertContext": {"AlertCategory": "budgets"}},
    }
    answer = sandbox.post(budget)
    assert (answer.status_code, answer.json()["accepted"]) == (202, [])
    assert answer.json()["ignored"]


def test_both_handshakes_are_answered_on_the_alerts_route(sandbox: Sandbox) -> None:
    event = [{"id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "c-0-d-e"}}]
    answer = sandbox.post(event, **{"aeg-event-type": "SubscriptionValidation"})
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "c-0-d-e"})
    options = requests.options(
        f"{sandbox.host_url}/api/alerts", headers={"WebHook-Request-Origin": "eventgrid.azure.net"}, timeout=10
    )
    assert (options.status_code, options.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")


@pytest.mark.parametrize("name", ["event_grid_backup_now", "cloud_event_backup_now"])
def test_an_event_through_the_event_grid_trigger_becomes_the_same_ticket(sandbox: Sandbox, name: str) -> None:
    body = SCENARIOS[name].alert_body(datetime.now(UTC))
    url = f"{sandbox.host_url}/runtime/webhooks/eventgrid?functionName=backup_event"
    assert requests.post(url, json=body, timeout=30).status_code == 202
    assert sandbox.event_with(SCENARIOS[name].subscription)["data"]["error"]["code"] == "UserErrorGuestAgentStatusUnavailable"


def test_the_same_alert_twice_is_posted_once(sandbox: Sandbox) -> None:
    scenario = SCENARIOS["disk_33_tib_linux"]
    sandbox.event_with(scenario.subscription)
    sandbox.post(scenario.alert_body(datetime.now(UTC)))
    sandbox.settle()
    assert len([event for event in sandbox.desk.events() if scenario.subscription in json.dumps(event)]) == 1
    assert sandbox.desk.repeats == 0


def test_health_says_whether_storage_answers_and_nothing_else(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.host_url}/api/health", timeout=20)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_without_storage_intake_is_503_with_retry_after_and_health_too() -> None:
    settings = sandbox_settings(connection_string(9, 9, 9), "http://127.0.0.1:9", "http://127.0.0.1:9")
    with running_host(ROOT, settings) as host:
        body = SCENARIOS["restore_point_group_locked"].alert_body(datetime.now(UTC))
        answer = requests.post(f"{host.url}/api/alerts", json=body, timeout=60)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "30")
        assert requests.get(f"{host.url}/api/health", timeout=60).status_code == 503


def test_a_message_that_fails_again_and_again_becomes_a_plain_ticket(sandbox: Sandbox) -> None:
    """Its blob is gone: nothing can be done with it but to tell a person."""
    mark = str(uuid.uuid4())
    queue = QueueClient.from_connection_string(sandbox.storage, "alerts", message_encode_policy=BinaryBase64EncodePolicy())
    queue.send_message(json.dumps({"backupRunbooks": "alert", "blob": f"{mark}.json"}).encode())
    event = sandbox.event_with(mark)
    assert event["data"]["title"] == "An alert could not be processed"


def test_a_ticket_system_that_is_down_for_a_while_gets_its_ticket_later() -> None:
    with running_azurite() as storage, running_desk() as desk:
        desk.next_posts = [Trouble(status=503), Trouble(status=500)]
        settings = sandbox_settings(storage, "http://127.0.0.1:9", desk.webhook_url) | {"SANDBOX_VISIBILITY_SECONDS": "1"}
        with running_host(ROOT, settings) as host:
            mark = str(uuid.uuid4())
            requests.post(f"{host.url}/api/alerts", json={"mark": mark}, timeout=30)
            assert desk.wait_for(lambda events: any(mark in json.dumps(event) for event in events), PATIENCE_SECONDS)
        assert [event["data"]["title"] for event in desk.events()] == ["An alert could not be read"]
