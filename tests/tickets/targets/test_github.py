"""GitHub issues: https://docs.github.com/en/rest/issues/issues"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import DefinitionError
from handlers.tickets.engine.target import Target
from tests.tickets import changes
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets import vendor

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


def test_an_issue_lives_from_the_failure_to_the_good_backup_and_back(github: GitHub, system: System) -> None:
    ours = target(system)
    posted(ours, failed())
    assert posted(ours, failed(UPDATED, ticket=KNOWN)) == Posted(*KNOWN)
    assert github.issues[0]["state"] == "open"
    assert posted(ours, resolved(ticket=KNOWN)) == Posted(*KNOWN)
    assert github.issues[0]["state"] == "closed"
    assert posted(ours, failed(REOPENED, ticket=KNOWN)) == Posted(*KNOWN)
    assert github.issues[0]["state"] == "open"
    assert lines(system) == [
        f"POST {ISSUES}", f"POST {ISSUES}/7/comments",
        f"GET {ISSUES}/7", f"POST {ISSUES}/7/comments", f"PATCH {ISSUES}/7",
        f"GET {ISSUES}/7", f"PATCH {ISSUES}/7", f"POST {ISSUES}/7/comments",
    ]  # fmt: skip
    closed, opened = system.named("PATCH", ".*")
    assert closed.json == {"state": "closed", "state_reason": "completed"}
    assert opened.json == {"state": "open", "state_reason": "reopened"}
    assert "Completed" in system.named("POST", ".*/comments")[1].json["body"]


def test_a_storm_and_an_alert_that_nobody_could_read_are_issues_too(github: GitHub, system: System) -> None:
    ours = target(system)
    for posting in (storm(), storm("storm.updated", ticket=KNOWN), storm("storm.resolved", ticket=KNOWN), unreadable()):
        posted(ours, posting)
    assert lines(system) == [
        f"POST {ISSUES}", f"POST {ISSUES}/7/comments", f"GET {ISSUES}/7", f"POST {ISSUES}/7/comments", f"PATCH {ISSUES}/7", f"POST {ISSUES}",
    ]  # fmt: skip
    assert "@here" not in vendor.outside_code(system.asked[-1].json["body"])


def test_an_issue_that_a_person_closed_is_commented_and_left_closed(github: GitHub, system: System) -> None:
    posted(target(system), failed())
    github.issues[0]["state"] = "closed"
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    posted(target(system), resolved(ticket=KNOWN))
    assert lines(system)[1:] == [f"POST {ISSUES}/7/comments", f"GET {ISSUES}/7"]


def test_an_issue_that_a_person_reopened_is_only_commented(github: GitHub, system: System) -> None:
    posted(target(system), failed())
    posted(target(system), failed(REOPENED, ticket=KNOWN))
    assert lines(system)[1:] == [f"GET {ISSUES}/7", f"POST {ISSUES}/7/comments"]


def test_after_a_lost_answer_the_issue_is_found_by_its_label(github: GitHub, system: System) -> None:
    posting = failed()
    posted(target(system), posting)
    assert posted(target(system), posting, may_exist=True) == Posted(*KNOWN)
    assert len(github.issues) == 1
    key = posting.event["data"]["incident"]["id"]
    assert dict(system.asked[-1].query) == {
        "labels": f"bk-{key}", "state": "all", "sort": "created", "direction": "asc", "per_page": "10",
    }  # fmt: skip


def test_a_lost_number_is_found_for_an_update(github: GitHub, system: System) -> None:
    posted(target(system), failed())
    assert posted(target(system), failed(UPDATED)) == Posted(*KNOWN)
    assert lines(system)[1:] == [f"GET {ISSUES}", f"POST {ISSUES}/7/comments"]


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
    system.on("POST", f"{ISSUES}/7/comments", Reply(status, {"message": "gone"}))
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    assert lines(system) == [f"POST {ISSUES}/7/comments", f"POST {ISSUES}"]


@pytest.mark.parametrize("status", [410, 301])
def test_a_good_backup_leaves_an_issue_that_was_deleted_or_transferred(system: System, status: int) -> None:
    system.on("GET", f"{ISSUES}/7", Reply(status, {"message": "gone"}))
    system.on("GET", "/repos/acme/backup", Reply(200, {"full_name": "acme/backup"}))
    assert posted(target(system), resolved(ticket=KNOWN)) == Posted(*KNOWN)
    assert {asked.method for asked in system.asked} == {"GET"}


def test_a_repository_that_was_renamed_is_no_transferred_issue(system: System) -> None:
    system.on("GET", ".*", Reply(301, {"message": "Moved Permanently"}))
    with pytest.raises(TicketNotPosted, match="301"):
        posted(target(system), resolved(ticket=KNOWN))


def test_hostile_text_arrives_as_it_is_and_nothing_of_it_works(github: GitHub, system: System) -> None:
    posting = failed(name=HOSTILE)
    posted(target(system), posting)
    issue = system.asked[0].json
    assert issue["title"] == posting.event["data"]["title"]
    assert "<script>document.title='owned'</script>" in issue["body"]
    active = vendor.outside_code(issue["body"])
    assert not [word for word in vendor.HOSTILE_WORDS if word in active]


def test_a_long_page_keeps_to_the_limit_and_its_commands(github: GitHub, system: System) -> None:
    posting = vendor.with_much(failed(), 80_000)
    posted(target(system), posting)
    issue = system.asked[0].json
    assert len(issue["body"]) <= 65_000
    assert len(issue["title"]) <= 250
    assert [line for line in vendor.commands_of(posting) if line not in issue["body"]] == []


@pytest.mark.parametrize(
    ("reply", "permanent", "wait"),
    [
        (
            Reply(403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(changes.NOW.timestamp()) + 90)}),
            False,
            "90",
        ),
        (
            Reply(429, {}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(changes.NOW.timestamp()) + 60)}),
            False,
            "60",
        ),
        (Reply(403, {"message": "secondary rate limit"}, {"Retry-After": "30"}), False, "30"),
        (
            Reply(403, {"message": "Resource not accessible by personal access token"}, {"x-ratelimit-remaining": "4999"}),
            False,
            "",
        ),
        (Reply(422, {"message": "Validation Failed"}), True, ""),
    ],
)
def test_a_rate_limit_is_waited_for_and_a_refused_issue_is_not_tried_again(
    system: System, reply: Reply, permanent: bool, wait: str
) -> None:
    system.on("POST", ".*", reply)
    with pytest.raises(TicketNotPosted) as caught:
        posted(target(system), failed())
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, wait)
    assert "s3cret" not in str(caught.value)


def test_the_repository_is_required(system: System) -> None:
    with pytest.raises(DefinitionError, match="'repository'"):
        target_at(system.url, "github")


REPOSITORY = {"full_name": "acme/backup", "has_issues": True, "archived": False}


def test_the_check_creates_nothing(system: System) -> None:
    system.on("GET", "/repos/acme/backup", Reply(200, REPOSITORY))
    system.on("POST", ISSUES, Reply(422, {"message": "Validation Failed"}))
    target(system).check()
    assert lines(system) == ["GET /repos/acme/backup", f"POST {ISSUES}"]
    assert system.asked[1].json == {"title": ""}


@pytest.mark.parametrize(
    ("repository", "write", "words"),
    [
        (Reply(401, {}), 422, "401"),
        (Reply(404, {}), 422, "is not there, or TICKET_SECRET may not see it"),
        (Reply(301, {}), 422, "another name"),
        (Reply(200, None), 422, "does not answer as the API of GitHub"),
        (Reply(200, REPOSITORY | {"archived": True}), 422, "archived"),
        (Reply(200, REPOSITORY | {"has_issues": False}), 422, "switched off"),
        (Reply(200, REPOSITORY), 403, "permission Issues, read and write"),
    ],
)
def test_the_check_says_what_is_wrong(system: System, repository: Reply, write: int, words: str) -> None:
    system.on("GET", "/repos/acme/backup", repository)
    system.on("POST", ISSUES, Reply(write, {}))
    with pytest.raises(TicketNotPosted, match=words):
        target(system).check()


@vendor.needs_descriptions
def test_every_request_is_as_github_describes_its_api(github: GitHub, system: System) -> None:
    ours = target(system, fields={"assignees": ["ops"], "type": "Bug"})
    life: list[Posting] = [
        failed(),
        failed(UPDATED, ticket=KNOWN),
        resolved(ticket=KNOWN),
        failed(REOPENED, ticket=KNOWN),
        failed(UPDATED),
    ]
    for posting in life:
        posted(ours, posting)
    assert len(system.asked) == 10
    assert [problem for asked in system.asked if (problem := vendor.complaint(DESCRIPTION, asked))] == []


@vendor.needs_descriptions
def test_the_description_refuses_a_wrong_request(github: GitHub, system: System) -> None:
    posted(target(system), failed())
    assert vendor.complaint(DESCRIPTION, vendor.changed(system.asked[0], lambda issue: issue | {"labels": "bk-1"}))
    assert vendor.complaint(DESCRIPTION, vendor.changed(system.asked[0], lambda issue: {"body": issue["body"]}))
