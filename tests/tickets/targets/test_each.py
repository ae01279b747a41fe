"""What each system is sent and what it says, by the data in protocol.py and checks.py. What only one of them does is in its own file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from copy import replace
from typing import Any

import pytest

from handlers.model.refusal import Past, RefusalKind
from handlers.tickets.answers import TicketNotPosted
from handlers.tickets.engine.definition import load
from tests.tickets.changes import HOSTILE, OPENED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, posted
from tests.tickets.targets import vendor
from tests.tickets.targets.checks import CHECKS, Check, Wrong
from tests.tickets.targets.happy import HAPPY, SECRET, Happy, Imitation, running
from tests.tickets.targets.protocol import (
    DESCRIBED,
    ONE_TICKET,
    PAGES,
    PLACE_LOST,
    PROTOCOLS,
    REFUSALS,
    REQUIRED,
    SILENCE,
    Page,
    Refusal,
)
from tests.tickets.targets.test_all import OPERATIONS, change_of, opened_before


@pytest.mark.parametrize("name", REQUIRED)
def test_this_is_required(name: str) -> None:
    system = load(name)
    settings = {name for name, needed in (("TICKET_USER", system.needs_user), ("TICKET_SECRET", system.needs_secret)) if needed}
    assert {option for option, about in system.options.items() if about.required} | settings == REQUIRED[name]


# ---------------------------------------------------------------- request by request

with_protocol = pytest.mark.parametrize("name", PROTOCOLS)


def lines(name: str, asked: Sequence[Asked], key: str) -> list[str]:
    """The requests below the system's prefix."""
    prefix = PROTOCOLS[name].prefix
    return [f"{one.method} {one.path.removeprefix(prefix)}".replace(key, "KEY") for one in asked]


def requests_of(
    name: str, operation: str, *, closed: bool = False, known: bool = True, gone: bool = False, then: bool | None = None,
    made: int = 1, **options: Any,
) -> list[str]:  # fmt: skip
    """What a change leads to when a ticket was opened before. Whether the ticket is closed after it (`then`) is looked at, too."""
    happy = replace(HAPPY[name], options={**HAPPY[name].options, **options})
    then = {"resolve": not gone, "reopen": False}.get(operation, closed) if then is None else then
    with running(name) as system:
        target = happy.at(system.url, name)
        posted(target, change_of("open"))
        system.closed = closed
        if gone:
            forget(system, name)
        system.asked.clear()
        change = change_of(operation, happy.ticket if known and operation != "open" else "")
        assert posted(target, change, may_exist=operation == "open").id == happy.ticket
        assert len(system.made) == made or (gone and operation == "resolve" and not system.made)
        assert system.closed is then
        return lines(name, system.asked, key_of(change))


def forget(system: Imitation, name: str) -> None:
    """Somebody deleted the ticket."""
    ticket = re.escape(HAPPY[name].ticket)
    system.made.clear()
    for method in ("GET", "PUT", "PATCH", "POST"):
        system.on(method, rf".*/{ticket}(\W.*)?|/chat\.update", PROTOCOLS[name].gone)


def key_of(change: Posting) -> str:
    return str(change.event["data"]["incident"]["id"])


@with_protocol
def test_a_failure_opens_a_ticket(name: str) -> None:
    with running(name) as system:
        assert posted(HAPPY[name].at(system.url, name), change_of("open")).id == HAPPY[name].ticket
        assert lines(name, system.asked, key_of(change_of("open"))) == PROTOCOLS[name].open
        assert key_of(change_of("open")) in system.asked[-1].body.decode()


@with_protocol
def test_a_further_failure_is_a_note(name: str) -> None:
    assert requests_of(name, "update") == PROTOCOLS[name].update


@with_protocol
def test_a_good_backup_closes_the_ticket(name: str) -> None:
    assert requests_of(name, "resolve") == PROTOCOLS[name].resolve


@with_protocol
def test_a_failure_after_it_opens_the_ticket_again(name: str) -> None:
    assert requests_of(name, "reopen", closed=True) == PROTOCOLS[name].reopen


