"""The whole life of incidents in a real Redmine (`make test-redmine`): what it holds afterwards, and what its page shows."""

import html
import json
import re
from collections.abc import Iterator

import pytest

from handlers.cli.tickets import send
from handlers.model.parts import Part, ticket_text
from handlers.model.refusal import Past, RefusalKind
from handlers.runbook.markup import code_block, code_span
from handlers.tickets.answers import TicketNotPosted
from handlers.tickets.engine.marks import is_ours
from sandbox.chromium import find_chromium, page_source
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, incident, resolved, storm, unreadable
from tests.tickets.redmine_server import Redmine, is_installed, running_redmine
from tests.tickets.system import posted
from tests.tickets.targets.copied import code_of, copied_from
from tests.tickets.targets.vendor import with_much

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="Redmine is not installed: make test-redmine"),
    pytest.mark.timeout(900),  # a test makes many requests, and beside other work each takes seconds
]
each_markup = pytest.mark.parametrize("name", ["redmine", "redmine_markdown", "redmine_redcarpet"])
needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")
ACTIVE = ("@admin", "#1", "!http://example.com/a.png!", "{{include(Start)}}", "<img src=x onerror=alert(1)>", '"x":http://evil.example.com', "[[Page]]",
          "*bold*", "h1. big", "r1", "http://evil.example.com/")  # fmt: skip


@pytest.fixture(scope="module")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redmine]:
    with running_redmine(tmp_path_factory.mktemp("redmine")) as found:
        yield found


def test_an_incident_lives_in_one_issue(redmine: Redmine) -> None:
    target, opening = redmine.target(), failed()
    made = posted(target, opening)
    assert made.url == f"{redmine.url}/issues/{made.id}"
    known = (made.id, made.url)
    issue = redmine.issue(made.id)
    assert (issue["subject"], issue["status"], issue["priority"]) == (opening.event["data"]["title"], "New", "Urgent")
    assert issue["custom_fields"] == [{"id": redmine.field, "name": "Incident key", "value": incident().id}]
    assert "az lock delete --subscription" in issue["description"]

    assert posted(target, failed(UPDATED, ticket=known)) == made
    assert redmine.issue(made.id)["status"] == "New", "an update leaves the status"
    assert posted(target, resolved(ticket=known)) == made
    assert redmine.issue(made.id)["status"] == "Resolved"
    posted(target, resolved(ticket=known))
    assert len(redmine.issue(made.id)["notes"]) == 2, "what is resolved is not resolved again"
    assert posted(target, failed(REOPENED, ticket=known)) == made
    issue = redmine.issue(made.id)
    assert issue["status"] == "In Progress"
    assert len(issue["notes"]) == 3
    assert "A backup has completed since the failure" in issue["notes"][1]
    assert redmine.issues(incident().id) == [made.id]


@each_markup
def test_further_failures_are_short_notes_and_the_description_is_the_newest_runbook(redmine: Redmine, name: str) -> None:
    target, opened = redmine.target(name), failed()
    made = posted(target, opened)
    known = (made.id, made.url)
    first = redmine.issue(made.id)["description"]
    for _ in range(2):
        posted(target, failed(UPDATED, ticket=known))
    issue = redmine.issue(made.id)
    assert first != issue["description"], "which is of the second failure"
    assert is_ours(issue["description"])
    assert len(issue["notes"]) == 2
    assert max(len(note.splitlines()) for note in issue["notes"]) <= 25
    assert "The whole runbook stands in the description" in issue["notes"][-1]
    assert "az lock delete" not in issue["notes"][-1]

    redmine.change(made.id, description=f"{issue['description']}\n\nCall Ana first.")
    posted(target, failed(UPDATED, ticket=known))
    issue = redmine.issue(made.id)
    assert issue["description"].endswith("Call Ana first.")
    assert "az lock delete" in issue["notes"][-1]


def test_after_a_crash_the_issue_that_was_made_is_found(redmine: Redmine) -> None:
    opening = failed(name="agent_outdated_linux")
    made = posted(redmine.target(), opening)
    assert posted(redmine.target(), opening, may_exist=True) == made
    assert redmine.issues(opening.event["data"]["incident"]["id"]) == [made.id]


