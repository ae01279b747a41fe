"""Alerts of Jira Service Management: https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/

What is at hand is Opsgenie's description, whose requests these are: it serves for the bodies, and proves nothing of Jira Service Management.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import replace
from typing import Any

import pytest

from handlers.tickets.answers import Posted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import HOSTILE, OPENED, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets.vendor import FOLDER, complaint

BASE = "/jsm/ops/integration"
ALERTS = f"{BASE}/v2/alerts"
ACCEPTED = Reply(202, {"result": "Request will be processed", "took": 0.107, "requestId": "43a29c5c-3dbf-4fa4-9c26-f4f71023e120"})
SITE = "https://example.atlassian.net"


@pytest.fixture
def alerts() -> Iterator[System]:
    """The alerts API. Whatever was sent to it has the shape that Opsgenie's description has."""
    with running_system() as system:
        system.on("POST", f"{ALERTS}(/.*)?", ACCEPTED)
        yield system
        if FOLDER.is_dir():
            assert [complained(asked) for asked in system.asked] == [""] * len(system.asked)


def complained(asked: Asked) -> str:
    return complaint("opsgenie-alerts.json", asked, asked.path.removeprefix(BASE))


def jsm(alerts: System, **options: Any) -> Target:
    return target_at(f"{alerts.url}{BASE}/v2", "jira_service_management", **options)


def key_of(posting: Posting) -> str:
    key: str = posting.event["data"]["incident"]["id"]
    return key


def only(alerts: System) -> Asked:
    [asked] = alerts.asked
    assert asked.method == "POST"
    return asked


def test_a_failure_creates_an_alert_whose_alias_is_the_key(alerts: System) -> None:
    change = failed(OPENED)
    found = posted(jsm(alerts, site=SITE), change)
    assert found == Posted(key_of(change), f"{SITE}/jira/ops/alerts?view=list&query=alias%3A{key_of(change)}")
    asked = only(alerts)
    assert (asked.path, asked.headers["authorization"]) == (ALERTS, "GenieKey s3cret")
    body = asked.json
    assert "az lock delete" in body.pop("description")
    assert body.pop("details").keys() == {"error", "vm", "vault"}
    assert body == {
        "message": "Backup of vm-pay-01 failed: The VM has reached the limit of restore points",
        "alias": key_of(change), "priority": "P2", "source": "Backup Runbooks", "entity": "vm-pay-01", "tags": ["azure-backup"],
    }  # fmt: skip


def test_without_a_site_there_is_no_link(alerts: System) -> None:
    assert posted(jsm(alerts), failed(OPENED)).url == ""


def test_options_fill_the_fields_of_a_new_alert(alerts: System) -> None:
    team = {"type": "team", "id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c"}
    posted(jsm(alerts, responders=[team], tags=["a"], priority={"Sev1": "P1"}, fields={"actions": ["Restart"]}), failed(OPENED))
    body = only(alerts).json
    assert (body["responders"], body["tags"], body["priority"], body["actions"]) == ([team], ["a"], "P1", ["Restart"])


def test_a_further_failure_counts_the_alert_up_or_calls_again_and_is_a_note(alerts: System) -> None:
    change = failed(UPDATED)
    posted(jsm(alerts), change)
    counted, _ = alerts.asked
    assert (counted.path, counted.json["alias"]) == (ALERTS, key_of(change))


def test_or_it_is_a_note_alone(alerts: System) -> None:
    change = failed(UPDATED)
    posted(jsm(alerts, on_closed="note"), change)
    asked = only(alerts)
    assert (asked.path, asked.query) == (f"{ALERTS}/{key_of(change)}/notes", {"identifierType": "alias"})
    assert "Failure 2 of this incident" in asked.json["note"]


def test_a_good_backup_closes_the_alert(alerts: System) -> None:
    change = resolved()
    assert posted(jsm(alerts), change).id == key_of(change)
    asked = only(alerts)
    assert (asked.path, asked.query) == (f"{ALERTS}/{key_of(change)}/close", {"identifierType": "alias"})
    assert "job-good" in asked.json["note"]


def test_to_reopen_is_to_create_again_with_the_same_alias(alerts: System) -> None:
    change = failed(REOPENED, ticket=("", ""))
    posted(jsm(alerts), change)
    asked = only(alerts)
    assert (asked.path, asked.json["alias"]) == (ALERTS, key_of(change))


def test_a_second_try_has_the_same_alias(alerts: System) -> None:
    change = failed(OPENED)
    for may_exist in (False, True):
        posted(jsm(alerts), change, may_exist=may_exist)
    assert [(asked.path, asked.json["alias"]) for asked in alerts.asked] == [(ALERTS, key_of(change))] * 2


def test_a_storm_is_one_alert_from_its_begin_to_its_end(alerts: System) -> None:
    target = jsm(alerts)
    key = posted(target, storm("storm.opened")).id
    posted(target, storm("storm.updated", ticket=(key, "")))
    posted(target, storm("storm.resolved", ticket=(key, "")))
    assert [asked.path for asked in alerts.asked] == [ALERTS, ALERTS, f"{ALERTS}/{key}/notes", f"{ALERTS}/{key}/close"]
    assert alerts.asked[0].json["entity"] == "30 × UserErrorRpCollectionLimitReached"


def test_an_alert_that_nobody_can_read_is_created_too(alerts: System) -> None:
    posted(jsm(alerts), unreadable())
    body = only(alerts).json
    assert body["priority"] == "P3"
    assert "@here #1 ‹!channel> {{x}}" in body["description"]


def test_a_long_title_is_cut(alerts: System) -> None:
    change = failed(OPENED)
    posted(jsm(alerts), replace(change, event={**change.event, "data": {**change.event["data"], "title": "<b>" + "x" * 200}}))
    message = only(alerts).json["message"]
    assert (len(message), message[:3], message[-1]) == (130, "‹b>", "…")


@pytest.mark.parametrize("change", [failed(OPENED, HOSTILE), failed(UPDATED, HOSTILE)])
def test_no_html_begins_in_hostile_text(alerts: System, change: Posting) -> None:
    posted(jsm(alerts), change)
    assert not [asked for asked in alerts.asked if b"<" in asked.body]
