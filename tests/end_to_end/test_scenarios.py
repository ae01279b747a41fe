"""Every scenario, all the way: alert posted over HTTP, queued in Azurite, worked on in Microsoft's worker library, ticket received."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.facts import GIVEN, all_facts
from sandbox.scenario import Scenario
from tests.conftest import Sandbox, all_scenarios
from tests.event_schema import EVENT_SCHEMA


def event_of(scenario: Scenario, sandbox: Sandbox) -> dict[str, Any]:
    mark = "misdirected system" if scenario.name == "unreadable" else scenario.subscription
    return sandbox.event_with(mark, kind=scenario.expect.type)


def lines_of(event: dict[str, Any]) -> list[str]:
    return [c["line"] for f in event["data"]["findings"] for step in f["remediation"] for c in step["commands"]]


@pytest.mark.parametrize("scenario", all_scenarios(), ids=lambda scenario: scenario.name)
def test_the_ticket_of_a_scenario_holds_what_it_should(scenario: Scenario, sandbox: Sandbox) -> None:
    assert sandbox.answers[scenario.name].status_code == 202
    event, expect = event_of(scenario, sandbox), scenario.expect
    EVENT_SCHEMA.validate(event)
    error = event["data"]["error"] or {}
    verdicts = {finding["cause"]: finding["verdict"] for finding in event["data"]["findings"]}
    assert event["type"] == expect.type
    assert {e["fact"] for f in event["data"]["findings"] for e in f["evidence"]} <= set(all_facts()) | set(GIVEN)
    assert expect.code is None or error["code"].lower() == expect.code.lower()
    assert expect.matched_by is None or error["matched_by"] == expect.matched_by
    assert {cause: verdicts.get(cause) for cause in expect.verdicts} == expect.verdicts
    lines = "\n".join(lines_of(event))
    assert [part for part in expect.commands if part not in lines] == []
    assert [part for part in expect.not_commands if part in lines] == []
    assert [part for part in expect.texts if part not in event["data"]["runbook"]["markdown"]] == []
    assert [part for part in expect.not_texts if part in event["data"]["runbook"]["markdown"]] == []


@pytest.mark.parametrize("scenario", all_scenarios(), ids=lambda scenario: scenario.name)
def test_no_other_vm_is_named_in_a_ticket(scenario: Scenario, sandbox: Sandbox) -> None:
    text = json.dumps(event_of(scenario, sandbox))
    others = {other.subscription for other in all_scenarios()} - {scenario.subscription}
    assert [other for other in others if other in text] == []


def test_a_recovery_is_told_to_the_ticket_of_the_failure(sandbox: Sandbox) -> None:
    scenario = next(found for found in all_scenarios() if found.name == "recovered")
    event_of(scenario, sandbox)
    ticket = next(ticket for ticket in sandbox.desk.tickets if scenario.subscription in str(ticket.events))
    assert [event["type"] for event in ticket.events] == ["incident.opened", "incident.resolved"]
    assert ticket.status == "resolved"


def test_every_fact_is_read_at_most_once_for_an_alert(sandbox: Sandbox) -> None:
    scenario = next(found for found in all_scenarios() if found.name == "internal_error_windows")
    event_of(scenario, sandbox)
    reads = [call.path for call in sandbox.azure.calls() if scenario.subscription in call.path and call.method == "GET"]
    assert len(reads) == len(set(reads))
    assert len(reads) <= 17, "two of them, its group and the log of authorizations, are for what was changed and whose it is"


def test_a_long_retry_after_is_never_slept(sandbox: Sandbox) -> None:
    scenario = next(found for found in all_scenarios() if found.name == "throttled")
    event_of(scenario, sandbox)
    calls = [call for call in sandbox.azure.calls() if scenario.subscription in call.path]
    throttled = [call.path for call in calls if call.status == 429]
    assert throttled
    assert len(throttled) == len(set(throttled)), "a throttled read was tried again"
    assert max(call.ended - call.started for call in calls) < 10


def test_no_token_was_sent_over_plain_http(sandbox: Sandbox) -> None:
    assert [call.path for call in sandbox.azure.calls() if call.status == 400] == []


def test_hostile_text_stays_inert_in_every_form(sandbox: Sandbox) -> None:
    scenario = next(found for found in all_scenarios() if found.name == "hostile_extension_message")
    event = event_of(scenario, sandbox)
    html, markdown = event["data"]["runbook"]["html"], event["data"]["runbook"]["markdown"]
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "\x1b" not in markdown
    assert "reboot" not in "\n".join(lines_of(event))
    assert html.count("<h1>") == 1
    assert "not a heading" in markdown
    outside_code = "".join(
        part for index, part in enumerate(html.replace("<pre>", "<code>").split("<code")) if index == 0 or "</code>" in part
    )
    assert "@everyone" not in "".join(piece.rpartition("</code>")[2] for piece in outside_code.split("<code"))
