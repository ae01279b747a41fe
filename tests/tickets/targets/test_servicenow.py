"""ServiceNow's Table API on `incident`, as https://developer.servicenow.com/dev.do#!/reference/api/latest/rest/c_TableAPI has it.

ServiceNow publishes no description to check against: each instance makes its own.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from copy import replace
from typing import Any

import pytest
import requests

from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import load
from handlers.tickets.engine.target import Target
from tests.tickets.changes import HOSTILE, OPENED, REOPENED, UPDATED, Posting, failed, resolved, unreadable
from tests.tickets.system import NOW, Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets.checks import healthy_servicenow
from tests.tickets.targets.happy import running

TABLE = "/api/now/table/incident"
SYS_ID = "f" * 32
RECORD = f"{TABLE}/{SYS_ID}"
TICKET = (SYS_ID, "https://example.service-now.com/kept")
KNOWN = Posted(*TICKET)


def record(state: str, key: str = "", sys_id: str = SYS_ID) -> dict[str, Any]:
    return {"sys_id": sys_id, "number": "INC0010023", "state": state, "correlation_id": key}


def created(asked: Asked) -> Reply:
    """https://developer.servicenow.com/dev.do#!/reference/api/latest/rest/c_TableAPI#table-POST: 201 with the fields asked for."""
    return Reply(201, {"result": record("1", asked.json["correlation_id"])}, {"Location": f"http://127.0.0.1{RECORD}"})


def changed(asked: Asked) -> Reply:
    return Reply(200, {"result": record(asked.json.get("state", "2"))})


@pytest.fixture
def instance() -> Iterator[System]:
    with running_system() as system:
        system.on("POST", TABLE, created)
        system.on("PATCH", RECORD, changed)
        system.on("GET", RECORD, Reply(200, {"result": record("2")}))
        system.on("GET", TABLE, Reply(200, {"result": []}))
        yield system


def servicenow(instance: System, *, user: str = "svc.backup", **options: Any) -> Target:
    """Without files, which have tests of their own."""
    return target_at(instance.url, "servicenow", user=user, **{"attach": "never", **options})


def key_of(posting: Posting) -> str:
    key: str = posting.event["data"]["incident"]["id"]
    return key


def sent(instance: System, method: str, path: str = ".*") -> Mapping[str, Any]:
    """The JSON of the only request of a method."""
    [asked] = instance.named(method, path)
    body: dict[str, Any] = asked.json
    return body


def test_a_failure_opens_an_incident_that_carries_the_key(instance: System) -> None:
    change = failed(OPENED)
    found = posted(servicenow(instance), change)
    assert found == Posted(SYS_ID, f"{instance.url}/nav_to.do?uri=incident.do?sys_id={SYS_ID}")
    [asked] = instance.asked
    assert asked.path == TABLE
    assert asked.query == {"sysparm_fields": "sys_id,number,state,correlation_id", "sysparm_exclude_reference_link": "true"}
    body = asked.json
    assert "az lock delete" in body.pop("description")
    assert body.pop("correlation_display").startswith("Backup Runbooks br")
    assert body == {
        "short_description": "Backup of vm-pay-01 failed: The VM has reached the limit of restore points",
        "correlation_id": key_of(change),
        "impact": "2",
        "urgency": "1",
    }


def test_options_fill_the_fields_of_a_new_incident(instance: System) -> None:
    options: dict[str, Any] = {
        "assignment_group": "a" * 32, "caller_id": "b" * 32, "category": "software", "fields": {"cmdb_ci": "c" * 32, "contact_type": "event"},
        "urgency": {"Sev1": "3"},
    }  # fmt: skip
    posted(servicenow(instance, **options), failed(OPENED))
    body = sent(instance, "POST")
    assert (body["assignment_group"], body["caller_id"], body["category"]) == ("a" * 32, "b" * 32, "software")
    assert (body["cmdb_ci"], body["contact_type"], body["urgency"], body["impact"]) == ("c" * 32, "event", "3", "2")


@pytest.mark.parametrize(
    ("user", "expected"), [("svc", "Basic " + base64.b64encode(b"svc:s3cret").decode()), ("", "Bearer s3cret")]
)
def test_without_a_user_the_secret_is_a_bearer_token(instance: System, user: str, expected: str) -> None:
    posted(servicenow(instance, user=user), failed(OPENED))
    assert instance.asked[0].headers["authorization"] == expected


API_KEY = """
based_on = "servicenow"
[auth]
kind = "header"
header = "x-sn-apikey"
value = "{secret}"
[text]
most = 32000
"""


