"""GitHub issues: https://docs.github.com/en/rest/issues/issues"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.tickets.answers import Posted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import REOPENED, UPDATED, failed, resolved
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at

ISSUES = "/repos/acme/backup/issues"
KNOWN = ("7", "https://github.example.com/acme/backup/issues/7")
DESCRIPTION = "github-issues.json"


@dataclass
class GitHub:
    """A repository with the issues that were opened in it."""

    system: System
    issues: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        on = self.system.on
        on("POST", ISSUES, self.opened)
        on("GET", ISSUES, lambda asked: Reply(200, self.issues))
        on("GET", f"{ISSUES}/7", lambda asked: Reply(200, self.issues[0]))
        on("PATCH", f"{ISSUES}/7", self.patched)
        on("POST", f"{ISSUES}/7/comments", Reply(201, {"id": 1}))

    def opened(self, asked: Asked) -> Reply:
        labels = [{"name": name} for name in asked.json["labels"]]
        issue = {
            "id": 900 + len(self.issues),
            "number": 7 + len(self.issues),
            "state": "open",
            "labels": labels,
            "html_url": KNOWN[1],
        }
        self.issues.append(issue)
        return Reply(201, issue)

    def patched(self, asked: Asked) -> Reply:
        self.issues[0] |= {"state": asked.json["state"]}
        return Reply(200, self.issues[0])


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        yield found


@pytest.fixture
def github(system: System) -> GitHub:
    return GitHub(system)


def target(system: System, **options: Any) -> Target:
    return target_at(system.url, "github", **{"repository": "acme/backup", **options})


def lines(system: System) -> list[str]:
    return [f"{asked.method} {asked.path}" for asked in system.asked]


def test_a_failure_opens_an_issue_with_the_key_as_a_label(github: GitHub, system: System) -> None:
    posting = failed()
    assert posted(target(system, labels=["backup"], fields={"assignees": ["ops"]}), posting) == Posted(*KNOWN)
    [asked] = system.asked
    assert (asked.method, asked.path) == ("POST", ISSUES)
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    key = posting.event["data"]["incident"]["id"]
    assert asked.json == {
        "title": posting.event["data"]["title"], "body": asked.json["body"], "labels": [f"bk-{key}", "backup", "Sev1"],
        "assignees": ["ops"],
    }  # fmt: skip
    assert asked.json["body"].startswith("# Backup of `vm-pay-01` failed")


def test_a_severity_may_have_another_label_or_none(github: GitHub, system: System) -> None:
    posted(target(system, severity_labels={"Sev1": "priority: high"}), failed())
    posted(target(system, severity_labels=False), failed())
    assert [asked.json["labels"][1:] for asked in system.asked] == [["priority: high"], []]


def test_further_fields_cannot_take_the_key_away(github: GitHub, system: System) -> None:
    posted(target(system, fields={"labels": ["mine"], "title": "mine"}), failed())
    assert system.asked[0].json["labels"][0].startswith("bk-")
    assert system.asked[0].json["title"] == failed().event["data"]["title"]


def test_an_issue_is_closed_as_completed_and_says_that_it_is_reopened(github: GitHub, system: System) -> None:
    posted(target(system), failed())
    posted(target(system), resolved(ticket=KNOWN))
    posted(target(system), failed(REOPENED, ticket=KNOWN))
    assert [asked.json for asked in system.named("PATCH", ".*")] == [
        {"state": "closed", "state_reason": "completed"},
        {"state": "open", "state_reason": "reopened"},
    ]


@pytest.mark.parametrize("theirs", [{"labels": [{"name": "bk-other"}]}, {"labels": []}, {"pull_request": {"url": "…"}}])
def test_what_does_not_carry_the_key_or_is_a_pull_request_is_not_touched(
    github: GitHub, system: System, theirs: dict[str, Any]
) -> None:
    posted(target(system), failed())
    github.issues[0] |= theirs
    posted(target(system), failed(UPDATED))
    assert lines(system)[1:] == [f"GET {ISSUES}", f"POST {ISSUES}"]


@pytest.mark.parametrize("status", [404, 410, 301, 307])
def test_an_issue_that_was_deleted_or_transferred_is_opened_anew_by_an_update(
    github: GitHub, system: System, status: int
) -> None:
    system.on("GET", f"{ISSUES}/7", Reply(status, {"message": "gone"}))
    system.on("GET", "/repos/acme/backup", Reply(200, {"full_name": "acme/backup"}))
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    looked = [] if status == 410 else ["GET /repos/acme/backup"]
    assert lines(system) == [f"GET {ISSUES}/7", *looked, f"POST {ISSUES}"]
    assert "This ticket continues ticket [`7`]" in system.asked[-1].json["body"]


@pytest.mark.parametrize("status", [410, 301])
def test_a_good_backup_leaves_an_issue_that_was_deleted_or_transferred(system: System, status: int) -> None:
    system.on("GET", f"{ISSUES}/7", Reply(status, {"message": "gone"}))
    system.on("GET", "/repos/acme/backup", Reply(200, {"full_name": "acme/backup"}))
    assert posted(target(system), resolved(ticket=KNOWN)) == Posted(*KNOWN)
    assert {asked.method for asked in system.asked} == {"GET"}