@with_protocol
def test_a_ticket_that_a_person_has_reopened_already_is_left_so(name: str) -> None:
    expected = PROTOCOLS[name].still_open
    assert requests_of(name, "reopen") == (PROTOCOLS[name].reopen if expected is None else expected)


closable = pytest.mark.parametrize("name", [name for name, protocol in PROTOCOLS.items() if protocol.closed])


@closable
def test_a_good_backup_leaves_a_ticket_that_a_person_closed(name: str) -> None:
    assert requests_of(name, "resolve", closed=True) == PROTOCOLS[name].closed


@closable
def test_a_further_failure_opens_a_ticket_that_a_person_closed_again(name: str) -> None:
    assert requests_of(name, "update", closed=True, then=False) == PROTOCOLS[name].reopen


@closable
def test_or_it_is_a_note_on_it(name: str) -> None:
    assert requests_of(name, "update", closed=True, on_closed="note") == PROTOCOLS[name].update


@closable
def test_or_another_ticket(name: str) -> None:
    read = PROTOCOLS[name].closed
    first = read if name == "zendesk" else []  # which asks whether its new ticket follows one that is closed for good
    assert requests_of(name, "update", closed=True, made=2, on_closed="new") == [*read, *first, *PROTOCOLS[name].open]


@pytest.mark.parametrize(("name", "silence"), SILENCE.items())
def test_or_nothing_if_it_was_closed_with_a_word_that_silences(name: str, silence: Any) -> None:
    assert requests_of(name, "update", closed=True, silence=silence) == PROTOCOLS[name].closed


@with_protocol
def test_after_a_lost_answer_the_ticket_is_searched_for_by_its_key(name: str) -> None:
    assert requests_of(name, "open") == PROTOCOLS[name].search
    with running(name) as system:
        posted(HAPPY[name].at(system.url, name), change_of("open"), may_exist=True)
        first, key = system.asked[0], key_of(change_of("open"))
    sent = json.dumps({**first.query, **(first.json or {})}).replace(key, "KEY")
    assert json.loads(sent) == PROTOCOLS[name].searched_for


@with_protocol
def test_a_lost_id_is_searched_for_by_the_key(name: str) -> None:
    assert requests_of(name, "update", known=False) == [*PROTOCOLS[name].search, *PROTOCOLS[name].update]


@with_protocol
def test_nothing_found_is_a_new_ticket(name: str) -> None:
    with running(name) as system:
        posted(HAPPY[name].at(system.url, name), change_of("update"))
        asked = lines(name, system.asked, key_of(change_of("update")))
    assert asked == [PROTOCOLS[name].search[0], *PROTOCOLS[name].open]


@with_protocol
def test_an_update_of_a_deleted_ticket_opens_another(name: str) -> None:
    assert requests_of(name, "update", gone=True) == [*PROTOCOLS[name].gone_update, *PROTOCOLS[name].open]


@pytest.mark.parametrize("name", [name for name, protocol in PROTOCOLS.items() if protocol.gone_resolve])
def test_a_good_backup_leaves_a_deleted_ticket(name: str) -> None:
    assert requests_of(name, "resolve", gone=True) == PROTOCOLS[name].gone_resolve


@pytest.mark.parametrize("name", PLACE_LOST)
def test_a_place_that_is_not_seen_any_more_is_no_deleted_ticket(name: str) -> None:
    with running(name) as system:
        system.on("GET", ".*", Reply(PLACE_LOST[name], {"message": "not here"}))
        with pytest.raises(TicketNotPosted, match=str(PLACE_LOST[name])):
            posted(HAPPY[name].at(system.url, name), change_of("resolve", HAPPY[name].ticket))


def without_files(name: str) -> Happy:
    """The system, to which no file is added: test_attached.py is about files."""
    never = {"attach": "never"} if load(name).attach else {}
    return replace(HAPPY[name], options={**HAPPY[name].options, **never})


