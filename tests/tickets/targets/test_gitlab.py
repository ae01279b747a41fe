"""GitLab issues: https://docs.gitlab.com/api/issues/ and https://docs.gitlab.com/api/notes/; GitLab publishes no description to check with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.tickets.answers import Posted
from handlers.tickets.engine.definition import load
from handlers.tickets.engine.expressions import filled
from handlers.tickets.engine.target import Target
from tests.tickets.changes import HOSTILE, REOPENED, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets import vendor
from tests.tickets.targets.checks import project_seen

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


def test_an_issue_is_closed_and_reopened_by_a_state_event(gitlab: GitLab, system: System) -> None:
    posted(target(system), failed())
    posted(target(system), resolved(ticket=KNOWN))
    posted(target(system), failed(REOPENED, ticket=KNOWN))
    assert [asked.json for asked in system.named("PUT", ".*")] == [{"state_event": "close"}, {"state_event": "reopen"}]


def test_no_line_of_a_page_is_a_quick_action(gitlab: GitLab, system: System) -> None:
    """https://docs.gitlab.com/user/project/quick_actions/: a line that begins with / outside of code is one."""
    for posting in (failed(name=HOSTILE), failed(), storm(), unreadable()):
        posted(target(system), posting)
    for body in (asked.json for asked in system.asked if asked.json and "description" in asked.json):
        assert not re.findall(r"^\s*/\w", vendor.outside_code(body["description"]), re.MULTILINE)


@pytest.mark.parametrize("project", [project_seen(15), project_seen(0)], ids=["planner", "administrator"])
def test_who_may_do_all_of_it_may_have_other_roles_than_reporter(system: System, project: Reply) -> None:
    system.on("GET", PROJECT, project)
    system.on("POST", ISSUES, Reply(400, {"message": {"title": ["can't be blank"]}}))
    target(system).check()
