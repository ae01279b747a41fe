"""Redmine, as it answers: https://www.redmine.org/projects/redmine/wiki/Rest_Issues. A real one is in test_redmine_server.py."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import REOPENED, UPDATED, failed, incident, resolved
from tests.tickets.system import Reply, System, posted, running_system, target_at


def issue(number: int = 7, status: int = 1, key: str = "") -> dict[str, Any]:
    """An issue as Redmine 5.0.4 shows it."""
    return {
        "id": number, "status": {"id": status, "name": f"status {status}", "is_closed": status > 4},
        "custom_fields": [{"id": 3, "name": "Incident key", "value": key or incident().id}],
    }  # fmt: skip


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        found.on("POST", "/issues.json", Reply(201, {"issue": issue()}))
        found.on("GET", "/issues/7.json", Reply(200, {"issue": issue()}))
        found.on("PUT", "/issues/7.json", Reply(204))
        yield found


def target(system: System, name: str = "redmine", **options: Any) -> Target:
    return target_at(system.url, name, **{"project": "backup", "key_field": 3, **options})


def known(system: System) -> tuple[str, str]:
    return "7", f"{system.url}/issues/7"


def lines(system: System) -> list[str]:
    return [f"{asked.method} {asked.path}" for asked in system.asked]


def test_a_failure_opens_an_issue_with_the_key_in_its_field(system: System) -> None:
    assert posted(target(system), failed()) == Posted(*known(system))
    (asked,) = system.asked
    assert asked.headers["x-redmine-api-key"] == "s3cret"
    sent = asked.json["issue"]
    assert sent.pop("description").startswith("h1. Backup of @vm")
    assert sent == {
        "project_id": "backup", "priority_id": 4, "subject": failed().event["data"]["title"],
        "custom_fields": [{"id": 3, "value": incident().id}],
    }  # fmt: skip


def test_what_the_options_name_goes_along(system: System) -> None:
    options: dict[str, Any] = {
        "tracker": 2, "statuses": {"open": 8}, "priorities": {"Sev1": 9}, "fields": {"assigned_to_id": 12},
        "custom_fields": [{"id": 5, "value": "storage"}],
    }  # fmt: skip
    posted(target(system, **options), failed())
    sent = system.asked[0].json["issue"]
    assert (sent["tracker_id"], sent["status_id"], sent["priority_id"], sent["assigned_to_id"]) == (2, 8, 9, 12)
    assert sent["custom_fields"] == [{"id": 3, "value": incident().id}, {"id": 5, "value": "storage"}]


def test_a_server_that_shows_markdown_gets_markdown(system: System) -> None:
    posted(target(system, "redmine_markdown"), failed())
    assert system.asked[0].json["issue"]["description"].startswith("# Backup of `vm")


def test_an_update_is_a_note_and_leaves_the_status(system: System) -> None:
    posted(target(system), failed(UPDATED, ticket=known(system)))
    assert list(system.asked[-1].json["issue"]) == ["notes"]


def test_a_status_is_set_by_its_id_and_read_back(system: System) -> None:
    states = iter((1, 3, 3, 2))
    system.on("GET", "/issues/7.json", lambda asked: Reply(200, {"issue": issue(status=next(states))}))
    posted(target(system), resolved(ticket=known(system)))
    posted(target(system), failed(REOPENED, ticket=known(system)))
    assert [asked.json["issue"]["status_id"] for asked in system.named("PUT", ".*")] == [3, 2]


def test_a_status_that_redmine_passes_over_is_an_error(system: System) -> None:
    with pytest.raises(TicketNotPosted, match="left the status at status 1: the workflow must allow") as refusal:
        posted(target(system), resolved(ticket=known(system)))
    assert refusal.value.permanent


@pytest.mark.parametrize("status", [3, 5, 6, 9])
def test_what_a_person_closed_is_not_resolved_again(system: System, status: int) -> None:
    system.on("GET", "/issues/7.json", Reply(200, {"issue": issue(status=status)}))
    posted(target(system), resolved(ticket=known(system)))
    assert lines(system) == ["GET /issues/7.json"]


def test_of_all_issues_that_redmine_answers_with_only_the_one_with_our_key_is_taken(system: System) -> None:
    others = [issue(90, key="0" * 32), {"id": 91, "status": {"id": 1}}]
    system.on("GET", "/issues.json", Reply(200, {"issues": [*others, issue()]}))
    assert posted(target(system), failed(), may_exist=True) == Posted(*known(system))
    (asked,) = system.asked
    assert asked.query == {"project_id": "backup", "status_id": "*", "cf_3": incident().id, "sort": "id:desc", "limit": "100"}

    system.on("GET", "/issues.json", Reply(200, {"issues": others}))
    posted(target(system), failed(), may_exist=True)
    assert lines(system)[-1] == "POST /issues.json"
