"""The whole life of incidents in a real Roundup: what it holds afterwards, by its own interface and as its page shows it."""

import html
from collections.abc import Iterator

import pytest

from handlers.cli.tickets import send
from handlers.tickets.answers import TicketNotPosted
from sandbox.chromium import find_chromium, page_source
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.roundup_tracker import PASSWORD, USER, Tracker, running_tracker
from tests.tickets.system import posted


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
    files = [tracker.get(f"file/{file['id']}", **{"@verbose": "3"})["attributes"] for file in issue["files"]]
    assert [file["name"] for file in files] == ["runbook.md", "runbook.md"]
    assert files[-1]["content"].strip() == failed(UPDATED).event["data"]["runbook"]["markdown"].strip()
    for message in issue["messages"][1:]:
        assert "Failure 2 of this incident" in message["content"]
        assert len(message["content"].splitlines()) <= 25


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


@pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")
def test_the_page_shows_commands_to_copy_and_a_hostile_text_as_text(tracker: Tracker) -> None:
    made = posted(tracker.target(), failed(name=HOSTILE))
    page = page_source(made.url)
    shown = html.unescape(page)
    assert "az vm extension delete --subscription" in shown
    assert "<script>document.title='owned'</script> @everyone #1 $(reboot)" in shown
    assert "<script>document.title" not in page
    assert "<img src=x" not in page
    assert "<title>owned" not in page
    assert 'href="javascript:' not in page


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
