"""GitLab issues: https://docs.gitlab.com/api/issues/ and https://docs.gitlab.com/api/notes/; GitLab publishes no description to check with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import DefinitionError, load
from handlers.tickets.engine.expressions import filled
from handlers.tickets.engine.target import Target
from tests.tickets import changes
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets import vendor

PROJECT = "/api/v4/projects/42"
ISSUES = f"{PROJECT}/issues"
KNOWN = ("7", "https://gitlab.example.com/ops/backup/-/issues/7")


@dataclass
class GitLab:
    """A project with the issues that were opened in it; answers as https://docs.gitlab.com/api/issues/#create-an-issue shows."""

    system: System
    issues: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        on = self.system.on
        on("POST", ISSUES, self.opened)
        on("GET", ISSUES, lambda asked: Reply(200, self.issues))
        on("GET", f"{ISSUES}/7", lambda asked: Reply(200, self.issues[0]))
        on("PUT", f"{ISSUES}/7", self.put)
        on("POST", f"{ISSUES}/7/notes", Reply(201, {"id": 302, "body": "…"}))

    def opened(self, asked: Asked) -> Reply:
        labels = asked.json["labels"].split(",")
        issue = {"id": 84, "iid": 7 + len(self.issues), "state": "opened", "labels": labels, "web_url": KNOWN[1]}
        self.issues.append(issue)
        return Reply(201, issue)

    def put(self, asked: Asked) -> Reply:
        self.issues[0] |= {"state": {"close": "closed", "reopen": "opened"}[asked.json["state_event"]]}
        return Reply(200, self.issues[0])


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        yield found


@pytest.fixture
def gitlab(system: System) -> GitLab:
    return GitLab(system)


def target(system: System, **options: Any) -> Target:
    return target_at(system.url, "gitlab", **{"project": 42, **options})


def lines(system: System) -> list[str]:
    return [f"{asked.method} {asked.path}" for asked in system.asked]


def test_a_failure_opens_an_issue_with_the_key_as_a_label(gitlab: GitLab, system: System) -> None:
    posting = failed()
    assert posted(target(system, labels=["backup"], fields={"confidential": True}), posting) == Posted(*KNOWN)
    [asked] = system.asked
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("POST", ISSUES, "Bearer s3cret")
    key = posting.event["data"]["incident"]["id"]
    assert asked.json == {
        "title": posting.event["data"]["title"], "description": asked.json["description"], "labels": f"bk-{key},backup,Sev1",
        "confidential": True,
    }  # fmt: skip
    assert asked.json["description"].startswith("# Backup of `vm-pay-01` failed")


def test_a_project_may_be_given_by_its_path() -> None:
    assert filled(load("gitlab").open[0].path, {"options": {"project": "ops/backup"}}) == "/api/v4/projects/ops%2Fbackup/issues"


def test_a_severity_may_have_another_label_or_none(gitlab: GitLab, system: System) -> None:
    posted(target(system, severity_labels={"Sev1": "severity::2"}), failed())
    posted(target(system, severity_labels=False), failed())
    assert [asked.json["labels"].split(",")[1:] for asked in system.asked] == [["severity::2"], []]


def test_an_issue_lives_from_the_failure_to_the_good_backup_and_back(gitlab: GitLab, system: System) -> None:
    ours = target(system)
    posted(ours, failed())
    assert posted(ours, failed(UPDATED, ticket=KNOWN)) == Posted(*KNOWN)
    assert gitlab.issues[0]["state"] == "opened"
    assert posted(ours, resolved(ticket=KNOWN)) == Posted(*KNOWN)
    assert gitlab.issues[0]["state"] == "closed"
    assert posted(ours, failed(REOPENED, ticket=KNOWN)) == Posted(*KNOWN)
    assert gitlab.issues[0]["state"] == "opened"
    assert lines(system) == [
        f"POST {ISSUES}", f"POST {ISSUES}/7/notes",
        f"GET {ISSUES}/7", f"POST {ISSUES}/7/notes", f"PUT {ISSUES}/7",
        f"GET {ISSUES}/7", f"PUT {ISSUES}/7", f"POST {ISSUES}/7/notes",
    ]  # fmt: skip
    assert [asked.json for asked in system.named("PUT", ".*")] == [{"state_event": "close"}, {"state_event": "reopen"}]
    assert "Completed" in system.named("POST", ".*/notes")[1].json["body"]


def test_a_storm_and_an_alert_that_nobody_could_read_are_issues_too(gitlab: GitLab, system: System) -> None:
    ours = target(system)
    for posting in (storm(), storm("storm.updated", ticket=KNOWN), storm("storm.resolved", ticket=KNOWN), unreadable()):
        posted(ours, posting)
    assert lines(system) == [
        f"POST {ISSUES}", f"POST {ISSUES}/7/notes", f"GET {ISSUES}/7", f"POST {ISSUES}/7/notes", f"PUT {ISSUES}/7", f"POST {ISSUES}",
    ]  # fmt: skip


def test_an_issue_that_a_person_closed_gets_a_note_and_is_left_closed(gitlab: GitLab, system: System) -> None:
    posted(target(system), failed())
    gitlab.issues[0]["state"] = "closed"
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    posted(target(system), resolved(ticket=KNOWN))
    assert lines(system)[1:] == [f"POST {ISSUES}/7/notes", f"GET {ISSUES}/7"]