def test_a_field_that_redmine_does_not_search_by_leads_to_no_foreign_issue(redmine: Redmine) -> None:
    posted(redmine.target(), failed(name="key_vault_deleted"))
    made = posted(redmine.target(key_field=99), failed(name="vm_deallocated"), may_exist=True)
    assert redmine.issue(made.id)["subject"] == failed(name="vm_deallocated").event["data"]["title"]


def test_a_status_that_the_workflow_forbids_is_said_and_not_taken_for_done(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="disk_33_tib_linux"))
    redmine.change(made.id, status_id=5)
    known = (made.id, made.url)
    posted(redmine.target(on_closed="note"), failed(UPDATED, name="disk_33_tib_linux", ticket=known))
    posted(redmine.target(), resolved(name="disk_33_tib_linux", ticket=known))
    assert redmine.issue(made.id)["status"] == "Closed", "what a person closed stays closed"
    with pytest.raises(TicketNotPosted, match="left the status at Closed: the workflow must allow") as refusal:
        posted(redmine.target(), failed(REOPENED, name="disk_33_tib_linux", ticket=known))
    assert refusal.value.permanent


def test_a_further_failure_opens_an_issue_that_a_person_resolved_and_is_silent_for_a_rejected_one(redmine: Redmine) -> None:
    for closed, after, notes in (
        (lambda number: redmine.change(number, status_id=3), "In Progress", 1),
        (redmine.reject, "Rejected", 0),
    ):
        made = posted(redmine.target(), failed(name="agent_not_ready_windows"))
        closed(made.id)
        posted(redmine.target(), failed(UPDATED, name="agent_not_ready_windows", ticket=(made.id, made.url)))
        issue = redmine.issue(made.id)
        assert (issue["status"], len(issue["notes"])) == (after, notes)


def test_or_another_issue_follows_that_names_it(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="agent_not_ready_windows"))
    redmine.change(made.id, status_id=3)
    after = posted(redmine.target(on_closed="new"), failed(UPDATED, name="agent_not_ready_windows", ticket=(made.id, made.url)))
    assert (redmine.issue(made.id)["status"], redmine.issue(made.id)["notes"]) == ("Resolved", [])
    assert f"This ticket continues ticket @{made.id}@" in redmine.issue(after.id)["description"]


def test_a_field_that_is_newly_required_holds_up_new_issues_only_until_it_is_set(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="wrapper_code"))
    known = (made.id, made.url)
    with redmine.requiring("Team") as field:
        with pytest.raises(TicketNotPosted, match="Team cannot be blank") as refusal:
            posted(redmine.target(), failed(name="wrapper_code"))
        assert refusal.value.kind is RefusalKind.CONFIGURATION
        posted(redmine.target(), failed(UPDATED, name="wrapper_code", ticket=known))
        posted(redmine.target(), resolved(name="wrapper_code", ticket=known))
        assert (redmine.issue(made.id)["status"], len(redmine.issue(made.id)["notes"])) == ("Resolved", 2)
        filled = posted(redmine.target(custom_fields=[{"id": field, "value": "storage"}]), failed(name="wrapper_code"))
        assert {"id": field, "name": "Team", "value": "storage"} in redmine.issue(filled.id)["custom_fields"]


def test_a_project_that_somebody_closed_refuses_its_issues_one_by_one_and_new_ones_wait(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="vm_deallocated"))
    with redmine.closed_project():
        for posting, kind in (
            (failed(UPDATED, name="vm_deallocated", ticket=(made.id, made.url)), RefusalKind.TICKET),
            (failed(name="unknown_code"), RefusalKind.CONFIGURATION),
        ):
            with pytest.raises(TicketNotPosted) as refusal:
                posted(redmine.target(), posting)
            assert refusal.value.kind is kind
    assert redmine.issue(made.id)["notes"] == []


def test_an_issue_that_was_moved_away_refuses_alone_and_gets_a_successor(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="internal_error_linux"))
    redmine.move_away(made.id)
    further = failed(UPDATED, name="internal_error_linux", ticket=(made.id, made.url))
    with pytest.raises(TicketNotPosted, match="403") as refusal:
        posted(redmine.target(), further)
    assert refusal.value.kind is RefusalKind.TICKET
    after = posted(redmine.target(), further, past=Past(refusals=2))
    assert after.id != made.id
    assert f"This ticket continues ticket @{made.id}@" in redmine.issue(after.id)["description"]


