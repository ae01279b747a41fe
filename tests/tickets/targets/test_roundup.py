"""Roundup, as it answers: https://www.roundup-tracker.org/docs/rest.html. A real one is in test_roundup_tracker.py."""

from collections.abc import Iterator

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import REOPENED, UPDATED, failed, incident, resolved
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at

LINK = "https://tracker.example.com/backup/rest/data/issue/7"
KNOWN = ("7", "https://tracker.example.com/backup/issue7")


def issue(status: str) -> Reply:
    attributes = {"status": {"id": "8", "name": status}, "messages": [{"id": "1"}, {"id": "2"}]}
    return Reply(200, {"data": {"id": "7", "link": LINK, "@etag": '"abc"', "attributes": attributes}})


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        found.on("POST", "/rest/data/file", Reply(201, {"data": {"id": "5", "link": "…"}}))
        found.on("POST", "/rest/data/msg", Reply(201, {"data": {"id": "3", "link": "…"}}))
        found.on("POST", "/rest/data/issue/@poe", Reply(200, {"data": {"link": f"{LINK}/@poe/t0k3n", "expires": 1}}))
        found.on("POST", "/rest/data/issue/@poe/t0k3n", Reply(201, {"data": {"id": "7", "link": LINK}}))
        found.on("GET", "/rest/data/issue", Reply(200, {"data": {"collection": []}}))
        found.on("GET", "/rest/data/issue/7", issue("chatting"))
        found.on("PATCH", "/rest/data/issue/7", Reply(200, {"data": {"id": "7"}}))
        yield found


@pytest.fixture
def target(system: System) -> Target:
    return target_at(system.url, "roundup", user="backup")


def lines(system: System) -> list[str]:
    return [f"{asked.method} {asked.path}" for asked in system.asked]


def last_json(system: System) -> object:
    return system.asked[-1].json


def test_a_new_ticket_is_a_message_and_an_issue_that_is_made_once(system: System, target: Target) -> None:
    assert posted(target, failed()) == Posted(*KNOWN)
    assert lines(system) == ["POST /rest/data/msg", "POST /rest/data/issue/@poe", "POST /rest/data/issue/@poe/t0k3n"]
    assert system.asked[0].json["author"] == "backup"
    assert last_json(system) == {
        "title": "Backup of vm-pay-01 failed: The VM has reached the limit of restore points",
        "incident_key": incident().id, "status": "unread", "priority": "urgent", "messages": ["3"],
    }  # fmt: skip


def test_every_request_has_the_headers_without_which_roundup_refuses_it(system: System, target: Target) -> None:
    posted(target, failed())
    for asked in system.asked:
        assert asked.headers["origin"] == system.url
        assert asked.headers["x-requested-with"]
        assert asked.headers["authorization"].startswith("Basic ")
        assert asked.headers["content-type"] == "application/json", "with a charset it answers 415"


def test_a_note_names_the_status_that_is_so_that_roundup_does_not_open_a_closed_issue(system: System) -> None:
    system.on("GET", "/rest/data/issue/7", issue("resolved"))
    target = target_at(system.url, "roundup", user="backup", on_closed="note")
    posted(target, failed(UPDATED, ticket=KNOWN))
    assert lines(system) == ["GET /rest/data/issue/7", "POST /rest/data/file", "POST /rest/data/msg", "PATCH /rest/data/issue/7"]
    assert last_json(system) == {"messages": ["1", "2", "3"], "files": ["5"], "status": "8"}
    assert system.asked[-1].headers["if-match"] == '"abc"'


def test_resolving_and_reopening_set_the_statuses_of_the_options(system: System) -> None:
    target = target_at(system.url, "roundup", user="backup", statuses={"resolved": "done-cbb", "reopened": "in-progress"})
    posted(target, resolved(ticket=KNOWN))
    assert last_json(system) == {"messages": ["1", "2", "3"], "status": "done-cbb"}
    system.on("GET", "/rest/data/issue/7", issue("done-cbb"))
    posted(target, failed(REOPENED, ticket=KNOWN))
    assert last_json(system) == {"messages": ["1", "2", "3"], "files": ["5"], "status": "in-progress"}


def test_an_issue_that_was_changed_in_between_is_tried_again_later(system: System, target: Target) -> None:
    system.on(
        "PATCH", "/rest/data/issue/7", Reply(412, {"error": {"status": 412, "msg": "If-Match is missing or does not match."}})
    )
    with pytest.raises(TicketNotPosted) as refusal:
        posted(target, failed(UPDATED, ticket=KNOWN))
    assert not refusal.value.permanent


@pytest.mark.parametrize(("key", "opened"), [("somebody else's", 1), (None, 0)])
def test_after_a_lost_answer_an_issue_with_our_key_is_taken_and_no_other(
    system: System, target: Target, key: str | None, opened: int
) -> None:
    found = {"id": "7", "link": LINK, "incident_key": key or incident().id}
    system.on("GET", "/rest/data/issue", Reply(200, {"data": {"collection": [found]}}))
    assert posted(target, failed(), may_exist=True) == Posted(*KNOWN)
    assert system.asked[0].query["incident_key:"] == incident().id
    assert len(system.named("POST", "/rest/data/issue/@poe/.*")) == opened


def test_a_retired_issue_gets_a_successor(system: System, target: Target) -> None:
    system.on("PATCH", "/rest/data/issue/7", Reply(409, {"error": {"status": 409, "msg": "Requested item is retired"}}))
    posted(target, failed(UPDATED, ticket=KNOWN))
    assert lines(system)[-1] == "POST /rest/data/issue/@poe/t0k3n"


def test_further_fields_go_along(system: System) -> None:
    posted(target_at(system.url, "roundup", user="backup", fields={"assignedto": "ops"}), failed())
    assert system.asked[-1].json["assignedto"] == "ops"


def test_a_name_that_the_tracker_does_not_know_is_said_by_check(system: System, target: Target) -> None:
    def answer(asked: Asked) -> Reply:
        assert "backup_runbooks_check" in asked.json
        return Reply(400, {"error": {"status": 400, "msg": "property priority: 'critical' is not a priority."}})

    system.on("POST", "/rest/data/issue", answer)
    with pytest.raises(TicketNotPosted, match="'critical' is not a priority"):
        target.check()
