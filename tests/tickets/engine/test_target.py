"""The one client of all ticketing systems, on a system that a test makes up: steps, finding, what is gone, what is closed, errors."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
import requests

from handlers.model.refusal import Past, RefusalKind
from handlers.settings import Settings
from handlers.tickets.answers import NotFoundYet, Posted, TicketNotPosted
from handlers.tickets.engine.definition import DefinitionError
from handlers.tickets.engine.expressions import BadExpression
from handlers.tickets.engine.own_file import checked
from handlers.tickets.engine.target import OPERATION, Target
from tests.conftest import ROOT
from tests.tickets.changes import REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import SEARCHED, Asked, Reply, System, posted, running_system

pytestmark = pytest.mark.server

SYSTEM, TICKET_KIND, CONFIGURATION = RefusalKind.SYSTEM, RefusalKind.TICKET, RefusalKind.CONFIGURATION
NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
DESK = """\
name = "Desk"
docs = "https://desk.example.com/api"

[options.fields]
about = "further fields"
default = {}
[auth]
kind = "header"
[text]
markup = "gfm"
most = 3000
title = 40
[ticket]
id = "= one.id"
url = "= one.url"
closed = "= one.state == 'closed'"
carries_key = "= one.key == key"

[[open]]
path = "/tickets"
json = { key = "= key", title = "= title", body = "= text", vm = "= vm.name", nothing = "= vm.nothing", "+" = "= options.fields" }
[[update]]
path = "/tickets/{ticket.id}/notes"
json = { text = "= text" }
[[resolve]]
method = "PATCH"
path = "/tickets/{ticket.id}"
json = { state = "closed" }
[[reopen]]
method = "PATCH"
path = "/tickets/{ticket.id}"
json = { state = "open" }
[[find]]
method = "GET"
path = "/tickets"
query = { key = "= key" }
take = { candidates = "= answer" }
[[read]]
method = "GET"
path = "/tickets/{ticket.id}"
"""
WITHOUT_READ = DESK[: DESK.index("[[read]]")]
WITHOUT_FIND = DESK[: DESK.index("[[find]]")]
TICKET = ("7", "https://desk.example.com/7")
KEY = failed().event["data"]["incident"]["id"]


@pytest.fixture
def desk() -> Iterator[System]:
    with running_system() as system:
        system.on("POST", "/tickets", Reply(201, {"id": 7, "url": TICKET[1], "state": "open", "key": KEY}))
        system.on("POST", "/tickets/.*/notes", Reply(201, {"id": 99}))
        system.on("PATCH", "/tickets/.*", Reply(200, {"id": 7}))
        system.on("GET", "/tickets", Reply(200, []))
        system.on("GET", "/tickets/.*", Reply(200, {"id": 7, "state": "open"}))
        yield system


def target(
    url: str, file: str = DESK, *, user: str = "", secret: str = "s3cret", options: dict[str, Any] | None = None
) -> Target:
    chosen = Settings(ticket_url=url, ticket_user=user, ticket_secret=secret, ticket_options=options or {})
    return Target(checked(file, "desk.toml"), chosen, requests.Session(), lambda: NOW, lambda scope: f"token-for-{scope}")


def asked(desk: System) -> list[str]:
    return [f"{one.method} {one.path}" for one in desk.asked]


def refusal(made: Target, change: Posting, *, may_exist: bool = False, past: Past = SEARCHED) -> TicketNotPosted:
    with pytest.raises(TicketNotPosted) as caught:
        posted(made, change, may_exist=may_exist, past=past)
    return caught.value


# ---------------------------------------------------------------- one change


def test_an_incident_opens_a_ticket_and_its_id_and_address_are_told(desk: System) -> None:
    assert posted(target(desk.url, options={"fields": {"team": "storage", "vm": "other"}}), failed()) == Posted(*TICKET)
    [one] = desk.asked
    assert one.headers["authorization"] == "Bearer s3cret"
    assert one.headers["content-type"] == "application/json; charset=utf-8"
    body = one.json
    assert set(body) == {"key", "title", "body", "vm", "team"}, "what is none is left out"
    assert (body["key"], body["vm"], body["team"]) == (KEY, "other", "storage")
    assert len(body["title"]) <= 40
    assert len(body["body"]) <= 3000


@pytest.mark.parametrize(
    ("change", "requests_"),
    [
        (failed(UPDATED, ticket=TICKET), ["GET /tickets/7", "POST /tickets/7/notes"]),
        (resolved(ticket=TICKET), ["GET /tickets/7", "PATCH /tickets/7"]),
        (storm("storm.updated", ticket=TICKET), ["GET /tickets/7", "POST /tickets/7/notes"]),
        (storm("storm.resolved", ticket=TICKET), ["GET /tickets/7", "PATCH /tickets/7"]),
        (storm(), ["POST /tickets"]),
        (unreadable(), ["POST /tickets"]),
    ],
)
def test_each_kind_of_change_makes_its_own_requests(desk: System, change: Posting, requests_: list[str]) -> None:
    assert posted(target(desk.url), change) == Posted(*TICKET)
    assert asked(desk) == requests_


def test_a_closed_ticket_is_reopened_and_an_open_one_is_updated(desk: System) -> None:
    posted(target(desk.url), failed(REOPENED, ticket=TICKET))
    assert asked(desk)[1:] == ["POST /tickets/7/notes"]
    desk.asked.clear()
    desk.on("GET", "/tickets/7", Reply(200, {"state": "closed"}))
    posted(target(desk.url), failed(REOPENED, ticket=TICKET))
    assert asked(desk)[1:] == ["PATCH /tickets/7"]
    assert desk.asked[1].json == {"state": "open"}


def test_resolving_what_a_person_has_closed_does_nothing(desk: System) -> None:
    desk.on("GET", "/tickets/7", Reply(200, {"state": "closed"}))
    assert posted(target(desk.url), resolved(ticket=TICKET)) == Posted(*TICKET)
    assert asked(desk) == ["GET /tickets/7"]


def test_without_reopen_an_update_is_made(desk: System) -> None:
    file = DESK[: DESK.index("[[reopen]]")] + DESK[DESK.index("[[find]]") : DESK.index("[[read]]")]
    posted(target(desk.url, file), failed(REOPENED, ticket=TICKET))
    assert asked(desk) == ["POST /tickets/7/notes"]


# ---------------------------------------------------------------- finding


def test_after_a_lost_answer_the_ticket_is_looked_for_before_another_is_opened(desk: System) -> None:
    desk.on("GET", "/tickets", Reply(200, [{"id": 8, "url": "u", "key": KEY}]))
    assert posted(target(desk.url), failed(), may_exist=True) == Posted("8", "u")
    assert asked(desk) == ["GET /tickets"]
    assert desk.asked[0].query == {"key": KEY}


def test_a_first_try_looks_for_nothing(desk: System) -> None:
    posted(target(desk.url), failed())
    assert asked(desk) == ["POST /tickets"]


@pytest.mark.parametrize(
    "others",
    [[], [{"id": 8}], [{"id": 8, "key": "f" * 32}], [{"id": 8, "key": None}, {"id": 9, "key": KEY[:-1]}], [5, None, "x", [KEY]]],
)
def test_a_candidate_that_does_not_carry_the_key_is_somebody_elses(desk: System, others: list[Any]) -> None:
    desk.on("GET", "/tickets", Reply(200, others))
    assert posted(target(desk.url), failed(), may_exist=True) == Posted(*TICKET)
    assert asked(desk) == ["GET /tickets", "POST /tickets"]
    desk.asked.clear()
    assert posted(target(desk.url), resolved()) == Posted()
    assert asked(desk) == ["GET /tickets"]


def test_the_one_among_many_that_carries_the_key_is_ours(desk: System) -> None:
    desk.on("GET", "/tickets", Reply(200, [{"id": 8, "key": "f" * 32}, {"id": 9, "key": KEY}, {"id": 10, "key": KEY}]))
    assert posted(target(desk.url), failed(UPDATED)).id == "9"
    assert asked(desk) == ["GET /tickets", "GET /tickets/9", "POST /tickets/9/notes"]


@pytest.mark.parametrize("answer", [None, {}, {"error": "x"}, "text", 5])
def test_a_search_that_answers_with_no_list_opens_no_second_ticket(desk: System, answer: Any) -> None:
    desk.on("GET", "/tickets", Reply(200, answer))
    assert not refusal(target(desk.url), failed(), may_exist=True).permanent
    assert asked(desk) == ["GET /tickets"]


def test_without_a_search_a_lost_id_means_a_new_ticket_and_nothing_to_resolve(desk: System) -> None:
    assert posted(target(desk.url, WITHOUT_FIND), failed(UPDATED)) == Posted(*TICKET)
    assert asked(desk) == ["POST /tickets"]
    desk.asked.clear()
    assert posted(target(desk.url, WITHOUT_FIND), resolved()) == Posted()
    assert desk.asked == []


def test_the_files_own_names_know_a_ticket_that_was_found(desk: System) -> None:
    file = DESK.replace("[[open]]", '[names]\nnumber = "= ticket.id"\ntwice = "= [number, number]"\n[[open]]', 1)
    file = file.replace('json = { text = "= text" }', 'json = { of = "= twice" }')
    desk.on("GET", "/tickets", Reply(200, [{"id": 9, "key": KEY}]))
    posted(target(desk.url, file), failed(UPDATED))
    assert desk.asked[-1].json == {"of": ["9", "9"]}


def test_a_system_that_knows_its_tickets_by_our_key_needs_no_id(desk: System) -> None:
    file = WITHOUT_FIND.replace("[ticket]", "[ticket]\nknown_by_key = true").replace("{ticket.id}", "{key}")
    for change in (failed(UPDATED), resolved(), failed(REOPENED)):
        posted(target(desk.url, file), change)
    assert asked(desk) == [f"POST /tickets/{KEY}/notes", f"PATCH /tickets/{KEY}", f"PATCH /tickets/{KEY}"]
    desk.on("PATCH", "/tickets/.*", Reply(404))
    assert refusal(target(desk.url, file), failed(REOPENED)).status == 404


# ---------------------------------------------------------------- gone


GONE = ("6", "https://desk.example.com/6")


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("change", [failed(UPDATED, ticket=GONE), failed(REOPENED, ticket=GONE)])
def test_when_a_ticket_is_gone_another_one_is_opened_which_names_it(
    desk: System, change: Posting, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    desk.on("GET", "/tickets/6", Reply(status))
    assert posted(target(desk.url), change) == Posted(*TICKET)
    assert asked(desk) == ["GET /tickets/6", "POST /tickets"]
    assert "This ticket continues ticket [`6`](https://desk.example.com/6)" in desk.asked[-1].json["body"]
    assert "ticket 6 is gone" in caplog.text


@pytest.mark.parametrize("status", [404, 410])
def test_only_reading_it_says_that_a_ticket_is_gone(desk: System, status: int) -> None:
    desk.on("POST", "/tickets/7/notes", Reply(status))
    error = refusal(target(desk.url), failed(UPDATED, ticket=TICKET))
    assert (error.kind, error.status) == (TICKET_KIND, status)
    assert asked(desk) == ["GET /tickets/7", "POST /tickets/7/notes"]


def test_a_ticket_that_cannot_be_read_is_gone_when_a_change_says_so(desk: System) -> None:
    desk.on("POST", "/tickets/7/notes", Reply(404))
    assert posted(target(desk.url, WITHOUT_READ), failed(UPDATED, ticket=TICKET)) == Posted(*TICKET)
    desk.on("PATCH", "/tickets/7", Reply(404))
    assert posted(target(desk.url, WITHOUT_READ), resolved(ticket=TICKET)) == Posted(*TICKET)
    assert asked(desk) == ["POST /tickets/7/notes", "POST /tickets", "PATCH /tickets/7"]


def test_a_file_may_name_the_statuses_that_say_gone(desk: System) -> None:
    file = DESK.replace("[auth]", "[answers]\ngone = [418]\n[auth]")
    desk.on("GET", "/tickets/7", Reply(418))
    assert posted(target(desk.url, file), failed(UPDATED, ticket=TICKET)) == Posted(*TICKET)
    desk.on("GET", "/tickets/7", Reply(404))
    assert refusal(target(desk.url, file), failed(UPDATED, ticket=TICKET)).status == 404


def test_a_system_may_say_gone_with_a_success(desk: System) -> None:
    file = DESK.replace(
        'json = { text = "= text" }',
        '''json = { text = "= text" }
expect = "= answer.ok"
gone = "= answer.error == 'no such ticket'"''',
    )
    desk.on("POST", "/tickets/7/notes", Reply(200, {"ok": False, "error": "no such ticket"}))
    assert posted(target(desk.url, file), failed(UPDATED, ticket=TICKET)) == Posted(*TICKET)
    assert asked(desk) == ["GET /tickets/7", "POST /tickets/7/notes", "POST /tickets"]
    desk.on("POST", "/tickets/7/notes", Reply(200, {"ok": False, "error": "busy"}))
    assert refusal(target(desk.url, file), failed(UPDATED, ticket=TICKET)).kind is SYSTEM


# ---------------------------------------------------------------- closed by a person

WORDS = (
    DESK.replace("[ticket]", '''[ticket]
silenced = "= one.why in options.silence"
final = "= one.state == 'archived'"
merged = "= one.id != ticket.id|int"''')
    .replace("one.state == 'closed'\"", "one.state in ('closed', 'archived')\"")
    .replace("[auth]", '''[options.silence]
about = "words"
default = ["wontfix"]
[options.on_closed]
about = "what"
default = "reopen"
choices = ["reopen", "new", "note"]
[auth]''')
)  # fmt: skip
NOTE, REOPEN, NEW, NOTHING = ["POST /tickets/7/notes"], ["PATCH /tickets/7"], ["POST /tickets"], list[str]()
CLOSED, FOR_GOOD, WONT_FIX, MERGED = (
    {"id": 7, "state": "closed"}, {"id": 7, "state": "archived"}, {"id": 7, "state": "closed", "why": "wontfix"},
    {"id": 9, "state": "open"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("ticket", "on_closed", "further_failure", "good_backup", "failure_after_it"),
    [
        (CLOSED, "reopen", REOPEN, NOTHING, REOPEN),
        (CLOSED, "new", NEW, NOTHING, REOPEN),
        (CLOSED, "note", NOTE, NOTHING, REOPEN),
        (FOR_GOOD, "reopen", NEW, NOTHING, NEW),
        (FOR_GOOD, "note", NOTE, NOTHING, NEW),
        (WONT_FIX, "reopen", NOTHING, NOTHING, REOPEN),
        (WONT_FIX, "new", NOTHING, NOTHING, REOPEN),
        (MERGED, "reopen", NOTE, NOTE, NOTE),
    ],
)
def test_what_is_done_with_a_ticket_that_a_person_closed(
    desk: System, ticket: Any, on_closed: str, further_failure: list[str], good_backup: list[str], failure_after_it: list[str]
) -> None:
    desk.on("GET", "/tickets/7", Reply(200, ticket))
    made = target(desk.url, WORDS, options={"on_closed": on_closed})
    changes = (failed(UPDATED, ticket=TICKET), resolved(ticket=TICKET), failed(REOPENED, ticket=TICKET))
    for change, requests_ in zip(changes, (further_failure, good_backup, failure_after_it), strict=True):
        desk.asked.clear()
        posted(made, change)
        assert asked(desk) == ["GET /tickets/7", *requests_]


def test_an_option_that_is_none_of_its_choices_stops_the_start(desk: System) -> None:
    with pytest.raises(DefinitionError, match="on_closed must be one of reopen, new, note"):
        target(desk.url, WORDS, options={"on_closed": "open"})


# ---------------------------------------------------------------- whom a refusal concerns


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, SYSTEM), (429, SYSTEM), (500, SYSTEM), (503, SYSTEM), (302, SYSTEM)]
    + [(status, TICKET_KIND) for status in (400, 403, 404, 405, 409, 412, 422, 423)],
)
def test_what_an_existing_ticket_refuses_concerns_it_alone(desk: System, status: int, kind: RefusalKind) -> None:
    desk.on("POST", "/tickets/7/notes", Reply(status))
    error = refusal(target(desk.url), failed(UPDATED, ticket=TICKET))
    assert (error.kind, error.status, error.gone) == (kind, status, False)
    assert error.maybe_taken is (kind is SYSTEM and status not in (401, 429))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, SYSTEM), (429, SYSTEM), (500, SYSTEM)] + [(status, CONFIGURATION) for status in (400, 403, 404, 409, 413, 422)],
)
def test_a_new_ticket_that_is_refused_is_a_matter_of_configuration(desk: System, status: int, kind: RefusalKind) -> None:
    desk.on("POST", "/tickets", Reply(status, {"errors": {"team": "is required"}}))
    error = refusal(target(desk.url), failed())
    assert error.kind is kind
    assert ("is required" in str(error)) is (kind is CONFIGURATION), "the log says which field"


def test_an_answer_that_says_how_long_to_wait_is_the_systems(desk: System) -> None:
    desk.on("POST", "/tickets/7/notes", Reply(403, None, {"Retry-After": "30"}))
    assert refusal(target(desk.url), failed(UPDATED, ticket=TICKET)).kind is SYSTEM


def test_a_system_that_knows_our_key_says_itself_what_concerns_one_ticket(desk: System) -> None:
    file = WITHOUT_FIND.replace("[ticket]", "[answers]\nticket = [423]\n[ticket]\nknown_by_key = true").replace(
        "{ticket.id}", "{key}"
    )
    for status, kind in ((423, TICKET_KIND), (404, SYSTEM), (403, SYSTEM), (422, CONFIGURATION)):
        desk.on("POST", "/tickets/.*/notes", Reply(status))
        assert refusal(target(desk.url, file), failed(UPDATED)).kind is kind


def test_a_file_may_say_that_a_ticket_refuses_for_want_of_a_right(desk: System) -> None:
    file = DESK.replace("[auth]", "[answers]\nconfiguration = \"= 'denied' in answer|string\"\n[auth]")
    for said, kind in (("permission denied", CONFIGURATION), ("locked", TICKET_KIND)):
        desk.on("POST", "/tickets/7/notes", Reply(400, [said]))
        assert refusal(target(desk.url, file), failed(UPDATED, ticket=TICKET)).kind is kind


# ---------------------------------------------------------------- one ticket refuses again and again


def test_from_the_third_refusal_on_a_further_failure_gets_another_ticket_which_names_the_first(desk: System) -> None:
    desk.on("POST", "/tickets/7/notes", Reply(403, {"message": "moved"}))
    change = failed(UPDATED, ticket=TICKET)
    for refusals in (0, 1):
        assert refusal(target(desk.url), change, past=Past(refusals=refusals)).kind is TICKET_KIND
    desk.on("POST", "/tickets", Reply(201, {"id": 8, "url": "https://desk.example.com/8", "key": KEY}))
    assert posted(target(desk.url), change, past=Past(refusals=2)).id == "8"
    assert "This ticket continues ticket [`7`]" in desk.asked[-1].json["body"]


def test_one_that_cannot_even_be_read_gets_a_successor_too(desk: System) -> None:
    desk.on("GET", "/tickets/7", Reply(403))
    desk.on("POST", "/tickets", Reply(201, {"id": 8, "key": KEY}))
    assert refusal(target(desk.url), failed(UPDATED, ticket=TICKET)).kind is TICKET_KIND
    assert posted(target(desk.url), failed(UPDATED, ticket=TICKET), past=Past(refusals=2)).id == "8"


def test_a_successor_whose_answer_was_lost_is_found_and_the_first_ticket_is_not_taken_for_it(desk: System) -> None:
    desk.on("POST", "/tickets/7/notes", Reply(403))
    first, second = {"id": 7, "url": TICKET[1], "key": KEY}, {"id": 8, "url": "u", "key": KEY}
    desk.on("GET", "/tickets", Reply(200, [first, second]))
    assert posted(target(desk.url), failed(UPDATED, ticket=TICKET), may_exist=True, past=Past(refusals=2)).id == "8"
    assert "POST /tickets" not in asked(desk)


def test_a_recovery_that_cannot_close_its_ticket_says_so_in_a_note_once(desk: System) -> None:
    desk.on("PATCH", "/tickets/7", Reply(422, {"errors": ["has an open subtask"]}))
    change, notes = resolved(ticket=TICKET), []
    for refusals in range(4):
        error = refusal(target(desk.url), change, past=Past(refusals=refusals, told=refusals > 1))
        notes.append(len(desk.named("POST", "/tickets/7/notes")))
        assert error.told is (refusals == 1)
    assert notes == [0, 1, 1, 1]
    text = desk.named("POST", "/tickets/7/notes")[0].json["text"]
    assert "could not be closed" in text
    assert "has an open subtask" in text
    assert "job-good" in text


def test_a_text_that_stands_there_already_is_not_said_again(desk: System) -> None:
    file = DESK.replace("[[resolve]]", '''[[resolve]]
when = "= not told"
path = "/tickets/{ticket.id}/notes"
json = { text = "= text" }
[[resolve]]''', 1)  # fmt: skip
    desk.on("PATCH", "/tickets/7", Reply(409))
    assert refusal(target(desk.url, file), resolved(ticket=TICKET)).told
    refusal(target(desk.url, file), resolved(ticket=TICKET), past=Past(refusals=1, told=True))
    first, second = (one.json["text"] for one in desk.named("POST", "/tickets/7/notes"))
    assert "job-good" in first
    assert "could not be closed" in second
    assert "job-good" not in second


def test_a_ticket_that_takes_no_note_is_closed_without_one(desk: System) -> None:
    file = DESK.replace("[[resolve]]", '''[[resolve]]
when = "= not told"
path = "/tickets/{ticket.id}/notes"
json = { text = "= text" }
[[resolve]]''', 1)  # fmt: skip
    desk.on("POST", "/tickets/7/notes", Reply(403, {"message": "its discussion is locked"}))
    assert refusal(target(desk.url, file), resolved(ticket=TICKET)).kind is TICKET_KIND
    assert not desk.named("PATCH", ".*")
    assert posted(target(desk.url, file), resolved(ticket=TICKET), past=Past(refusals=1)) == Posted(*TICKET)
    assert desk.named("PATCH", "/tickets/7")[0].json == {"state": "closed"}


# ---------------------------------------------------------------- a new ticket


def test_a_lost_ticket_is_looked_for_twice_before_it_is_opened_again(desk: System) -> None:
    file = DESK.replace("[auth]", "[answers]\nsearch_again_seconds = 90\n[auth]")
    with pytest.raises(NotFoundYet) as caught:
        posted(target(desk.url, file), failed(), may_exist=True, past=Past())
    assert caught.value.seconds == 90
    assert posted(target(desk.url, file), failed(), may_exist=True, past=Past(searches=1)) == Posted(*TICKET)
    assert asked(desk) == ["GET /tickets", "GET /tickets", "POST /tickets"]


def test_a_new_ticket_may_take_as_long_as_its_file_says(desk: System) -> None:
    file = DESK.replace("[auth]", "[answers]\ncreate_seconds = 77\n[auth]")
    made, waits = target(desk.url, file), []

    class Watched(requests.Session):
        def request(self, *args: Any, **more: Any) -> requests.Response:
            waits.append(more["timeout"][1])
            return super().request(*args, **more)

    made = Target(made.system, Settings(ticket_url=desk.url, ticket_secret="s"), Watched(), lambda: NOW)
    posted(made, failed())
    posted(made, failed(UPDATED, ticket=TICKET))
    assert waits == [77, 30, 30]
    assert made.system.lease_seconds > 77


def test_a_key_that_the_system_dropped_is_told_at_once(desk: System, caplog: pytest.LogCaptureFixture) -> None:
    file = DESK.replace("[ticket]", "[ticket]\nanswers_key = true")
    posted(target(desk.url, file), failed())
    assert "carry" not in caplog.text
    desk.on("POST", "/tickets", Reply(201, {"id": 7, "key": None}))
    assert posted(target(desk.url, file), failed()).id == "7"
    assert "ticket 7 does not carry the incident's key" in caplog.text


def test_an_optional_field_that_the_answer_names_is_left_out_and_told(desk: System, caplog: pytest.LogCaptureFixture) -> None:
    file = DESK.replace('about = "further fields"', 'about = "further fields"\nsets = ["+"]')

    def choosy(one: Asked) -> Reply:
        return Reply(400, {"errors": {"team": "unknown"}}) if "team" in one.json else Reply(201, {"id": 7, "url": TICKET[1]})

    desk.on("POST", "/tickets", choosy)
    assert posted(target(desk.url, file, options={"fields": {"team": "x", "site": "y"}}), failed()) == Posted(*TICKET)
    refused_one, taken = (one.json for one in desk.asked)
    assert (refused_one["team"], taken["site"]) == ("x", "y")
    assert taken["body"] == refused_one["body"], "the whole page"
    assert "opens without team" in caplog.text


# ---------------------------------------------------------------- steps

STEPS = WITHOUT_FIND.replace('[[open]]\npath = "/tickets"', '''[[open]]
path = "/texts"
json = { body = "= text" }
take = { message = "= answer.id", etag = "= headers['etag']", was = "= status" }
[[open]]
when = "= message > 100"
path = "/big/{message}"
[[open]]
path = "/tickets"
headers = { If-Match = "= etag", X-None = "= none" }
query = { message = "= message", none = "= nobody" }''').replace('key = "= key",', 'key = "= key", was = "= was",')  # fmt: skip


def test_a_step_takes_names_for_the_steps_after_it(desk: System) -> None:
    desk.on("POST", "/texts", Reply(201, {"id": 5}, {"ETag": '"x"'}))
    assert posted(target(desk.url, STEPS), failed()) == Posted(*TICKET)
    assert asked(desk) == ["POST /texts", "POST /tickets"]
    assert desk.asked[1].query == {"message": "5"}
    assert desk.asked[1].headers["if-match"] == '"x"'
    assert "x-none" not in desk.asked[1].headers
    assert desk.asked[1].json["was"] == 201


def test_a_step_may_be_made_only_when_something_holds(desk: System) -> None:
    desk.on("POST", "/texts", Reply(201, {"id": 500}))
    desk.on("POST", "/big/500", Reply(200, {}))
    posted(target(desk.url, STEPS), failed())
    assert asked(desk) == ["POST /texts", "POST /big/500", "POST /tickets"]


def test_a_status_that_is_accepted_is_as_good_as_a_success(desk: System) -> None:
    file = DESK.replace('path = "/tickets"\njson', 'path = "/tickets"\naccept = [409]\njson')
    desk.on("POST", "/tickets", Reply(409, {"id": 3}))
    assert posted(target(desk.url, file), failed()).id == "3"


def test_what_is_expected_and_not_so_is_said_in_the_files_words(desk: System) -> None:
    file = DESK.replace('path = "/tickets"\njson', '''path = "/tickets"
expect = "= answer.ok"
otherwise = "= 'the desk says ' ~ answer.why"
permanent = "= answer.final"
json''')  # fmt: skip
    for final in (True, False):
        desk.on("POST", "/tickets", Reply(200, {"why": "no\nway " + "x" * 500, "final": final}))
        error = refusal(target(desk.url, file), failed())
        assert str(error).startswith("TICKET_URL: the desk says no way xxx")
        assert len(str(error)) < 350
        assert error.permanent is final


def test_an_answer_that_does_not_fit_an_expression_is_a_refusal_that_names_it(desk: System) -> None:
    desk.on("POST", "/tickets", Reply(201, {"id": 7}))
    file = DESK.replace('id = "= one.id"', 'id = "= one.ticket.number"')
    error = refusal(target(desk.url, file), failed())
    assert "desk.toml does not fit what was answered: 'one.ticket.number'" in str(error)
    assert not error.permanent


def test_a_body_that_is_no_json_is_a_refusal_that_says_so(desk: System) -> None:
    file = DESK.replace('vm = "= vm.name"', 'vm = "= {1: nobody.name}"')
    assert "desk.toml does not fit" in str(refusal(target(desk.url, file), failed()))
    with pytest.raises(TicketNotPosted, match="not a mapping"):
        posted(target(desk.url, DESK.replace('"+" = "= options.fields"', '"+" = "= title"')), failed())
    assert desk.asked == []


def test_half_a_character_does_no_harm(desk: System) -> None:
    change = failed()
    data = {**change.event["data"], "vm": {**change.event["data"]["vm"], "name": "a\ud800b"}}
    posted(target(desk.url), Posting({**change.event, "data": data}, change.change_id, change.parts))
    assert desk.asked[0].json["vm"] == "a?b"


def test_an_open_whose_answer_names_no_ticket_is_not_believed(desk: System) -> None:
    answers: list[Any] = [{}, None, [], {"id": None}, {"id": ""}]
    for answer in answers:
        desk.on("POST", "/tickets", Reply(201, answer))
        assert not refusal(target(desk.url), failed()).permanent


def test_a_web_page_instead_of_an_answer_is_not_believed() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>") as url:
        assert "web page" in str(refusal(target(url, WITHOUT_READ), failed(UPDATED, ticket=TICKET)))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (413, True), (422, True), (401, False), (404, False), (409, False), (500, False)]
)
def test_a_file_says_which_statuses_are_final(desk: System, status: int, permanent: bool) -> None:
    desk.on("POST", "/tickets", Reply(status, {"error": "field x is wrong"}))
    error = refusal(target(desk.url), failed())
    assert (error.permanent, error.status) == (permanent, status)
    assert ("field x is wrong" in str(error)) is (status not in (401, 500))
    other = refusal(target(desk.url, DESK.replace("[auth]", "[answers]\npermanent = [409]\n[auth]")), failed())
    assert other.permanent is (status == 409)


def test_the_seconds_to_stay_away_come_from_retry_after_or_else_from_the_file(desk: System) -> None:
    waiting = DESK.replace("[auth]", "[answers]\nwait = \"= (headers['X-Reset'] | int) - now\"\n[auth]")
    desk.on("POST", "/tickets", Reply(429, None, {"Retry-After": "17", "X-Reset": str(int(NOW.timestamp()) + 99)}))
    assert refusal(target(desk.url, waiting), failed()).retry_after == "17"
    desk.on("POST", "/tickets", Reply(429, None, {"x-reset": str(int(NOW.timestamp()) + 99)}))
    assert refusal(target(desk.url, waiting), failed()).retry_after == "99"
    assert refusal(target(desk.url), failed()).retry_after == ""
    for reset in ("0", "soon"):
        desk.on("POST", "/tickets", Reply(429, None, {"X-Reset": reset}))
        assert refusal(target(desk.url, waiting), failed()).retry_after == ""


def test_what_a_system_repeats_of_our_address_and_credentials_is_not_passed_on(desk: System) -> None:
    secret, sig = "s3cret-of-ours", "sig-of-the-url%2Bplus"
    url = f"{desk.url}/long-secret-path?sig={sig}"
    basic = base64.b64encode(f"ops:{secret}".encode()).decode()
    desk.on("POST", ".*", Reply(400, {"said": f"{url} {sig} sig-of-the-url+plus {secret} {basic} long-secret-path the rest"}))
    text = str(refusal(target(url, user="ops", secret=secret), failed()))
    assert "the rest" in text
    assert not [word for word in (secret, "sig-of", basic, "long-secret", desk.url) if word in text]


@contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Takes each request whole and writes bytes, whatever they are; then it cuts the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                seen = b""
                while b"\r\n\r\n" not in seen:
                    seen += connection.recv(65_536)
                head, _, body = seen.partition(b"\r\n\r\n")
                length = int(
                    next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
                )
                while len(body) < length:
                    body += connection.recv(65_536)
                connection.sendall(answer)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(5)
    listener.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"HTTP/1.1 201", b"garbage\r\n\r\n", b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"id\"",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 999999 X\r\n\r\n", b"HTTP/1.1 301 Moved\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    ],
)  # fmt: skip
def test_an_answer_that_breaks_off_or_is_no_http_is_tried_again(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.ERROR, "markdown_it")
    with raw_server(answer) as url:
        error = refusal(target(f"{url}/x?sig=hunter2hunter2"), failed())
    assert not error.permanent
    assert "hunter2" not in f"{error!r} {error.__cause__} {caplog.text}"


def test_odd_headers_write_no_secret_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.ERROR, "markdown_it")
    answer = b'HTTP/1.1 201 Created\r\nno colon here\r\nContent-Length: 9\r\n\r\n{"id": 7}'
    with raw_server(answer) as url:
        assert posted(target(f"{url}/x?sig=hunter2hunter2"), failed()).id == "7"
    assert "hunter2" not in caplog.text


def test_a_header_that_cannot_be_sent_is_a_refusal(desk: System) -> None:
    for secret in ("a\r\nX-Injected: 1", "–", "\ud800"):
        error = refusal(target(desk.url, secret=secret), failed())
        assert secret not in str(error)
    assert desk.asked == []


# ---------------------------------------------------------------- who we are


@pytest.mark.parametrize(
    ("auth", "user", "secret", "header", "value"),
    [
        ('kind = "header"', "", "s", "authorization", "Bearer s"),
        ('kind = "header"\nheader = "X-Key"\nvalue = "{user}/{secret}"', "u", "s", "x-key", "u/s"),
        ('kind = "header"\nvalue = "{secret}"', "", "{user}", "authorization", "{user}"),
        ('kind = "basic"', "u", "s", "authorization", "Basic dTpz"),
        ('kind = "basic"', "", "s", "authorization", "Bearer s"),
        ('kind = "managed_identity"\nscope = "x/.default"', "", "", "authorization", "Bearer token-for-x/.default"),
        ('kind = "managed_identity"\nscope = "x"', "", "s", "authorization", "Basic OnM="),
        ('kind = "none"', "u", "s", "authorization", None),
        ('kind = "header"', "u", "", "authorization", None),
    ],
)
def test_each_way_to_say_who_we_are(desk: System, auth: str, user: str, secret: str, header: str, value: str | None) -> None:
    posted(target(desk.url, DESK.replace('kind = "header"', auth), user=user, secret=secret), failed())
    assert desk.asked[0].headers.get(header) == value


def test_a_secret_may_go_into_the_body(desk: System) -> None:
    posted(target(desk.url, DESK.replace('kind = "header"', 'kind = "body"\nfield = "routing_key"')), failed())
    assert desk.asked[0].json["routing_key"] == "s3cret"
    assert "authorization" not in desk.asked[0].headers


# ---------------------------------------------------------------- the check


def test_the_check_makes_its_requests_and_knows_options_and_address(desk: System) -> None:
    file = DESK + '[[check]]\nmethod = "GET"\npath = "/tickets"\nquery = { who = "= user", at = "= base", now = "= now" }\n'
    target(desk.url + "/", file, user="ops").check()
    assert desk.asked[0].query == {"who": "ops", "at": desk.url, "now": str(int(NOW.timestamp()))}
    desk.on("GET", "/tickets", Reply(403))
    with pytest.raises(TicketNotPosted) as caught:
        target(desk.url, file).check()
    assert caught.value.status == 403
    with pytest.raises(BadExpression):
        target(desk.url, DESK + '[[check]]\npath = "/tickets"\nexpect = "= answer.a.b"\n').check()


def test_a_target_is_not_made_with_an_option_that_its_file_does_not_know(desk: System) -> None:
    with pytest.raises(DefinitionError, match="holds 'fieds'"):
        target(desk.url, options={"fieds": {}})


def test_every_kind_of_change_that_the_schema_knows_is_one_that_the_engine_knows() -> None:
    schema = json.loads((ROOT / "docs" / "ticket-event.schema.json").read_text(encoding="utf-8"))
    assert set(schema["properties"]["type"]["enum"]) == set(OPERATION)