def test_a_deleted_issue_gets_a_successor_at_once_and_is_left_by_a_good_backup(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="internal_error_windows"))
    posted(redmine.target(), unreadable())
    redmine.delete(made.id)
    known = (made.id, made.url)
    assert posted(redmine.target(), resolved(name="internal_error_windows", ticket=known)) == made
    assert posted(redmine.target(), failed(UPDATED, name="internal_error_windows", ticket=known)).id != made.id


def test_an_issue_with_an_open_subtask_is_told_once_that_it_cannot_be_closed(redmine: Redmine) -> None:
    made = posted(redmine.target(), failed(name="unknown_code"))
    redmine.add_subtask(made.id)
    target = redmine.target(statuses={"resolved": 5})
    good, told = resolved(name="unknown_code", ticket=(made.id, made.url)), False
    for refusals in range(3):
        with pytest.raises(TicketNotPosted) as refusal:
            posted(target, good, past=Past(refusals=refusals, told=told))
        assert refusal.value.kind is RefusalKind.TICKET
        told = told or refusal.value.told
    notes = redmine.issue(made.id)["notes"]
    assert len([note for note in notes if "could not be closed" in note]) == 1
    assert len([note for note in notes if "A backup has completed since the failure" in note]) == 1


def test_a_page_that_was_cut_is_there_whole_as_a_file(redmine: Redmine) -> None:
    long = with_much(failed(name="key_vault_deleted"), 60_000)
    files = redmine.files(posted(redmine.target(), long).id)
    assert files == {"runbook-1.html": long.event["data"]["runbook"]["html"]}


def test_a_storm_has_its_members_as_a_file(redmine: Redmine) -> None:
    made = posted(redmine.target(), storm(affected=3))
    ((name, text),) = redmine.files(made.id).items()
    assert name == "members-1.csv"
    assert [line.partition(",")[0] for line in text.splitlines()] == ["vm", "vm-000", "vm-001", "vm-002"]


def test_a_storm_and_an_unreadable_alert_have_issues_too(redmine: Redmine) -> None:
    made = posted(redmine.target(), storm())
    known = (made.id, made.url)
    posted(redmine.target(), storm("storm.updated", ticket=known))
    posted(redmine.target(), storm("storm.resolved", ticket=known))
    issue = redmine.issue(made.id)
    assert (issue["status"], len(issue["notes"])) == ("Resolved", 2)
    assert "Look at it." in redmine.issue(posted(redmine.target(), unreadable()).id)["description"]


@needs_chromium
@each_markup
def test_the_page_shows_headings_and_commands(redmine: Redmine, name: str) -> None:
    redmine.show_as(name)
    shown = _description(redmine, posted(redmine.target(name), failed()).url)
    assert re.search(r"<h2[^>]*>What to do", shown)
    assert len(re.findall(r"<pre", shown)) > 8
    assert "az lock delete --subscription " in _text(shown)


@needs_chromium
@each_markup
@pytest.mark.parametrize(
    ("language", "words"), [("en", "Failure 2 of this incident"), ("pt-BR", "Falha número 2 deste incidente")]
)
def test_the_page_shows_notes_without_marks_in_each_language(redmine: Redmine, name: str, language: str, words: str) -> None:
    redmine.show_as(name)
    made = posted(redmine.target(name), failed(language=language))
    posted(redmine.target(name), failed(UPDATED, language=language, ticket=(made.id, made.url)))
    (note,) = re.findall(r'<div id="journal-\d+-notes"[^>]*>(.*?)</div>', page_source(made.url), re.DOTALL)
    outside_code = _text(re.sub(r"<(pre|code)[^>]*>.*?</\1>", "", note, flags=re.DOTALL))
    assert words in outside_code
    assert not re.search(r"\*\*|`|^#+ |^h\d\. |^\* ", outside_code, re.MULTILINE)
    assert re.search(r"<(strong|li)>", note)


@needs_chromium
@each_markup
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_reader_copies_every_command_as_it_is(redmine: Redmine, name: str, language: str) -> None:
    redmine.show_as(name)
    posting = failed(name="agent_not_ready_windows", language=language)
    shown = _description(redmine, posted(redmine.target(name), posting).url)
    copied = [copied_from(block).replace('" \n', '"\n') for block in re.findall(r"<pre[^>]*>(.*?)</pre>", shown, re.DOTALL)]
    assert copied == code_of(posting), "but for the blank that Textile puts behind a quote at the end of a line"
    assert len(re.findall(r"<li>|<strong>\d+\.</strong>", shown)) >= len(
        re.findall(r"^\d+\. ", ticket_text(posting.parts), re.MULTILINE)
    )