@with_protocol
def test_storms_and_unreadable_alerts_take_the_same_requests(name: str) -> None:
    happy, protocol = without_files(name), PROTOCOLS[name]
    with running(name) as system:
        target = happy.at(system.url, name)
        first = posted(target, storm(affected=3))
        for change in ("storm.updated", "storm.resolved"):
            assert posted(target, storm(change, affected=3, ticket=(first.id, first.url))) == first
        assert system.closed
        assert lines(name, system.asked, key_of(storm())) == [*protocol.open, *protocol.update, *protocol.resolve]
        sent = json.dumps([one.json for one in system.asked])
        assert "3 backups in westeurope failed with the same error" in sent
        assert "vm-000" in sent or name == "servicenow", "whose pages are short"
    with running(name) as system:
        posted(happy.at(system.url, name), unreadable())
        assert lines(name, system.asked, key_of(unreadable())) == protocol.open
        assert "@here" in json.dumps([one.json for one in system.asked])


@pytest.mark.parametrize("name", [name for name in HAPPY if name != "pagerduty"])  # whose resolving takes no text
def test_a_good_backup_says_which_it_was(name: str) -> None:
    happy = HAPPY[name]
    with running(name) as system:
        opened_before(name, "resolve", system)
        posted(happy.at(system.url, name), resolved(ticket=(happy.ticket, "https://tickets.example.com/7")))
        said = b"".join(asked.body for asked in system.asked).decode()
    assert "job-good" in said
    assert "Completed" in said


# ---------------------------------------------------------------- the page

with_page = pytest.mark.parametrize("name", PAGES)


def opened(name: str, change: Posting) -> Any:
    """The JSON that opens a ticket."""
    with running(name) as system:
        posted(HAPPY[name].at(system.url, name), change)
        return system.made[0].json


def assert_within_limits(page: Page, body: Any) -> None:
    assert len(page.title(body)) <= page.longest_title
    assert (page.size(body) if page.size is not len else len(page.text(body))) <= page.longest_text


@with_page
@pytest.mark.parametrize(
    "change", [failed(OPENED), failed(OPENED, HOSTILE), storm(affected=200)], ids=["plain", "hostile", "storm"]
)
def test_texts_keep_to_the_limits(name: str, change: Posting) -> None:
    assert_within_limits(PAGES[name], opened(name, change))


@with_page
def test_a_page_that_is_too_long_keeps_to_the_limits_and_keeps_the_commands_of_what_is_confirmed(name: str) -> None:
    change = vendor.with_much(with_title(failed(OPENED), "<b>" + "x" * 2_000), PAGES[name].too_long)
    body = opened(name, change)
    page = PAGES[name].text(body)
    assert_within_limits(PAGES[name], body)
    assert "This is ruled out" not in page
    assert "az lock delete --subscription" in page
    if not PAGES[name].commands_may_go:
        assert [line for line in vendor.commands_of(change) if line not in page] == []


def with_title(change: Posting, title: str) -> Posting:
    return replace(change, event={**change.event, "data": {**change.event["data"], "title": title}})


@pytest.mark.parametrize("name", [name for name in PAGES if load(name).text.markup == "gfm"])
def test_hostile_text_stays_inert_markdown(name: str) -> None:
    change = failed(name=HOSTILE)
    body = opened(name, change)
    text = PAGES[name].text(body)
    assert PAGES[name].title(body) == change.event["data"]["title"]
    assert "<script>document.title='owned'</script>" in text
    assert not [word for word in vendor.HOSTILE_WORDS if word in vendor.outside_code(text)]
    assert "@here" not in vendor.outside_code(PAGES[name].text(opened(name, unreadable())))


@pytest.mark.parametrize("name", [name for name in HAPPY if load(name).text.markup == "html"])
def test_hostile_text_stays_inert_html(name: str) -> None:
    text = json.dumps(opened(name, failed(name=HOSTILE))).lower()
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert "<img" not in text


# ---------------------------------------------------------------- refusals and the check


