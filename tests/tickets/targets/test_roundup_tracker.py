"""The whole life of incidents in a real Roundup: what it holds afterwards, by its own interface and as its page shows it."""

import html
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.cli.tickets import send
from handlers.model.refusal import Past, RefusalKind
from handlers.tickets.answers import TicketNotPosted
from sandbox.chromium import find_chromium, page_source
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.roundup_tracker import PASSWORD, USER, Tracker, running_tracker
from tests.tickets.system import posted
from tests.tickets.targets.copied import code_of, copied_from
from tests.tickets.targets.vendor import with_much

needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    with running_tracker(tmp_path_factory.mktemp("roundup") / "tracker") as found:
        yield found


def key_of(posting: Posting) -> str:
    key: str = posting.event["data"]["incident"]["id"]
    return key


def test_an_incident_lives_in_one_issue(tracker: Tracker) -> None:
    target, opening = tracker.target(), failed()
    made = posted(target, opening)
    assert made.url == f"{tracker.url}/issue{made.id}"
    known = (made.id, made.url)
    issue = tracker.issue(made.id)
    assert (issue["title"], issue["status"], issue["priority"]) == (opening.event["data"]["title"], "unread", "urgent")
    assert issue["incident_key"] == key_of(opening)

    assert posted(target, failed(UPDATED, ticket=known)) == made
    assert tracker.issue(made.id)["status"] == "unread", "an update leaves the status"
    assert posted(target, resolved(ticket=known)) == made
    assert tracker.issue(made.id)["status"] == "resolved"
    posted(target, resolved(ticket=known))
    assert len(tracker.issue(made.id)["messages"]) == 3, "what is resolved is not resolved again"
    assert posted(target, failed(REOPENED, ticket=known)) == made
    issue = tracker.issue(made.id)
    assert issue["status"] == "chatting"
    texts = [message["content"] for message in issue["messages"]]
    assert len(texts) == 4
    assert "az lock delete --subscription" in texts[0]
    assert "A backup has completed since the failure" in texts[2]
    assert tracker.issues(key_of(opening)) == [made.id]


def test_a_further_failure_is_a_short_message_with_the_runbook_as_a_file(tracker: Tracker) -> None:
    made = posted(tracker.target(), failed())
    for _ in range(2):
        posted(tracker.target(), failed(UPDATED, ticket=(made.id, made.url)))
    issue = tracker.issue(made.id)
    assert len(issue["files"]) == 2
    assert tracker.files(made.id) == {"runbook.md": failed(UPDATED).event["data"]["runbook"]["markdown"].strip()}
    for message in issue["messages"][1:]:
        assert "Failure 2 of this incident" in message["content"]
        assert len(message["content"].splitlines()) <= 25


def test_a_page_that_was_cut_is_there_whole_as_a_file_and_a_storm_has_its_members(tracker: Tracker) -> None:
    long = with_much(failed(name="vm_deallocated"), 120_000)
    assert tracker.files(posted(tracker.target(), long).id) == {"runbook-1.html": long.event["data"]["runbook"]["html"].strip()}
    (members,) = tracker.files(posted(tracker.target(), storm(affected=3)).id).values()
    assert [line.partition(",")[0] for line in members.splitlines()] == ["vm", "vm-000", "vm-001", "vm-002"]


def test_after_a_crash_the_issue_that_was_made_is_found(tracker: Tracker) -> None:
    opening = failed(name="agent_outdated_linux")
    made = posted(tracker.target(), opening)
    again = posted(tracker.target(), opening, may_exist=True)
    assert again == made
    assert tracker.issues(key_of(opening)) == [made.id]
    assert len(tracker.issue(made.id)["messages"]) == 1


def test_a_lost_id_is_found_by_the_key(tracker: Tracker) -> None:
    made = posted(tracker.target(), failed(name="key_vault_deleted"))
    assert posted(tracker.target(), failed(UPDATED, name="key_vault_deleted")) == made
    assert len(tracker.issue(made.id)["messages"]) == 2


def test_what_a_person_closed_is_opened_by_a_further_failure_or_only_noted(tracker: Tracker) -> None:
    made = posted(tracker.target(), failed(name="agent_not_ready_windows"))
    tracker.change(made.id, status="done-cbb")
    posted(tracker.target(), failed(UPDATED, name="agent_not_ready_windows", ticket=(made.id, made.url)))
    assert tracker.issue(made.id)["status"] == "chatting"

    made = posted(tracker.target(), failed(name="disk_33_tib_linux"))
    tracker.change(made.id, status="done-cbb")
    note = tracker.target(on_closed="note")
    posted(note, failed(UPDATED, name="disk_33_tib_linux", ticket=(made.id, made.url)))
    assert (tracker.issue(made.id)["status"], len(tracker.issue(made.id)["messages"])) == ("done-cbb", 2)
    posted(tracker.target(), resolved(name="disk_33_tib_linux", ticket=(made.id, made.url)))
    assert (tracker.issue(made.id)["status"], len(tracker.issue(made.id)["messages"])) == ("done-cbb", 2)