@needs_chromium
@each_markup
@pytest.mark.parametrize(
    "command", ["az x --query {{include(Start)}} --yes", "{{toc}}", "a {{macro(0)}} b", "{{collapse(x)\na\n}}", "echo !{{toc}}"]
)
def test_a_macro_in_a_command_is_copied_as_it_is(redmine: Redmine, name: str, command: str) -> None:
    redmine.show_as(name)
    page = f"Run this:\n\n{code_block(command, 'bash')}\n\nand {code_span(command)}.\n"
    posting = Posting(failed().event, failed().change_id, (Part(page),))
    shown = _description(redmine, posted(redmine.target(name), posting).url)
    assert [copied_from(block) for block in re.findall(r"<pre[^>]*>(.*?)</pre>", shown, re.DOTALL)] == [command]
    if "\n" not in command:
        assert f"and {command}." in copied_from(shown)


@needs_chromium
@each_markup
def test_a_hostile_text_is_shown_as_it_is_and_does_nothing(redmine: Redmine, name: str) -> None:
    redmine.show_as(name)
    made = posted(redmine.target(name), failed(name=HOSTILE))
    shown = _description(redmine, made.url)
    assert "<script>document.title='owned'</script> @everyone #1 $(reboot)" in _text(shown)
    assert not re.search(r"<(script|img)\b|href=\"javascript:", shown)

    page = "".join(f"In a line {code_span(text)} and in a block:\n\n{code_block(text)}\n\n" for text in ACTIVE)
    posting = Posting(failed().event, failed().change_id, (Part(page),))
    shown = _description(redmine, posted(redmine.target(name), posting).url)
    for text in ACTIVE:
        assert _text(shown).count(text) >= 2, text
    assert not re.search(r"<(img|a|h1|strong)\b", shown)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret": "wrong"}, "401"),
        ({"project": "none"}, "the project none is not there"),
        ({"tracker": 2}, "does not use tracker 2"),
        ({"priorities": {"Sev0": 99}}, "known are 1, 2, 3, 4, 5"),
        ({"statuses": {"resolved": 99}}, "known are 1, 2, 3, 4, 5, 6"),
        ({"fields": {"assigned_to_id": 99}}, "would be refused: Subject cannot be blank; Assignee is invalid"),
        ({"key_field": 99}, "does not search by custom field 99"),
    ],
)
def test_check_says_what_is_wrong_and_makes_nothing(redmine: Redmine, wrong: dict[str, object], said: str) -> None:
    posted(redmine.target(), failed(), may_exist=True)
    redmine.target().check()
    with pytest.raises(TicketNotPosted, match=said):
        redmine.target(**wrong).check()  # type: ignore[arg-type]
    assert redmine.issues("0" * 32) == []


def _description(redmine: Redmine, url: str) -> str:
    """The HTML that Redmine made of an issue's description."""
    found = re.search(r'<div class="description">.*?<div class="wiki">(.*?)</div>', page_source(url), re.DOTALL)
    assert found
    return found[1]


def _text(shown: str) -> str:
    """What is read; the marks that keep characters apart are not seen."""
    return html.unescape(re.sub(r"<[^>]+>", "", shown)).replace("\u200b", "")


def test_a_marked_test_ticket_is_sent_and_read_back(redmine: Redmine) -> None:
    options = {"project": "backup", "key_field": redmine.field, "tracker": redmine.tracker}
    environment = {
        "TICKET_TARGET": "redmine",
        "TICKET_URL": redmine.url,
        "TICKET_SECRET": redmine.key,
        "TICKET_OPTIONS": json.dumps(options),
    }
    opened, *others = send(environment)
    assert others == [
        "Found it again by its key.",
        "Noted a further failure on it.",
        "Resolved it.",
        "Read it back: it is closed.",
    ]
    issue = redmine.issue(opened.rpartition("/")[2])
    assert (issue["subject"][:5], issue["status"], len(issue["notes"])) == ("TEST:", "Resolved", 2)

    opened, found, *_ = send(environment | {"TICKET_OPTIONS": json.dumps(options | {"key_field": 99})})
    assert found.startswith("It was NOT found by its key")
