"""Further failures as a ticket tells them: a few lines of what is new, and the newest runbook once, in the description."""

from __future__ import annotations

import json
from base64 import b64decode
from copy import replace
from typing import Any

import pytest

from handlers.tickets.engine.definition import load
from handlers.tickets.engine.marks import BLANK, is_ours, mark_of, marked, text_of
from tests.tickets.changes import OPENED, REOPENED, UPDATED, Posting, failed, storm
from tests.tickets.system import Asked, Reply, posted
from tests.tickets.targets.happy import HAPPY, Imitation, running

DESCRIBED = [name for name in HAPPY if load(name).ticket.description]
MOST_LINES = 25
COMMAND = "az lock delete --subscription"
EVENT = "webhook"
"""It takes the event as it is, which has the note beside the page."""
NOTED = [name for name in HAPPY if name not in (*DESCRIBED, EVENT, "pagerduty")]
REFUSED = ["github", "gitlab", "jira", "jira_data_center"]
"""Whose description is a request of its own."""

with_description = pytest.mark.parametrize("name", DESCRIBED)


def further(number: int, name: str, change: str = UPDATED) -> Posting:
    """The failure of that number of one VM."""
    change_of = failed(change, ticket=(HAPPY[name].ticket, "https://tickets.example.com/7"))
    data = change_of.event["data"]
    note = {"markdown": data["note"]["markdown"].replace("Failure 2", f"Failure {number}")}
    incident = {**data["incident"], "failures": number}
    return replace(change_of, event={**change_of.event, "data": {**data, "incident": incident, "note": note}})


def said_in(asked: Asked) -> str:
    """What a request says, as text."""
    return json.dumps(asked.json, ensure_ascii=False) if asked.body else ""


def nights(name: str, system: Imitation) -> list[Asked]:
    """Three failures of one VM; the requests of the two further ones that write."""
    target = HAPPY[name].at(system.url, name)
    posted(target, failed(OPENED))
    system.asked.clear()
    for number in (2, 3):
        posted(target, further(number, name))
    return [asked for asked in system.asked if asked.method != "GET"]


@with_description
def test_three_nights_leave_two_short_notes_and_one_runbook(name: str) -> None:
    with running(name) as system:
        notes = [asked for asked in nights(name, system) if "stands in the description" in said_in(asked)]
        assert len(notes) == 2
        assert COMMAND in text_of(system.description) or name == "servicenow", "whose descriptions take 4,000 characters"
        assert is_ours(system.description, system.kept.get("correlation_display"))
        said = [said_in(asked).replace(json.dumps(system.description, ensure_ascii=False), "") for asked in notes]
    assert not [text for text in said if COMMAND in text]
    assert ["Failure 2 of this incident" in said[0], "Failure 3 of this incident" in said[1]] == [True, True]


@pytest.mark.parametrize("name", NOTED)
def test_where_there_is_no_description_to_replace_the_note_says_where_the_runbook_is(name: str) -> None:
    with running(name) as system:
        said = "".join(said_in(asked) for asked in nights(name, system) if not asked.path.endswith("/file"))
    assert "Failure 3 of this incident" in said.replace("*", "")
    assert COMMAND not in said or name == "jira_service_management", "whose alert is counted up with its page"
    assert "whole runbook" in said


@pytest.mark.parametrize("change", [UPDATED, REOPENED])
@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize(
    "scenario", ["restore_point_group_locked", "agent_not_ready_windows", "internal_error_linux", "hostile_extension_message"]
)
def test_a_note_has_a_few_lines(scenario: str, language: str, change: str) -> None:
    note = failed(change, scenario, language=language).event["data"]["note"]["markdown"]
    assert 2 < len(note.splitlines()) <= MOST_LINES


def test_only_a_further_failure_has_a_note() -> None:
    assert failed(OPENED).event["data"]["note"] is None
    assert "open again" in failed(REOPENED).event["data"]["note"]["markdown"]
    assert "31 backups affected" in storm("storm.updated", affected=31).event["data"]["note"]["markdown"]