def test_or_another_issue_follows_or_nothing_is_said_until_the_next_good_backup(tracker: Tracker) -> None:
    made = posted(tracker.target(), failed(name="key_vault_rbac_linux"))
    tracker.change(made.id, status="done-cbb")
    further = failed(UPDATED, name="key_vault_rbac_linux", ticket=(made.id, made.url))
    assert posted(tracker.target(silence=["done-cbb"]), further) == made
    after = posted(tracker.target(on_closed="new"), further)
    assert f"This ticket continues ticket {made.id}" in tracker.issue(after.id)["messages"][0]["content"]
    assert (tracker.issue(made.id)["status"], len(tracker.issue(made.id)["messages"])) == ("done-cbb", 1)


LOCK = """
from roundup.exceptions import Reject

def refuse(db, cl, nodeid, newvalues):
    if newvalues.get("status") == db.status.lookup("resolved"):
        raise Reject("it depends on an issue that is open")

def init(db):
    db.issue.audit("set", refuse)
"""


def test_a_detector_that_refuses_a_change_concerns_that_issue_alone(tmp_path: Path) -> None:
    with running_tracker(tmp_path / "tracker", detector=LOCK) as tracker:
        made = posted(tracker.target(), failed())
        known, told = (made.id, made.url), False
        for refusals in range(3):
            with pytest.raises(TicketNotPosted, match="it depends on an issue that is open") as refusal:
                posted(tracker.target(), resolved(ticket=known), past=Past(refusals=refusals, told=told))
            assert refusal.value.kind is RefusalKind.TICKET
            told = told or refusal.value.told
        texts = [message["content"] for message in tracker.issue(made.id)["messages"]]
        assert len([text for text in texts if "could not be closed" in text]) == 1
        assert posted(tracker.target(), failed(UPDATED, ticket=known)) == made, "a note is taken"


def test_a_retired_issue_gets_a_successor_that_names_it(tracker: Tracker) -> None:
    made = posted(tracker.target(), failed(name="vm_deallocated"))
    tracker.retire(made.id)
    after = posted(tracker.target(), failed(UPDATED, name="vm_deallocated", ticket=(made.id, made.url)))
    assert after.id != made.id
    assert f"This ticket continues ticket {made.id}" in tracker.issue(after.id)["messages"][0]["content"]


def test_a_storm_and_an_unreadable_alert_have_issues_too(tracker: Tracker) -> None:
    made = posted(tracker.target(), storm())
    known = (made.id, made.url)
    posted(tracker.target(), storm("storm.updated", ticket=known))
    posted(tracker.target(), storm("storm.resolved", ticket=known))
    issue = tracker.issue(made.id)
    assert (issue["status"], len(issue["messages"])) == ("resolved", 3)
    assert "Look at it." in tracker.issue(posted(tracker.target(), unreadable()).id)["messages"][0]["content"]


@pytest.fixture(scope="module", params=["classic", "jinja2"])
def shown_by(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """A tracker of each template."""
    with running_tracker(tmp_path_factory.mktemp("shown") / "tracker", request.param) as tracker:
        yield tracker


@needs_chromium
def test_the_page_shows_a_hostile_text_as_text(shown_by: Tracker) -> None:
    page = page_source(posted(shown_by.target(), failed(name=HOSTILE)).url)
    assert "<script>document.title='owned'</script> @everyone #1 $(reboot)" in html.unescape(page)
    assert "<script>document.title" not in page
    assert "<img src=x" not in page
    assert "<title>owned" not in page
    assert 'href="javascript:' not in page


@needs_chromium
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_reader_copies_every_command_as_it_is(shown_by: Tracker, language: str) -> None:
    posting = failed(name="agent_not_ready_windows", language=language)
    shown = copied_from(page_source(posted(shown_by.target(), posting).url))
    lines = {line.strip() for line in shown.split("\n")}
    assert [line for line in "\n".join(code_of(posting)).split("\n") if line.strip() not in lines] == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret": "wrong"}, "401"),
        ({"priorities": {"Sev0": "none"}}, "'none' is not a priority"),
        ({"fields": {"nothing": "x"}}, "Property nothing not found"),
        ({"statuses": {"resolved": "none"}}, "unread, deferred, chatting"),
        ({"closed": ["none"]}, "unread, deferred, chatting"),
    ],
)
def test_check_says_what_is_wrong_and_makes_nothing(tracker: Tracker, wrong: dict[str, object], said: str) -> None:
    tracker.target().check()
    with pytest.raises(TicketNotPosted, match=said):
        tracker.target(**wrong).check()  # type: ignore[arg-type]
    assert tracker.issues("check") == []


def test_a_marked_test_ticket_is_sent_and_read_back(tracker: Tracker) -> None:
    environment = {"TICKET_TARGET": "roundup", "TICKET_URL": tracker.url, "TICKET_USER": USER, "TICKET_SECRET": PASSWORD}
    opened, *others = send(environment)
    assert others == [
        "Found it again by its key.",
        "Noted a further failure on it.",
        "Resolved it.",
        "Read it back: it is closed.",
    ]
    issue = tracker.issue(opened.rpartition("/issue")[2])
    assert (issue["title"][:5], issue["status"], len(issue["messages"])) == ("TEST:", "resolved", 3)