def test_a_file_of_ones_own_says_the_difference_only(instance: System) -> None:
    settings = Settings(ticket_url=instance.url, ticket_target="servicenow", ticket_secret="s3cret")
    target = Target(load("servicenow", API_KEY), settings, requests.Session(), lambda: NOW)
    posted(target, failed(OPENED))
    [asked] = instance.asked
    assert asked.headers["x-sn-apikey"] == "s3cret"
    assert "authorization" not in asked.headers
    assert len(asked.json["description"]) > 4000


def test_the_runbook_page_is_linked_when_there_is_one(instance: System) -> None:
    change = failed(OPENED)
    data = change.event["data"]
    event = {
        **change.event,
        "data": {**data, "incident": {**data["incident"], "url": "https://backup.example.com/api/runbooks/1"}},
    }
    posted(servicenow(instance), replace(change, event=event))
    assert sent(instance, "POST")["work_notes"] == "The whole runbook: https://backup.example.com/api/runbooks/1"


def test_an_update_adds_a_work_note_and_changes_nothing_else(instance: System) -> None:
    assert posted(servicenow(instance), failed(UPDATED, ticket=TICKET)) == KNOWN
    read, asked = instance.asked
    assert (read.method, asked.method, asked.path, list(asked.json)) == ("GET", "PATCH", RECORD, ["work_notes"])
    assert "Failure 2 of this incident" in asked.json["work_notes"]
    assert "Risk: " in asked.json["work_notes"]


def test_a_resolved_incident_has_what_servicenow_asks_for(instance: System) -> None:
    assert posted(servicenow(instance, resolve_fields={"u_cause": "backup"}), resolved(ticket=TICKET)) == KNOWN
    assert [asked.method for asked in instance.asked] == ["GET", "PATCH"]
    body = dict(sent(instance, "PATCH"))
    assert "job-good" in body.pop("close_notes")
    assert body == {"state": "6", "close_code": "Solution provided", "u_cause": "backup"}


@pytest.mark.parametrize("state", ["6", "7", "8"])
def test_what_a_person_closed_is_not_resolved_again(instance: System, state: str) -> None:
    instance.on("GET", RECORD, Reply(200, {"result": record(state)}))
    assert posted(servicenow(instance), resolved(ticket=TICKET)) == KNOWN
    assert [asked.method for asked in instance.asked] == ["GET"]


def test_a_state_that_was_not_taken_is_told(instance: System) -> None:
    """Of a field that the account may not write, ServiceNow says 200 and leaves it as it was."""
    instance.on("PATCH", RECORD, Reply(200, {"result": record("2")}))
    with pytest.raises(TicketNotPosted, match="was not resolved") as caught:
        posted(servicenow(instance), resolved(ticket=TICKET))
    assert caught.value.permanent


def test_states_are_options_and_may_be_numbers(instance: System) -> None:
    instance.on("GET", RECORD, Reply(200, {"result": record("3")}))
    options: dict[str, Any] = {"resolved_state": 16, "closed_states": [16, 17], "final_states": [17]}
    posted(servicenow(instance, **options), resolved(ticket=TICKET))
    assert sent(instance, "PATCH")["state"] == "16"


def test_a_resolved_incident_is_reopened(instance: System) -> None:
    instance.on("GET", RECORD, Reply(200, {"result": record("6")}))
    assert posted(servicenow(instance), failed(REOPENED, ticket=TICKET)) == KNOWN
    body = sent(instance, "PATCH")
    assert body["state"] == "2"
    assert "open again" in body["work_notes"]


def test_an_open_incident_that_fails_again_gets_a_note_and_keeps_its_state(instance: System) -> None:
    posted(servicenow(instance), failed(REOPENED, ticket=TICKET))
    assert list(sent(instance, "PATCH")) == ["work_notes"]


def test_an_incident_that_was_deleted_is_opened_again(instance: System) -> None:
    instance.on("GET", RECORD, Reply(404, {"error": {"message": "No Record found"}}))
    instance.on("PATCH", RECORD, Reply(404, {"error": {"message": "No Record found"}}))
    assert posted(servicenow(instance), failed(REOPENED, ticket=TICKET)).id == SYS_ID
    assert instance.named("POST", TABLE)


@pytest.mark.parametrize("state", ["7", "8"])
def test_what_is_closed_for_good_is_not_reopened_and_another_incident_is_opened(instance: System, state: str) -> None:
    instance.on("GET", RECORD, Reply(200, {"result": record(state)}))
    new = "e" * 32
    instance.on("POST", TABLE, Reply(201, {"result": record("1", sys_id=new)}))
    change = failed(REOPENED, ticket=TICKET)
    assert posted(servicenow(instance), change).id == new
    assert sent(instance, "POST")["correlation_id"] == key_of(change)
    assert not instance.named("PATCH", ".*")


