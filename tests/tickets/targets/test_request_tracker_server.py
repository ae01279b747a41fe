"""The whole life of incidents in a real Request Tracker (`make test-rt`): what it holds afterwards, and what its page shows."""

import html
import json
import re
from collections.abc import Iterator

import pytest

from handlers.cli.tickets import send
from handlers.model.refusal import Past, RefusalKind
from handlers.tickets.answers import TicketNotPosted
from sandbox.chromium import find_chromium, page_source
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, incident, resolved, storm, unreadable
from tests.tickets.request_tracker_server import QUEUE, RequestTracker, is_installed, running_request_tracker
from tests.tickets.system import posted
from tests.tickets.targets.copied import code_of, commands_of, copied_from
from tests.tickets.targets.vendor import with_much

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="Request Tracker is not installed: make test-rt"),
    pytest.mark.timeout(900),  # a test makes many requests, and beside other work each takes seconds
]
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


# ---------------------------------------------------------------- what a person does to it


@pytest.mark.parametrize(("status", "after", "texts"), [("resolved", "open", 2), ("rejected", "rejected", 1)])
def test_a_further_failure_opens_a_ticket_that_a_person_resolved_and_is_silent_for_a_rejected_one(
    server: RequestTracker, status: str, after: str, texts: int
) -> None:
    made = posted(server.target(), failed(name="agent_not_ready_windows"))
    server.change(made.id, Status=status)
    assert posted(server.target(), failed(UPDATED, name="agent_not_ready_windows", ticket=(made.id, made.url))) == made
    ticket = server.ticket(made.id)
    assert (ticket["Status"], len(ticket["texts"])) == (after, texts)


def test_or_it_is_noted_or_another_ticket_follows(server: RequestTracker) -> None:
    made = posted(server.target(), failed(name="agent_not_ready_windows"))
    server.change(made.id, Status="resolved")
    further = failed(UPDATED, name="agent_not_ready_windows", ticket=(made.id, made.url))
    posted(server.target(on_closed="note"), further)
    after = posted(server.target(on_closed="new"), further)
    assert (server.ticket(made.id)["Status"], len(server.ticket(made.id)["texts"])) == ("resolved", 2)
    assert after.id != made.id
    assert server.ticket(after.id)["Status"] == "new"


def test_a_deleted_ticket_gets_a_successor_at_once_that_names_it(server: RequestTracker) -> None:
    made = posted(server.target(), failed(name="internal_error_windows"))
    server.change(made.id, Status="deleted")
    after = posted(server.target(), failed(UPDATED, name="internal_error_windows", ticket=(made.id, made.url)))
    assert after.id != made.id
    assert f">{made.id}<" in server.ticket(after.id)["texts"][0].partition("</p>")[0]


def test_a_ticket_that_was_moved_away_refuses_alone_and_gets_a_successor(server: RequestTracker) -> None:
    made = posted(server.target(), failed(name="internal_error_linux"))
    server.move_away(made.id)
    further = failed(UPDATED, name="internal_error_linux", ticket=(made.id, made.url))
    with pytest.raises(TicketNotPosted, match="403") as refusal:
        posted(server.target(), further)
    assert (refusal.value.kind, refusal.value.gone) == (RefusalKind.TICKET, False)
    after = posted(server.target(), further, past=Past(refusals=2))
    assert "This ticket continues ticket" in server.ticket(after.id)["texts"][0]


def test_a_ticket_that_depends_on_an_open_one_is_told_once_that_it_cannot_be_resolved(server: RequestTracker) -> None:
    made, other = posted(server.target(), failed(name="no_network_managed_linux")), posted(server.target(), unreadable())
    server.let_depend(made.id, other.id)
    good, told = resolved(name="no_network_managed_linux", ticket=(made.id, made.url)), False
    for refusals in range(3):
        with pytest.raises(TicketNotPosted, match="unresolved dependencies") as refusal:
            posted(server.target(), good, past=Past(refusals=refusals, told=told))
        assert refusal.value.kind is RefusalKind.TICKET
        told = told or refusal.value.told
    texts = server.ticket(made.id)["texts"]
    assert len([text for text in texts if "could not be closed" in text]) == 1
    assert len([text for text in texts if "A backup has completed since the failure" in text]) == 1
    server.change(other.id, Status="resolved")
    posted(server.target(), good, past=Past(refusals=3, told=told))
    assert server.ticket(made.id)["Status"] == "resolved"


