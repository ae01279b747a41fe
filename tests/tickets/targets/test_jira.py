"""Jira Cloud: https://developer.atlassian.com/cloud/jira/platform/rest/v3/"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from jsonschema_rs import Draft4Validator

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets import vendor
from tests.tickets.targets.checks import META, healthy_jira, screen

ISSUE = "/rest/api/3/issue"
SEARCH = "/rest/api/3/search/jql"
KNOWN = ("OPS-7", "https://acme.example.com/browse/OPS-7")
CATEGORIES = {"10000": "new", "3": "indeterminate", "10001": "done", "10002": "done"}


def transitions(*statuses: str) -> Reply:
    """To statuses by id. Their names are of no use: they are in the language of the team."""
    return Reply(200, {"transitions": [
        {"id": f"1{status}", "name": "Erledigt", "to": {"id": status, "name": "Fertig", "statusCategory": {"key": CATEGORIES[status]}}}
        for status in statuses
    ]})  # fmt: skip


@dataclass
class Jira:
    """A project with the issues that were created in it."""

    system: System
    issues: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        on, one = self.system.on, f"{ISSUE}/OPS-7"
        on("POST", ISSUE, self.created)
        on("POST", SEARCH, lambda asked: Reply(200, {"issues": self.issues, "isLast": True}))
        on("GET", one, lambda asked: Reply(200, self.issues[0]))
        on("GET", f"{one}/transitions", transitions("3", "10001", "10000", "10002"))
        on("POST", f"{one}/transitions", self.moved)
        on("POST", f"{one}/comment", Reply(201, {"id": "10100"}))

    def created(self, asked: Asked) -> Reply:
        status = {"id": "10000", "statusCategory": {"key": "new"}}
        names = {"id": "10007", "key": "OPS-7", "self": "https://acme.example.com/rest/api/3/issue/10007"}
        self.issues.append(names | {"fields": {"labels": asked.json["fields"]["labels"], "status": status}})
        return Reply(201, names)

    def moved(self, asked: Asked) -> Reply:
        status = asked.json["transition"]["id"][1:]
        self.issues[0]["fields"]["status"] = {"id": status, "statusCategory": {"key": CATEGORIES[status]}}
        return Reply(204)

    @property
    def status(self) -> str:
        return str(self.issues[0]["fields"]["status"]["id"])


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        yield found


@pytest.fixture
def jira(system: System) -> Jira:
    return Jira(system)


def target(system: System, **options: Any) -> Target:
    return target_at(system.url, "jira", user="bot@example.com", **{"project": "OPS", **options})


def lines(system: System) -> list[str]:
    return [f"{asked.method} {asked.path.removeprefix('/rest/api/3/')}" for asked in system.asked]


def texts(node: Any) -> Iterator[tuple[str, bool]]:
    """Every text of a document, and whether it stands in code."""
    for child in node.get("content", ()):
        if child["type"] == "text":
            yield child["text"], node["type"] == "codeBlock" or any(mark["type"] == "code" for mark in child.get("marks", ()))
        yield from texts(child)


def links(node: Any) -> Iterator[str]:
    for child in node.get("content", ()):
        yield from (mark["attrs"]["href"] for mark in child.get("marks", ()) if mark["type"] == "link")
        yield from links(child)


def test_a_failure_creates_an_issue_with_the_key_as_a_label(jira: Jira, system: System) -> None:
    posting = failed()
    ours = target(system, labels=["backup"], fields={"components": [{"name": "Backup"}]})
    assert posted(ours, posting) == Posted(*KNOWN)
    [asked] = system.asked
    assert (asked.method, asked.path) == ("POST", ISSUE)
    assert asked.headers["authorization"] == "Basic Ym90QGV4YW1wbGUuY29tOnMzY3JldA=="
    key = posting.event["data"]["incident"]["id"]
    assert asked.json == {"fields": {
        "project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": posting.event["data"]["title"],
        "description": asked.json["fields"]["description"], "labels": [f"bk-{key}", "backup"], "priority": {"name": "High"},
        "components": [{"name": "Backup"}],
    }}  # fmt: skip
    assert "restore points" in json.dumps(asked.json["fields"]["description"])


def test_type_and_priority_may_be_given_by_id_and_a_type_may_have_no_priority(jira: Jira, system: System) -> None:
    posted(target(system, issue_type="10004", priorities={"Sev1": 2}), failed())
    posted(target(system, priorities=False), failed())
    posted(target(system, priorities={"Sev1": ""}), failed())
    first, *others = [asked.json["fields"] for asked in system.asked]
    assert (first["issuetype"], first["priority"]) == ({"id": "10004"}, {"id": "2"})
    assert ["priority" in fields for fields in others] == [False, False]


def test_an_issue_is_moved_by_the_transition_that_leads_to_the_status(jira: Jira, system: System) -> None:
    ours = target(system, resolve_fields={"resolution": {"name": "Done"}})
    posted(ours, failed())
    posted(ours, resolved(ticket=KNOWN))
    assert jira.status == "10001"
    posted(ours, failed(REOPENED, ticket=KNOWN))
    assert jira.status == "10000"
    done, reopened = system.named("POST", ".*/transitions")
    assert done.json == {"transition": {"id": "110001"}, "fields": {"resolution": {"name": "Done"}}}
    assert reopened.json == {"transition": {"id": "110000"}}
    assert dict(system.named("GET", f"{ISSUE}/OPS-7")[0].query) == {"fields": "status,resolution,description"}


def test_the_statuses_may_be_chosen_by_id(jira: Jira, system: System) -> None:
    ours = target(system, resolved_status="10002", reopened_status=3)
    posted(ours, failed())
    posted(ours, resolved(ticket=KNOWN))
    assert jira.status == "10002"
    posted(ours, failed(REOPENED, ticket=KNOWN))
    assert jira.status == "3"


def test_a_workflow_without_a_way_to_done_is_told_before_anything_is_commented(jira: Jira, system: System) -> None:
    posted(target(system), failed())
    system.on("GET", f"{ISSUE}/OPS-7/transitions", transitions("3"))
    for options, words in (({}, "category Done"), ({"resolved_status": "10002"}, "the status 10002")):
        with pytest.raises(TicketNotPosted, match=words) as caught:
            posted(target(system, **options), resolved(ticket=KNOWN))
        assert caught.value.permanent
    assert system.named("POST", ".*/comment") == []


def test_a_workflow_without_a_way_back_gets_the_comment_at_least(jira: Jira, system: System) -> None:
    posted(target(system), failed())
    jira.issues[0]["fields"]["status"]["statusCategory"]["key"] = "done"
    system.on("GET", f"{ISSUE}/OPS-7/transitions", transitions("10002"))
    posted(target(system), failed(REOPENED, ticket=KNOWN))
    assert lines(system)[1:] == ["GET issue/OPS-7", "GET issue/OPS-7/transitions", "POST issue/OPS-7/comment"]


def test_comments_may_be_internal(jira: Jira, system: System) -> None:
    internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
    ours = target(system, comment={"properties": internal})
    posted(ours, failed())
    posted(ours, failed(UPDATED, ticket=KNOWN))
    comment = system.asked[-1].json
    assert comment["properties"] == internal
    assert comment["body"]["type"] == "doc"


def test_the_link_may_lead_to_another_site_than_the_api(jira: Jira, system: System) -> None:
    assert posted(target(system, site="https://acme.example.org"), failed()).url == "https://acme.example.org/browse/OPS-7"


def test_hostile_text_arrives_as_it_is_and_nothing_of_it_works(jira: Jira, system: System) -> None:
    posting = failed(name=HOSTILE)
    posted(target(system), posting)
    fields = system.asked[0].json["fields"]
    assert fields["summary"] == posting.event["data"]["title"]
    found = list(texts(fields["description"]))
    assert any("<script>document.title='owned'</script>" in text for text, _ in found)
    assert [text for text, code in found if not code and any(word in text for word in vendor.HOSTILE_WORDS)] == []
    assert [link for link in links(fields["description"]) if not link.startswith("https://")] == []
    posted(target(system), unreadable())
    assert [text for text, code in texts(system.asked[-1].json["fields"]["description"]) if "@here" in text and not code] == []


def test_a_long_page_keeps_to_the_limit_and_its_commands(jira: Jira, system: System) -> None:
    posting = vendor.with_much(failed(), 40_000)
    posted(target(system), posting)
    fields = system.asked[0].json["fields"]
    assert len(json.dumps(fields["description"], ensure_ascii=False, separators=(",", ":")).encode()) <= 32_000
    shown = "\n".join(text for text, _ in texts(fields["description"]))
    assert [line for line in vendor.commands_of(posting) if line not in shown] == []


def test_the_check_knows_what_the_options_give(system: System) -> None:
    healthy_jira(system)
    target(system, issue_type=10002).check()
    system.on("GET", f"{META}/10002", screen("summary", "description", "labels", required="customfield_10050"))
    target(system, priorities=False, fields={"customfield_10050": {"value": "Ops"}}).check()


@vendor.needs_descriptions
def test_every_text_is_a_document_as_atlassian_defines_it(jira: Jira, system: System) -> None:
    schema = Draft4Validator(vendor.document("adf-full.schema.json"))
    for posting in (failed(name=HOSTILE), storm(), unreadable()):
        posted(target(system), posting)
    posted(target(system), resolved(ticket=KNOWN))
    documents = [asked.json["fields"]["description"] for asked in system.named("POST", ISSUE)]
    documents += [asked.json["body"] for asked in system.named("POST", ".*/comment")]
    assert len(documents) == 4
    assert [error.message for shown in documents for error in schema.iter_errors(shown)] == []
    assert not schema.is_valid({"type": "doc", "version": 1, "content": [{"type": "text", "text": "not in a paragraph"}]})