@with_description
def test_a_reopened_ticket_has_the_newest_runbook_and_says_what_is_new(name: str) -> None:
    with running(name) as system:
        target = HAPPY[name].at(system.url, name)
        posted(target, failed(OPENED))
        system.closed = True
        system.asked.clear()
        posted(target, further(2, name, REOPENED))
        said = "".join(said_in(asked) for asked in system.asked)
        assert is_ours(system.description, system.kept.get("correlation_display"))
    assert "which had recovered and is open again" in said
    assert "whole runbook stands in the description" in said


def edited(description: Any) -> Any:
    """What a person makes of it: a line at the end."""
    if isinstance(description, str):
        return f"{description}\n\nCall Ana first."
    more = {"type": "paragraph", "content": [{"type": "text", "text": "Call Ana first."}]}
    return {**description, "content": [*description["content"], more]}


@with_description
def test_what_a_person_wrote_into_the_description_stays_and_the_runbook_is_in_the_note(name: str) -> None:
    with running(name) as system:
        target = HAPPY[name].at(system.url, name)
        posted(target, failed(OPENED))
        system.description = before = edited(system.description)
        system.asked.clear()
        posted(target, further(2, name))
        assert system.description == before
        said = "".join(said_in(asked) for asked in system.asked)
    assert "Somebody has edited the description" in said
    assert COMMAND in said or name == "servicenow", "whose notes take 4,000 characters"


@pytest.mark.parametrize("name", REFUSED)
def test_a_description_that_may_not_be_written_leaves_the_runbook_in_the_note(name: str) -> None:
    with running(name) as system:
        target = HAPPY[name].at(system.url, name)
        posted(target, failed(OPENED))
        system.on("PUT", r"(?s:.*)/(7|OPS-7)", Reply(403))
        system.on("PATCH", r"(?s:.*)/7", Reply(403))
        system.asked.clear()
        posted(target, further(2, name))
        assert COMMAND in said_in(system.asked[-1])


@pytest.mark.parametrize("name", ["redmine", "servicenow"])
def test_a_description_that_is_passed_over_leaves_the_runbook_in_a_note(name: str) -> None:
    with running(name) as system:
        target = HAPPY[name].at(system.url, name)
        posted(target, failed(OPENED))
        system.describe = lambda texts: None  # type: ignore[method-assign]
        system.asked.clear()
        posted(target, further(2, name))
        assert "Failure 2" in said_in(system.asked[1])
        last = [asked for asked in system.asked if asked.method != "GET" and asked.json][-1]
        assert "Risk:" in said_in(last)


def test_a_mark_lasts_through_blanks_and_line_ends_and_no_further() -> None:
    text = marked(f"# A page\n\nwith words. `{BLANK}`\n")
    assert is_ours(text.replace("\n", "\r\n").replace("# A", "A"))
    assert mark_of(text) not in ("", BLANK)
    for other in (text + "more", text.replace("words", "swords"), "more " + text, "without a mark", ""):
        assert not is_ours(other)


@pytest.mark.parametrize("name", ["request_tracker", "roundup", "zendesk"])
def test_a_ticket_that_takes_files_gets_the_newest_runbook_as_one(name: str) -> None:
    with running(name) as system:
        said = [asked.body.decode() for asked in nights(name, system)]
    files = [text for text in map(file_in, said) if COMMAND in text]
    assert len(files) == 2
    assert files[-1].startswith("# Backup of `vm-pay-01` failed")
    assert len([text for text in said if "attached as " in text]) == 2, "the note names the file"


def file_in(body: str) -> str:
    """The file that a request brings along."""
    if not body.startswith("{"):
        return body
    sent = json.loads(body)
    attached = sent.get("Attachments") or [{"FileContent": ""}]
    return str(sent["content"] if sent.get("name") == "runbook.md" else b64decode(attached[0]["FileContent"]).decode())


@pytest.mark.parametrize(("name", "path"), [("roundup", "/rest/data/file"), ("zendesk", "/api/v2/uploads.json")])
def test_a_file_that_is_not_taken_leaves_the_runbook_in_the_note(name: str, path: str) -> None:
    with running(name) as system:
        target = HAPPY[name].at(system.url, name)
        posted(target, failed(OPENED))
        system.on("POST", path, Reply(403))
        system.asked.clear()
        posted(target, further(2, name))
        assert COMMAND in "".join(map(said_in, system.asked[2:]))
