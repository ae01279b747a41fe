"""The whole life of incidents in a real Request Tracker (`make test-rt`): what it holds afterwards, and what its page shows."""

import html
import json
import re
from collections.abc import Iterator

import pytest

from handlers.cli.tickets import send
from handlers.tickets.answers import TicketNotPosted
from sandbox.chromium import find_chromium, page_source
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, incident, resolved, storm, unreadable
from tests.tickets.request_tracker_server import QUEUE, RequestTracker, is_installed, running_request_tracker
from tests.tickets.system import posted
from tests.tickets.targets.copied import code_of, commands_of, copied_from
from tests.tickets.targets.vendor import with_much

pytestmark = pytest.mark.skipif(not is_installed(), reason="Request Tracker is not installed: make test-rt")
needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RequestTracker]:
    with running_request_tracker(tmp_path_factory.mktemp("request_tracker")) as running:
        yield running


def key_of(posting: Posting) -> str:
    return str(posting.event["data"]["incident"]["id"])


def test_an_incident_lives_in_one_ticket(server: RequestTracker) -> None:
    target, opening = server.target(), failed()
    made = posted(target, opening)
    known = (made.id, made.url)
    ticket = server.ticket(made.id)
    assert (ticket["Subject"], ticket["Status"], ticket["Priority"]) == (opening.event["data"]["title"], "new", "100")
    assert [field["values"] for field in ticket["CustomFields"]] == [[incident().id]]
    assert "az lock delete --subscription" in ticket["texts"][0]

    assert posted(target, failed(UPDATED, ticket=known)) == made
    assert server.ticket(made.id)["Status"] == "new", "an update leaves the status"
    assert posted(target, resolved(ticket=known)) == made
    assert server.ticket(made.id)["Status"] == "resolved"
    posted(target, resolved(ticket=known))
    assert len(server.ticket(made.id)["texts"]) == 3, "what is resolved is not resolved again"
    assert posted(target, failed(REOPENED, ticket=known)) == made
    ticket = server.ticket(made.id)
    assert (ticket["Status"], len(ticket["texts"])) == ("open", 4)
    assert "A backup has completed since the failure" in ticket["texts"][2]
    assert server.tickets(incident().id) == [made.id]


def test_a_further_failure_is_a_short_comment_with_the_runbook_as_a_file(server: RequestTracker) -> None:
    further = failed(UPDATED)
    made = posted(server.target(), failed())
    posted(server.target(), failed(UPDATED, ticket=(made.id, made.url)))
    assert server.files(made.id) == {"runbook.md": further.event["data"]["runbook"]["markdown"]}
    note = server.ticket(made.id)["texts"][1].partition("# Backup of")[0]
    assert "Failure 2 of this incident" in note
    assert "attached as" in note
    assert "az lock delete" not in note


def test_a_page_that_was_cut_is_there_whole_as_a_file_and_a_storm_has_its_members(server: RequestTracker) -> None:
    long = with_much(failed(name="key_vault_deleted"), 60_000)
    assert server.files(posted(server.target(), long).id) == {"runbook-1.html": long.event["data"]["runbook"]["html"]}
    files = server.files(posted(server.target(), storm(affected=3)).id)
    assert [line.partition(",")[0] for line in files["members-1.csv"].splitlines()] == ["vm", "vm-000", "vm-001", "vm-002"]


def test_after_a_crash_the_ticket_that_was_made_is_found(server: RequestTracker) -> None:
    opening = failed(name="agent_outdated_linux")
    made = posted(server.target(), opening)
    assert posted(server.target(), opening, may_exist=True) == made
    assert server.tickets(key_of(opening)) == [made.id]


def test_a_lost_id_is_found_by_the_key(server: RequestTracker) -> None:
    made = posted(server.target(), failed(name="key_vault_deleted"))
    assert posted(server.target(), failed(UPDATED, name="key_vault_deleted")) == made