@pytest.mark.parametrize(("name", "refusal"), [(name, refusal) for name, refusals in REFUSALS.items() for refusal in refusals])
def test_each_system_refuses_in_its_own_way(name: str, refusal: Refusal) -> None:
    with running(name) as system:
        system.on("POST", ".*", refusal.reply)
        with pytest.raises(TicketNotPosted, match=refusal.said or None) as caught:
            posted(HAPPY[name].at(system.url, name), change_of("open"))
    assert (caught.value.permanent, caught.value.retry_after) == (refusal.permanent, refusal.wait)
    assert caught.value.kind is refusal.concerns
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "operation", "method", "path", "reply"),
    [(name, *refused) for name, refusals in ONE_TICKET.items() for refused in refusals],
)
def test_what_one_ticket_refuses_concerns_it_alone_and_a_successor_is_for_failures_only(
    name: str, operation: str, method: str, path: str, reply: Reply
) -> None:
    happy = HAPPY[name]
    with running(name) as system:
        opened_before(name, operation, system)
        target, change = happy.at(system.url, name), change_of(operation, happy.ticket)
        system.on(method, path, reply)
        with pytest.raises(TicketNotPosted) as caught:
            posted(target, change)
        assert (caught.value.kind, caught.value.gone) == (RefusalKind.TICKET, False)
        if operation == "update" and happy.exactly_once == "search":
            assert posted(target, change, past=Past(refusals=2)).id == happy.ticket
            assert len(system.made) == 2
        else:
            with pytest.raises(TicketNotPosted):
                posted(target, change, past=Past(refusals=2))
            assert len(system.made) == 1 or happy.exactly_once == "key"


def checking(name: str, system: Imitation) -> Happy:
    """The system as it answers when all is well, and how it is set up."""
    check = CHECKS[name]
    check.healthy(system)
    return replace(HAPPY[name], options={**HAPPY[name].options, **check.options})


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_asks_this_and_is_content(name: str) -> None:
    check: Check = CHECKS[name]
    with running(name) as system:
        checking(name, system).at(system.url, name).check()
        asked = [
            f"{one.method} {one.path}{'?' if one.query else ''}{'&'.join(map('='.join, one.query.items()))}"
            for one in system.asked
        ]
        assert asked == check.requests
        assert check.sent is None or system.asked[-1].json == check.sent


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name, check in CHECKS.items() for wrong in check.wrong])
def test_the_check_says_what_is_wrong(name: str, wrong: Wrong) -> None:
    method, path, reply, said = wrong
    with running(name) as system:
        happy = checking(name, system)
        system.on(method, path, reply)
        with pytest.raises(TicketNotPosted, match=said):
            happy.at(system.url, name).check()


# ---------------------------------------------------------------- the vendors' descriptions


def whole_life(name: str, system: Imitation) -> list[Asked]:
    """Every kind of change, the first of them an `open`, and the check; all requests."""
    happy = without_files(name)
    target = replace(happy, options={**happy.options, **DESCRIBED[name].options}).at(system.url, name)
    for operation in OPERATIONS:
        posted(target, change_of(operation, "" if operation == "open" else happy.ticket))
        system.closed = operation == "resolve"
    posted(target, change_of("update"))
    for change in (failed(name=HOSTILE), storm(), unreadable()):
        posted(target, change)
    asked = list(system.asked)
    CHECKS[name].healthy(system)
    system.asked.clear()
    target.check()
    return asked + [one for one in system.asked if HAPPY[name].exactly_once == "key" or name == "azure_devops"]


@vendor.needs_descriptions
@pytest.mark.parametrize("name", DESCRIBED)
def test_every_request_is_as_the_vendor_describes_its_api(name: str) -> None:
    described = DESCRIBED[name]
    with running(name) as system:
        asked = [(one, path) for one in whole_life(name, system) if (path := described.path(one.path))]
    assert len(asked) >= 9
    assert [problem for one, path in asked if (problem := vendor.complaint(described.file, one, path))] == []


@vendor.needs_descriptions
@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, it in DESCRIBED.items() for number in range(len(it.wrong))]
)
def test_the_vendors_description_refuses_a_wrong_request(name: str, number: int) -> None:
    described = DESCRIBED[name]
    with running(name) as system:
        damaged = described.wrong[number](whole_life(name, system))
    assert vendor.complaint(described.file, damaged, described.path(damaged.path))