def test_of_two_incidents_whose_tickets_were_merged_each_ends_for_itself(server: RequestTracker) -> None:
    target, first, second = server.target(), "var_is_full_linux", "agent_not_ready_windows"
    merged, other = posted(target, failed(name=first)), posted(target, failed(name=second))
    of_first, of_second = (merged.id, merged.url), (other.id, other.url)
    server.merge(merged.id, into=other.id)
    assert posted(target, failed(UPDATED, name=first, ticket=of_first)) == merged, "it is still found by its number"
    posted(target, resolved(name=first, ticket=of_first))
    ticket = server.ticket(other.id)
    assert (ticket["Status"], len(ticket["texts"])) == ("new", 4), "both pages, and two comments"
    assert "A backup has completed since the failure" in ticket["texts"][-1]

    posted(target, resolved(name=second, ticket=of_second))
    assert server.ticket(other.id)["Status"] == "resolved"
    posted(target, resolved(name=first, ticket=of_first))
    assert len(server.ticket(other.id)["texts"]) == 5, "what is closed is left alone"
    posted(target, failed(UPDATED, name=first, ticket=of_first))
    assert server.ticket(other.id)["Status"] == "open", "a further failure of either opens it"


def test_a_correspondence_opens_what_a_person_resolved_by_rts_own_scrip(server: RequestTracker) -> None:
    target = server.target(note="correspond", fields={"Requestor": "ops@example.com"})
    made = posted(target, failed(name="wrapper_code"))
    known = (made.id, made.url)
    posted(target, resolved(name="wrapper_code", ticket=known))
    assert server.ticket(made.id)["Status"] == "resolved", "though the text came first"
    posted(target, failed(REOPENED, name="wrapper_code", ticket=known))
    assert server.ticket(made.id)["Status"] == "open"
    server.change(made.id, Status="resolved")
    posted(server.target(note="correspond", on_closed="note"), failed(UPDATED, name="wrapper_code", ticket=known))
    assert server.ticket(made.id)["Status"] == "open", "as the option says: the scrip does it"


def test_a_field_that_the_queue_requires_is_not_asked_for_by_rts_interface(server: RequestTracker) -> None:
    with server.requiring("Team"):
        empty = posted(server.target(), failed(name="vm_deallocated"))
        filled = posted(server.target(custom_fields={"Team": "storage"}), failed(name="vm_deallocated"))
        fields = [field for ticket in (empty, filled) for field in server.ticket(ticket.id)["CustomFields"]]
    assert [field["values"] for field in fields if field["name"] == "Team"] == [[], ["storage"]]


def test_a_queue_that_is_not_there_is_a_matter_of_configuration(server: RequestTracker) -> None:
    with pytest.raises(TicketNotPosted) as refusal:
        posted(server.target(queue="none"), failed(name="vm_deallocated"))
    assert refusal.value.kind is RefusalKind.CONFIGURATION


# ---------------------------------------------------------------- further tickets


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


@pytest.mark.parametrize(("note", "right"), [("comment", "CommentOnTicket"), ("correspond", "ReplyToTicket")])
def test_check_knows_the_right_that_a_kind_of_note_needs(server: RequestTracker, note: str, right: str) -> None:
    queue = server.queue_without(right)
    with pytest.raises(TicketNotPosted, match=f"may not add notes of the kind {note} .* \\(right {right}\\)"):
        server.target(queue=queue, note=note).check()
    server.target(queue=queue, note={"comment": "correspond", "correspond": "comment"}[note]).check()


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