@pytest.mark.parametrize(
    ("status", "name"), [("resolved", "disk_33_tib_linux"), ("rejected", "vm_deallocated"), ("deleted", "unknown_code")]
)
def test_a_recovery_leaves_what_a_person_closed(server: RequestTracker, status: str, name: str) -> None:
    made = posted(server.target(), failed(name=name))
    known = (made.id, made.url)
    server.change(made.id, Status=status)
    assert posted(server.target(), resolved(name=name, ticket=known)) == made
    ticket = server.ticket(made.id)
    assert (ticket["Status"], len(ticket["texts"])) == (status, 1)


def test_a_storm_and_an_unreadable_alert_have_tickets_too(server: RequestTracker) -> None:
    made = posted(server.target(), storm())
    known = (made.id, made.url)
    posted(server.target(), storm("storm.updated", ticket=known))
    posted(server.target(), storm("storm.resolved", ticket=known))
    ticket = server.ticket(made.id)
    assert (ticket["Status"], len(ticket["texts"])) == ("resolved", 5), "two of them bring the members"
    assert "Look at it." in server.ticket(posted(server.target(), unreadable()).id)["texts"][0]


@needs_chromium
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_reader_copies_every_command_as_it_is_from_letters_of_one_width(server: RequestTracker, language: str) -> None:
    posting = failed(name="restore_point_group_locked", language=language)
    shown = page_source(server.page(posted(server.target(), posting).id))
    blocks = re.findall(r'<pre style="font-family: ?monospace;?">(.*?)</pre>', shown, re.DOTALL)
    copied = [copied_from(block) for block in blocks]
    assert len(copied) > 10
    expected = iter(code_of(posting))
    assert all(block in expected for block in copied), "each is one of the runbook's, in its order"
    assert set(commands_of(posting)) & set("\n".join(copied).split("\n"))
    assert "<code>" not in "".join(blocks)


@needs_chromium
def test_a_hostile_text_is_shown_as_it_is_and_does_nothing(server: RequestTracker) -> None:
    shown = page_source(server.page(posted(server.target(), failed(name=HOSTILE)).id))
    assert "<script>document.title='owned'</script> @everyone #1 $(reboot)" in html.unescape(re.sub(r"<[^>]+>", "", shown))
    assert not re.search(r"<script>document|<img src=\"?x|href=\"javascript:", shown)
    assert "<title>owned" not in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret": "wrong"}, "401"),
        ({"queue": "none"}, "the queue none is not there"),
        ({"key_field": "None"}, "no custom field None"),
        ({"statuses": {"resolved": "done"}}, "from the status new RT offers open, resolved, rejected, and not done"),
        ({"custom_fields": {"Team": "storage"}}, "no custom field Team"),
        ({"fields": {"Owner": "nobody-known"}}, "no user nobody-known"),
    ],
)
def test_check_says_what_is_wrong_and_makes_nothing(server: RequestTracker, wrong: dict[str, object], said: str) -> None:
    posted(server.target(), failed(name="vm_deallocated"), may_exist=True)
    server.target().check()
    with pytest.raises((TicketNotPosted, ValueError), match=said):
        server.target(**wrong).check()  # type: ignore[arg-type]
    assert server.tickets("no ticket has this") == []


def test_check_takes_an_owner_who_is_there(server: RequestTracker) -> None:
    server.target(queue=QUEUE, fields={"Owner": "ops"}).check()


def test_a_marked_test_ticket_is_sent_and_read_back(server: RequestTracker) -> None:
    options = json.dumps({"queue": QUEUE})
    environment = {
        "TICKET_TARGET": "request_tracker",
        "TICKET_URL": server.url,
        "TICKET_SECRET": server.token,
        "TICKET_OPTIONS": options,
    }
    opened, *others = send(environment)
    assert others == [
        "Found it again by its key.",
        "Noted a further failure on it.",
        "Resolved it.",
        "Read it back: it is closed.",
    ]
    ticket = server.ticket(opened.rpartition("=")[2])
    assert (ticket["Subject"][:5], ticket["Status"], len(ticket["texts"])) == ("TEST:", "resolved", 3)