def test_after_a_lost_answer_the_issue_is_found_by_its_label(gitlab: GitLab, system: System) -> None:
    posting = failed()
    posted(target(system), posting)
    assert posted(target(system), posting, may_exist=True) == Posted(*KNOWN)
    assert len(gitlab.issues) == 1
    key = posting.event["data"]["incident"]["id"]
    assert dict(system.asked[-1].query) == {
        "labels": f"bk-{key}", "state": "all", "scope": "all", "order_by": "created_at", "sort": "asc", "per_page": "10",
    }  # fmt: skip


def test_a_lost_number_is_found_for_an_update(gitlab: GitLab, system: System) -> None:
    posted(target(system), failed())
    assert posted(target(system), failed(UPDATED)) == Posted(*KNOWN)
    assert lines(system)[1:] == [f"GET {ISSUES}", f"POST {ISSUES}/7/notes"]


def test_an_issue_that_does_not_carry_the_key_is_not_touched(gitlab: GitLab, system: System) -> None:
    posted(target(system), failed())
    gitlab.issues[0]["labels"] = ["bk-other"]
    posted(target(system), failed(UPDATED))
    assert lines(system)[1:] == [f"GET {ISSUES}", f"POST {ISSUES}"]


def test_a_deleted_issue_is_opened_anew_by_an_update_and_left_by_a_good_backup(gitlab: GitLab, system: System) -> None:
    system.on("POST", f"{ISSUES}/7/notes", Reply(404, {"message": "404 Not found"}))
    system.on("GET", f"{ISSUES}/7", Reply(404, {"message": "404 Not found"}))
    system.on("GET", PROJECT, Reply(200, {"id": 42}))
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    posted(target(system), resolved(ticket=KNOWN))
    assert lines(system) == [f"POST {ISSUES}/7/notes", f"POST {ISSUES}", f"GET {ISSUES}/7", f"GET {PROJECT}"]


def test_a_project_that_is_not_seen_any_more_is_no_deleted_issue(system: System) -> None:
    system.on("GET", ".*", Reply(404, {"message": "404 Project Not Found"}))
    with pytest.raises(TicketNotPosted, match="404"):
        posted(target(system), resolved(ticket=KNOWN))


def test_hostile_text_arrives_as_it_is_and_nothing_of_it_works(gitlab: GitLab, system: System) -> None:
    posting = failed(name=HOSTILE)
    posted(target(system), posting)
    issue = system.asked[0].json
    assert issue["title"] == posting.event["data"]["title"]
    assert "<script>document.title='owned'</script>" in issue["description"]
    active = vendor.outside_code(issue["description"])
    assert not [word for word in vendor.HOSTILE_WORDS if word in active]


def test_no_line_of_a_page_is_a_quick_action(gitlab: GitLab, system: System) -> None:
    """https://docs.gitlab.com/user/project/quick_actions/: a line that begins with / outside of code is one."""
    for posting in (failed(name=HOSTILE), failed(), storm(), unreadable()):
        posted(target(system), posting)
    for asked in system.asked:
        assert not re.findall(r"^\s*/\w", vendor.outside_code(asked.json["description"]), re.MULTILINE)


def test_a_long_page_keeps_to_the_limit_and_its_commands(gitlab: GitLab, system: System) -> None:
    posting = vendor.with_much(failed(), 1_000_000)
    posted(target(system), posting)
    issue = system.asked[0].json
    assert len(issue["description"]) <= 900_000
    assert [line for line in vendor.commands_of(posting) if line not in issue["description"]] == []


@pytest.mark.parametrize(
    ("reply", "permanent", "wait"),
    [
        (Reply(429, {}, {"RateLimit-Reset": str(int(changes.NOW.timestamp()) + 45)}), False, "45"),
        (Reply(429, {}, {"Retry-After": "60", "RateLimit-Reset": "1"}), False, "60"),
        (Reply(403, {"message": "403 Forbidden"}), False, ""),
        (Reply(400, {"message": {"title": ["is too long"]}}), True, ""),
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


def test_the_project_is_required(system: System) -> None:
    with pytest.raises(DefinitionError, match="'project'"):
        target_at(system.url, "gitlab")


def seen(level: int = 20, **other: Any) -> Reply:
    """https://docs.gitlab.com/api/projects/#get-a-single-project"""
    access = {"project_access": {"access_level": level} if level else None, "group_access": None}
    shown = {"path_with_namespace": "ops/backup", "archived": False, "issues_access_level": "enabled", "visibility": "private"}
    return Reply(200, shown | {"permissions": access} | other)


@pytest.mark.parametrize("project", [seen(), seen(15), seen(0)], ids=["reporter", "planner", "administrator"])
def test_the_check_creates_nothing(system: System, project: Reply) -> None:
    system.on("GET", PROJECT, project)
    system.on("POST", ISSUES, Reply(400, {"message": {"title": ["can't be blank"]}}))
    target(system).check()
    assert lines(system) == [f"GET {PROJECT}", f"POST {ISSUES}"]
    assert system.asked[1].json == {"title": ""}


@pytest.mark.parametrize(
    ("project", "write", "words"),
    [
        (Reply(401, {}), 400, "401"),
        (Reply(404, {}), 400, "is not there, or TICKET_SECRET may not see it"),
        (Reply(200, None), 400, "does not answer as GitLab"),
        (seen(archived=True), 400, "archived"),
        (seen(issues_access_level="disabled"), 400, "switched off"),
        (seen(10), 400, "Planner or Reporter"),
        (seen(0, visibility="public"), 400, "Planner or Reporter"),
        (seen(), 403, "scope api"),
    ],
)
def test_the_check_says_what_is_wrong(system: System, project: Reply, write: int, words: str) -> None:
    system.on("GET", PROJECT, project)
    system.on("POST", ISSUES, Reply(write, {}))
    with pytest.raises(TicketNotPosted, match=words):
        target(system).check()