def test_an_update_of_an_incident_that_is_closed_for_good_opens_another(instance: System) -> None:
    instance.on("PATCH", RECORD, Reply(403, {"error": {"message": "Operation Failed", "detail": "ACL Exception"}}))
    instance.on("GET", RECORD, Reply(200, {"result": record("7")}))
    instance.on("POST", TABLE, Reply(201, {"result": record("1", sys_id="e" * 32)}))
    assert posted(servicenow(instance), failed(UPDATED, ticket=TICKET)).id == "e" * 32


def test_an_update_that_is_not_allowed_opens_no_second_incident(instance: System) -> None:
    instance.on("PATCH", RECORD, Reply(403, {"error": {"message": "Operation Failed", "detail": "ACL Exception"}}))
    with pytest.raises(TicketNotPosted, match="ACL Exception") as caught:
        posted(servicenow(instance), failed(UPDATED, ticket=TICKET))
    assert not caught.value.permanent
    assert not instance.named("POST", ".*")


@pytest.mark.parametrize(
    "change", [failed(OPENED), failed(UPDATED, ticket=TICKET), resolved(ticket=TICKET), failed(REOPENED, ticket=TICKET)]
)
def test_an_instance_that_sleeps_took_nothing(instance: System, change: Posting) -> None:
    """It answers 200 with a page of HTML."""
    instance.all_answer(Reply(200))
    with pytest.raises(TicketNotPosted) as caught:
        posted(servicenow(instance), change)
    assert not caught.value.permanent


def test_an_alert_that_nobody_can_read_is_an_incident_too(instance: System) -> None:
    assert posted(servicenow(instance), unreadable()).id == SYS_ID
    body = sent(instance, "POST")
    assert "@here #1 <!channel> {{x}}" in body["description"]
    assert (body["impact"], body["urgency"]) == ("2", "2")


def test_an_incident_of_somebody_else_is_not_touched(instance: System) -> None:
    """A condition that ServiceNow does not understand is dropped: then all incidents come back."""
    instance.on("GET", TABLE, Reply(200, {"result": [record("2", ""), record("2", "0" * 32)]}))
    change = failed(UPDATED)
    posted(servicenow(instance), change)
    assert sent(instance, "POST")["correlation_id"] == key_of(change)
    assert not instance.named("PATCH", ".*")


def test_an_update_without_an_id_finds_its_incident(instance: System) -> None:
    change = failed(UPDATED)
    instance.on("GET", TABLE, Reply(200, {"result": [record("2", "0" * 32, "d" * 32), record("2", key_of(change))]}))
    assert posted(servicenow(instance), change).id == SYS_ID
    assert instance.named("PATCH", RECORD)


def test_hostile_text_arrives_as_plain_text(instance: System) -> None:
    """In a journal what stands between [code] tags is HTML."""
    posted(servicenow(instance), failed(UPDATED, HOSTILE, ticket=TICKET))
    assert "[code]" not in sent(instance, "PATCH")["work_notes"].lower()


def test_who_may_not_read_choices_can_check_the_rest(instance: System) -> None:
    healthy_servicenow(instance)
    instance.on("GET", "/api/now/table/sys_(choice|user_group/.*)", Reply(403))
    servicenow(instance, assignment_group="a" * 32).check()


CI = "/api/now/table/cmdb_ci"


@pytest.mark.parametrize(
    ("answer", "item"),
    [
        (Reply(200, {"result": [{"sys_id": "c" * 32, "name": "vm-pay-01"}]}), "c" * 32),
        (Reply(200, {"result": [{"sys_id": "c" * 32, "name": "another"}]}), None),
        (Reply(200, {"result": [{"sys_id": "c" * 32, "name": "vm-pay-01"}, {"sys_id": "d" * 32, "name": "vm-pay-01"}]}), None),
        (Reply(200, {"result": []}), None),
        (Reply(403, {"error": {"message": "ACL"}}), None),
    ],
)
def test_the_configuration_item_is_found_by_its_name_and_left_out_if_that_is_not_clear(answer: Reply, item: str | None) -> None:
    with running("servicenow") as system:
        system.on("GET", CI, answer)
        target = target_at(system.url, "servicenow", user="svc", secret="s", configuration_item="= vm.name")
        posted(target, failed())
        (search,) = system.named("GET", CI)
        assert search.query["sysparm_query"] == "name=vm-pay-01"
        assert system.made[0].json.get("cmdb_ci") == item


def test_a_configuration_item_by_its_id_needs_no_search() -> None:
    with running("servicenow") as system:
        posted(target_at(system.url, "servicenow", user="svc", secret="s", configuration_item="c" * 32), failed())
        assert system.named("GET", CI) == []
        assert system.made[0].json["cmdb_ci"] == "c" * 32
