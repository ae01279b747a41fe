"""What holds for every ticketing system that comes with the app, whatever its file says."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from copy import replace
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from itertools import cycle
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from handlers.model.parts import Part
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import FOLDER, DefinitionError, bundled, load
from handlers.tickets.engine.own_file import checked
from handlers.tickets.gate import seconds_of
from tests.conftest import ROOT
from tests.tickets.changes import OPENED, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import NOW, Reply, posted, target_at
from tests.tickets.targets.happy import HAPPY, SECRET, Imitation, running

every_system = pytest.mark.parametrize("name", bundled())
searched = pytest.mark.parametrize("name", [name for name, happy in HAPPY.items() if happy.exactly_once == "search"])
naming = pytest.mark.parametrize("name", [name for name, happy in HAPPY.items() if not happy.names_no_ticket])
read = pytest.mark.parametrize("name", [name for name in bundled() if load(name).read])
with_secret = pytest.mark.parametrize("name", [name for name, happy in HAPPY.items() if happy.secret])
OPERATIONS = ("open", "update", "resolve", "reopen")


def small(change: Posting) -> Posting:
    """The same change with a page of a few words, where the page does not matter: it is faster."""
    return replace(change, parts=(Part("# Backup of `vm-pay-01` failed\n\nRemove the lock.\n"),))


@cache
def change_of(operation: str, ticket: str = "") -> Posting:
    known = (ticket, f"https://tickets.example.com/{quote(ticket, safe='')}" if ticket else "")
    return small(
        {
            "open": lambda: failed(OPENED),
            "update": lambda: failed(UPDATED, ticket=known),
            "resolve": lambda: resolved(ticket=known),
            "reopen": lambda: failed(REOPENED, ticket=known),
        }[operation]()
    )


def opened_before(name: str, operation: str, system: Imitation) -> None:
    """Bring the imitation to where a change of that operation is due, and to where it was asked nothing."""
    if operation == "open":
        system.made.clear()
    elif not system.made:
        posted(HAPPY[name].at(system.url, name), change_of("open"))
    del system.made[1:]
    system.closed = operation == "reopen"
    system.asked.clear()
    system.raw.clear()


# ---------------------------------------------------------------- the file and its page


@every_system
def test_a_file_can_be_read_and_says_whose_it_is(name: str) -> None:
    system = load(name)
    assert checked((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml") == system
    assert urlsplit(system.docs).scheme == "https"
    assert system.text.title >= 100
    assert all(option.about for option in system.options.values())


@every_system
def test_every_system_is_imitated_here(name: str) -> None:
    assert name in HAPPY


@every_system
def test_its_page_names_its_options_and_its_credentials(name: str) -> None:
    page = (ROOT / "docs" / "tickets" / f"{name}.md").read_text(encoding="utf-8")
    system = load(name)
    written = page.partition("<!-- written by make docs -->")[2].partition("<!-- /written by make docs -->")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", written, re.MULTILINE)) == set(system.options)
    assert name in page
    needed = (
        {"TICKET_URL"} | ({"TICKET_USER"} if system.needs_user else set()) | ({"TICKET_SECRET"} if system.needs_secret else set())
    )
    assert all(word in page for word in needed)
    assert all(f'"{option}"' in page for option, about in system.options.items() if about.required)


@every_system
def test_what_is_required_is_asked_for_at_start(name: str) -> None:
    system, happy = load(name), HAPPY[name]
    system.options_of(happy.options)
    system.check_credentials(happy.user, happy.secret)
    for option in (option for option, about in system.options.items() if about.required):
        others = {key: value for key, value in happy.options.items() if key != option}
        for options in ({**others, option: ""}, others):
            with pytest.raises(DefinitionError, match=f"'{option}' for {name}"):
                target_at("http://127.0.0.1:9", name, user=happy.user, secret=happy.secret, **options)
    if system.needs_secret:
        with pytest.raises(DefinitionError, match="TICKET_SECRET"):
            system.check_credentials(happy.user, "")
    if system.needs_user:
        with pytest.raises(DefinitionError, match="TICKET_USER"):
            system.check_credentials("", happy.secret)


# ---------------------------------------------------------------- all is well


@every_system
def test_the_whole_life_of_an_incident(name: str) -> None:
    happy = HAPPY[name]
    with running(name) as system:
        target = happy.at(system.url, name)
        first = posted(target, failed(OPENED))
        if not happy.names_no_ticket:
            assert first.id == happy.ticket
        known = (first.id, first.url)
        changes = [failed(UPDATED, ticket=known), resolved(ticket=known), failed(REOPENED, ticket=known), resolved(ticket=known)]
        assert {posted(target, change) for change in changes} <= {first, Posted()}
        if happy.exactly_once == "search":
            assert len(system.made) == 1
            assert system.closed


@every_system
def test_storms_and_unreadable_alerts_are_tickets_too(name: str) -> None:
    happy = HAPPY[name]
    for changes in (["storm.opened", "storm.updated", "storm.resolved"], []):
        with running(name) as system:
            target = happy.at(system.url, name)
            first = posted(target, storm(changes[0], affected=3) if changes else unreadable())
            assert first.id == happy.ticket or happy.names_no_ticket
            for change in changes[1:]:
                assert posted(target, storm(change, affected=3, ticket=(first.id, first.url))) in (first, Posted())
            assert all(asked.json is not None for asked in system.made)


@every_system
def test_every_request_goes_to_the_systems_own_address_whatever_its_answers_link_to(name: str) -> None:
    with running(name) as elsewhere, running(name) as system:
        system.links = elsewhere.url
        for operation in OPERATIONS:
            opened_before(name, operation, system)
            posted(HAPPY[name].at(system.url, name), change_of(operation, HAPPY[name].ticket))
            assert system.asked
        assert elsewhere.asked == []


@every_system
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(name: str, status: int) -> None:
    with running(name) as elsewhere, running(name) as system:
        system.all_answer(Reply(status, {}, {"Location": f"{elsewhere.url}/"}))
        for operation in OPERATIONS:
            with pytest.raises(TicketNotPosted) as caught:
                posted(HAPPY[name].at(system.url, name), change_of(operation, "7"))
            assert not caught.value.permanent
        assert elsewhere.asked == []


# ---------------------------------------------------------------- exactly once


@every_system
@pytest.mark.parametrize("cut", [True, False], ids=["the answer is cut off", "the answer came and was not kept"])
def test_a_ticket_whose_answer_was_lost_is_not_made_twice(name: str, cut: bool) -> None:
    happy = HAPPY[name]
    with running(name) as system:
        target = happy.at(system.url, name)
        system.cut_when_made = cut
        if cut:
            with pytest.raises(TicketNotPosted) as caught:
                posted(target, change_of("open"))
            assert not caught.value.permanent
        else:
            posted(target, change_of("open"))
        system.cut_when_made = False
        found = posted(target, change_of("open"), may_exist=True)
        if happy.exactly_once == "search":
            assert len(system.made) == 1
            assert found.id == happy.ticket
        elif happy.exactly_once == "key":
            first, second = ((asked.body, asked.headers.get("webhook-id")) for asked in system.made)
            assert first == second
            assert system.key or first[1]


@searched
def test_a_ticket_without_the_key_is_never_touched(name: str) -> None:
    """A system may ignore a filter that it does not know, and answer a search with everything."""
    happy = HAPPY[name]
    for operation in ("open", "update", "resolve"):
        with running(name) as system:
            posted(happy.at(system.url, name), unreadable())
            posted(happy.at(system.url, name), change_of(operation), may_exist=True)
            assert len(system.made) == (1 if operation == "resolve" else 2)
            named = re.compile(rf'/{re.escape(happy.ticket)}\b|"(thread_)?ts":"{re.escape(happy.ticket)}"')
            assert [
                asked for asked in system.asked if asked.method != "GET" and named.search(asked.path + asked.body.decode())
            ] == []


@searched
def test_a_good_backup_without_a_ticket_does_nothing(name: str) -> None:
    with running(name) as system:
        assert posted(HAPPY[name].at(system.url, name), change_of("resolve")) == Posted()
        assert len(system.asked) == 1
        assert system.made == []


@searched
def test_a_ticket_whose_id_was_lost_is_found_by_its_key(name: str) -> None:
    happy = HAPPY[name]
    for operation in ("update", "resolve", "reopen"):
        with running(name) as system:
            opened_before(name, operation, system)
            assert posted(happy.at(system.url, name), change_of(operation)).id == happy.ticket
            assert len(system.made) == 1
            assert system.closed is (operation == "resolve")


@read
def test_a_good_backup_changes_nothing_on_what_a_person_closed(name: str) -> None:
    happy = HAPPY[name]
    with running(name) as system:
        opened_before(name, "resolve", system)
        system.closed = True
        posted(happy.at(system.url, name), change_of("resolve", happy.ticket))
        assert system.closed
        assert [asked.method for asked in system.asked if asked.method != "GET"] == []


# ---------------------------------------------------------------- refusals

WRONG = [
    (503, False), (500, False), (502, False), (429, False), (401, False), (403, False), (404, False), (400, True), (413, True),
]  # fmt: skip


@every_system
@pytest.mark.parametrize(("status", "permanent"), WRONG)
def test_a_refusal_says_whether_the_same_is_useless(name: str, status: int, permanent: bool) -> None:
    with running(name) as system:
        system.all_answer(Reply(status, {"message": f"no {SECRET} here"}))
        with pytest.raises(TicketNotPosted) as caught:
            posted(HAPPY[name].at(system.url, name), change_of("open"))
        assert caught.value.permanent is permanent
        assert caught.value.status in (status, 0)
        assert SECRET[:8] not in str(caught.value)
        assert "does not fit" not in str(caught.value)


@every_system
@pytest.mark.parametrize("operation", OPERATIONS)
def test_how_long_to_stay_away_is_told(name: str, operation: str) -> None:
    with running(name) as system:
        target = HAPPY[name].at(system.url, name)
        for wait in ("120", format_datetime(NOW + timedelta(seconds=120), usegmt=True)):
            system.all_answer(Reply(429, {"message": "slow down"}, {"Retry-After": wait}))
            with pytest.raises(TicketNotPosted) as caught:
                posted(target, change_of(operation, "7"))
            assert seconds_of(caught.value.retry_after, NOW) == 120
            assert not caught.value.permanent


@every_system
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_connection_is_tried_again(name: str, operation: str) -> None:
    with pytest.raises(TicketNotPosted) as caught:
        posted(HAPPY[name].at("http://127.0.0.1:9", name), change_of(operation, "7"))
    assert not caught.value.permanent


ODD = [
    b"", b"<html><title>Sign in</title></html>", b"\xff\xfe", b"{", b"null", b"[]", b"{}", b"5", b'"text"', b"true", b"[1]", b'[[{}]]',
    b'{"result": 5, "issue": 5, "data": 5, "ticket": 5, "tickets": 5, "items": 5, "issues": 5, "value": 5, "messages": 5, "fields": 5}',
    b'{"result": [1], "issue": [1], "data": [1], "ticket": [1], "tickets": [1], "items": [1], "issues": [1], "value": [1], "messages": [1]}',
    b'{"result": null, "issue": null, "data": {"collection": 5}, "ticket": null, "tickets": {"a": 1}, "items": {"a": 1}, "ok": true}',
    b'{"workItems": 5, "transitions": 5, "labels": 5, "custom_fields": 5, "CustomFields": 5, "error": 5, "errors": 5, "details": 5}',
]  # fmt: skip


@every_system
@pytest.mark.parametrize(
    ("operation", "known"), [("open", False), ("update", False), ("update", True), ("resolve", True), ("reopen", True)]
)
def test_an_odd_answer_to_any_request_is_a_refusal_and_nothing_worse(name: str, operation: str, known: bool) -> None:
    """Each request of each operation in turn is answered with something else; only TicketNotPosted may come of it."""
    happy = HAPPY[name]
    replies = [
        *(Reply(200, body) for body in ODD),
        *(Reply(status, b"[1]") for status in (204, 301, 400, 403, 404, 409, 412, 422)),
    ]
    with running(name) as system:
        target, change = happy.at(system.url, name), change_of(operation, happy.ticket if known else "")
        opened_before(name, operation, system)
        posted(target, change, may_exist=True)
        for number in range(len(system.asked)):
            for reply in replies:
                opened_before(name, operation, system)
                system.instead = {number: reply}
                said = ""
                try:
                    posted(target, change, may_exist=True)
                except TicketNotPosted as refusal:
                    said = str(refusal)
                system.instead = {}
                assert SECRET not in said
                assert system.url not in said


@naming
@pytest.mark.parametrize("body", [b"<html><title>Sign in</title></html>", b"", b"[]", b"{}", b'"x"'])
def test_an_open_that_names_no_ticket_is_not_believed(name: str, body: bytes) -> None:
    """A proxy or a sign-in page answers 200 too. Then no ticket was made, and the next try looks for one first."""
    with running(name) as system:
        system.instead = {number: Reply(200, body) for number in range(20)}
        with pytest.raises(TicketNotPosted) as caught:
            posted(HAPPY[name].at(system.url, name), change_of("open"))
        assert not caught.value.permanent


@naming
@pytest.mark.parametrize("operation", ["update", "resolve", "reopen"])
def test_a_web_page_is_no_answer_of_a_system(name: str, operation: str) -> None:
    with running(name) as system:
        opened_before(name, operation, system)
        page = Reply(200, b"<html><title>Sign in</title></html>", {"Content-Type": "text/html; charset=utf-8"})
        system.instead = dict.fromkeys(range(20), page)
        with pytest.raises(TicketNotPosted) as caught:
            posted(HAPPY[name].at(system.url, name), change_of(operation, HAPPY[name].ticket))
        assert not caught.value.permanent


# ---------------------------------------------------------------- secrets


@every_system
def test_no_secret_and_no_address_is_in_an_error_or_a_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    for logger in ("", "markdown_it"):
        caplog.set_level(logging.DEBUG if not logger else logging.ERROR, logger)
    happy = HAPPY[name]
    with running(name) as system:
        target = happy.at(system.url, name)

        def echo(asked: Any) -> Reply:
            said = f"{system.url}{asked.path} {asked.headers.get('authorization', '')} {SECRET} {asked.body[:100]!r}"
            return Reply(status, {"message": said, "error": said, "errors": [said], "description": said})

        for status in (400, 401, 403, 404, 409, 413, 422, 429, 500):
            for method in ("GET", "POST", "PUT", "PATCH"):
                system.on(method, ".*", echo)
            gone = status in load(name).answers.gone
            for operation in OPERATIONS if not gone else ("open", "update", "reopen"):  # nothing is there to resolve
                with pytest.raises(TicketNotPosted) as caught:
                    posted(target, change_of(operation, "7"))
                shown = "".join([str(caught.value), repr(caught.value), str(caught.value.__cause__)])
                assert SECRET not in shown
                assert system.url not in shown
                assert not re.search(r"Basic [\w+/]{8}", shown)
                assert "\n" not in shown
        with pytest.raises(TicketNotPosted) as caught:
            posted(happy.at(f"http://127.0.0.1:9/{SECRET}?sig={SECRET}", name), change_of("open"))
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__}"
    assert SECRET not in caplog.text


@with_secret
def test_the_secret_is_sent_where_the_file_says_and_in_no_address(name: str) -> None:
    with running(name) as system:
        for operation in OPERATIONS:
            opened_before(name, operation, system)
            posted(HAPPY[name].at(system.url, name), change_of(operation, HAPPY[name].ticket))
            assert all(SECRET not in raw for raw in system.raw)


# ---------------------------------------------------------------- hostile text

HOSTILE_TEXT = st.one_of(
    st.text(st.characters(), max_size=30),
    st.sampled_from(
        [
            "\"}{[',\\",
            "= options",
            "={{ 7*7 }}",
            "{{7*7}}",
            "{% raw %}",
            "\x00\x1f\u2028\u202e",
            "\ud800",
            "../../x?y=z#f",
            "%2e%2e%2f",
            "{key}",
            "\r\nX-Injected: 1",
        ]
    ),
)
KEPT = {"type", "timestamp", "id", "status", "severity", "verdict", "language", "shell", "run", "effect"}


def hostile(value: Any, texts: Iterator[str]) -> Any:
    """The same value with every text that may come from outside replaced by the next of the texts."""
    if isinstance(value, dict):
        return {key: item if key in KEPT else hostile(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item, texts) for item in value]
    return next(texts) if isinstance(value, str) else value


@st.composite
def hostile_changes(draw: st.DrawFn) -> list[Posting]:
    """A change of each operation. Some twenty texts take turns in its fields: to draw one for each of them takes a second."""
    texts = cycle(draw(st.lists(HOSTILE_TEXT, min_size=17, max_size=23)))
    found = []
    ticket = draw(
        st.one_of(
            st.just('../a b?c=d&e#f/%2e"<é;x'), st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map("é{}é".format)
        )
    )
    for operation in OPERATIONS:
        change = change_of(operation)
        known = {"id": ticket, "url": f"https://tickets.example.com/{quote(ticket, safe='')}"}
        data = {**hostile(change.event["data"], texts), "ticket": {"id": None, "url": None} if operation == "open" else known}
        data["vm"] = data["vm"] and {**data["vm"], "id": next(texts)}
        parts = (Part(f"# Backup\n\n{data['error']['message'] if data['error'] else ''}\n"),)
        found.append(Posting({**change.event, "data": data}, change.change_id, parts))
    return found


@every_system
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(changes=hostile_changes())
def test_hostile_text_arrives_as_data(name: str, changes: list[Posting]) -> None:
    """Whatever the texts of an event are: each body is JSON or a file, and of them only the ticket's id is in an address, encoded."""
    happy = HAPPY[name]
    with running(name) as system:
        for change, operation in zip(changes, OPERATIONS, strict=True):
            ticket = str(change.event["data"]["ticket"]["id"] or "")
            opened_before(name, operation, system)
            posted(happy.at(system.url, name), change_of(operation, happy.ticket))
            plain = {(asked.method, raw.partition("?")[0]) for asked, raw in zip(system.asked, system.raw, strict=True)}
            opened_before(name, operation, system)
            system.asked.clear()
            system.raw.clear()
            posted(happy.at(system.url, name), change)
            for asked, raw in zip(system.asked, system.raw, strict=True):
                is_file = asked.headers.get("content-type", "").startswith(
                    ("text/markdown", "application/binary", "application/octet-stream")
                )
                assert is_file or asked.body == b"" or isinstance(asked.json, dict | list)
                assert re.fullmatch(r"[\w.~:/?\[\]@!$&'()*+,;=%-]*", raw, re.ASCII)
                path = raw.partition("?")[0].replace(quote(ticket, safe=""), happy.ticket) if ticket else raw.partition("?")[0]
                assert (asked.method, path) in plain
                assert "x-injected" not in asked.headers


@every_system
def test_text_that_looks_like_an_expression_is_not_evaluated(name: str) -> None:
    change = change_of("open")
    traps = {
        "title": "= user ~ options",
        "protected_item": {**change.event["data"]["protected_item"], "name": "{{ options }} {key}"},
    }
    event = {**change.event, "data": {**change.event["data"], **traps}}
    with running(name) as system:
        posted(HAPPY[name].at(system.url, name), Posting(event, change.change_id, (Part("= user\n"),)))
        sent = "".join(json.dumps(asked.json) for asked in system.asked)
    assert "= user ~ options" in sent or load(name).text.title < 20
