"""PagerDuty's Events API v2: https://developer.pagerduty.com/docs/send-alert-event"""

from __future__ import annotations

from collections.abc import Iterator
from copy import replace
from typing import Any

import pytest

from handlers.tickets.answers import Posted
from handlers.tickets.engine.definition import DefinitionError, load
from handlers.tickets.engine.target import Target
from tests.tickets.changes import HOSTILE, OPENED, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets.vendor import FOLDER, complaint

DESCRIPTION = "pagerduty-events-v2.json"
ENQUEUE = "/v2/enqueue"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
TICKET = ("a" * 32, "")


def accepted(asked: Asked) -> Reply:
    return Reply(202, {"status": "success", "message": "Event processed", "dedup_key": asked.json["dedup_key"]})


@pytest.fixture
def events() -> Iterator[System]:
    """The Events API. Whatever was sent to it is as PagerDuty's own description has it."""
    with running_system() as system:
        system.on("POST", ENQUEUE, accepted)
        yield system
        if FOLDER.is_dir():
            assert [complaint(DESCRIPTION, asked) for asked in system.asked] == [""] * len(system.asked)


def pagerduty(events: System, **options: Any) -> Target:
    return target_at(events.url, "pagerduty", secret=ROUTING_KEY, **options)


def key_of(posting: Posting) -> str:
    key: str = posting.event["data"]["incident"]["id"]
    return key


def sent(events: System) -> dict[str, Any]:
    """The event of the only request."""
    [asked] = events.asked
    assert (asked.method, asked.path) == ("POST", ENQUEUE)
    body: dict[str, Any] = asked.json
    return body


def test_a_failure_triggers_an_alert_that_is_known_by_the_key(events: System) -> None:
    change = failed(OPENED)
    assert posted(pagerduty(events), change) == Posted(key_of(change))
    body = sent(events)
    payload = body.pop("payload")
    details = payload.pop("custom_details")
    assert body == {
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": key_of(change),
        "client": "Backup Runbooks",
    }
    assert payload == {
        "summary": "Backup of vm-pay-01 failed: The VM has reached the limit of restore points",
        "source": "vm-pay-01", "severity": "error", "timestamp": "2026-11-22T19:30:00Z", "component": "Azure Backup",
        "group": "rg-payments", "class": "UserErrorRpCollectionLimitReached",
    }  # fmt: skip
    assert "az lock delete" in details["runbook"]
    assert details["failures"] == 1


def test_the_routing_key_is_in_the_body_and_nowhere_else(events: System) -> None:
    posted(pagerduty(events), failed(OPENED))
    [asked] = events.asked
    assert "authorization" not in asked.headers
    assert ROUTING_KEY not in str(asked.headers) + str(asked.query)
    assert asked.body.count(ROUTING_KEY.encode()) == 1


def test_a_file_whose_secret_goes_into_the_body_says_under_which_name() -> None:
    with pytest.raises(DefinitionError, match=r"auth\.field"):
        load("pagerduty", 'based_on = "pagerduty"\n[auth]\nfield = ""\n')


def test_the_runbook_page_is_linked_when_there_is_one(events: System) -> None:
    change = failed(OPENED)
    data = change.event["data"]
    page = "https://backup.example.com/api/runbooks/1?sig=x"
    event = {**change.event, "data": {**data, "incident": {**data["incident"], "url": page}}}
    posted(pagerduty(events), replace(change, event=event))
    body = sent(events)
    assert (body["links"], body["client_url"]) == ([{"href": page, "text": "Runbook"}], page)


def test_severity_component_and_details_are_options(events: System) -> None:
    posted(pagerduty(events, severity={"Sev1": "critical"}, component="", details={"team": "storage"}), failed(OPENED))
    payload = sent(events)["payload"]
    assert (payload["severity"], payload["custom_details"]["team"]) == ("critical", "storage")
    assert "component" not in payload


@pytest.mark.parametrize("change", [failed(UPDATED, ticket=TICKET), failed(REOPENED, ticket=TICKET), failed(UPDATED)])
def test_a_later_failure_is_another_trigger_with_the_same_key(events: System, change: Posting) -> None:
    """Of an open alert it becomes an entry of its log, of a resolved one a new incident."""
    posted(pagerduty(events), change)
    body = sent(events)
    assert (body["event_action"], body["dedup_key"]) == ("trigger", key_of(change))
    assert body["payload"]["custom_details"]["failures"] == 2


@pytest.mark.parametrize("ticket", [TICKET, ("", "")])
def test_a_good_backup_resolves_without_a_payload(events: System, ticket: tuple[str, str]) -> None:
    change = resolved(ticket=ticket)
    posted(pagerduty(events), change)
    assert sent(events) == {"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": key_of(change)}


def test_a_storm_is_one_alert_from_its_begin_to_its_end(events: System) -> None:
    for kind in ("storm.opened", "storm.updated", "storm.resolved"):
        posted(pagerduty(events), storm(kind))
    bodies = [asked.json for asked in events.asked]
    assert [body["event_action"] for body in bodies] == ["trigger", "trigger", "resolve"]
    assert len({body["dedup_key"] for body in bodies}) == 1
    payload = bodies[0]["payload"]
    assert (payload["source"], payload["group"]) == ("30 × UserErrorRpCollectionLimitReached", "westeurope")
    assert "vm-000" in payload["custom_details"]["runbook"]
    assert "vm" not in payload["custom_details"]


def test_an_alert_that_nobody_can_read_is_triggered_too(events: System) -> None:
    posted(pagerduty(events), unreadable())
    payload = sent(events)["payload"]
    assert payload["severity"] == "warning"
    assert "@here #1 <!channel> {{x}}" in payload["custom_details"]["runbook"]


def test_a_second_try_triggers_the_same_alert_again(events: System) -> None:
    """PagerDuty has no search: the dedup_key keeps it to one alert."""
    change = failed(OPENED)
    for may_exist in (False, True):
        posted(pagerduty(events), change, may_exist=may_exist)
    assert [asked.json["dedup_key"] for asked in events.asked] == [key_of(change)] * 2


@pytest.mark.parametrize(
    "change", [failed(OPENED), failed(OPENED, HOSTILE), storm(affected=200)], ids=["plain", "hostile", "storm"]
)
def test_events_and_keys_keep_to_the_limits(events: System, change: Posting) -> None:
    posted(pagerduty(events), change)
    [asked] = events.asked
    assert len(asked.body) < 512 * 1024
    assert len(asked.json["dedup_key"]) <= 255


def test_hostile_text_is_data(events: System) -> None:
    posted(pagerduty(events), failed(OPENED, HOSTILE))
    body = sent(events)
    assert set(body) == {"routing_key", "event_action", "dedup_key", "client", "payload"}
    assert "\n" not in body["payload"]["summary"]
