"""Files that are added to a ticket: the whole runbook where its text was cut, and a storm's members."""

from __future__ import annotations

import base64
import csv
import io
import logging
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from handlers.model.parts import Part
from handlers.tickets.engine.definition import bundled, load
from tests.tickets.changes import OPENED, UPDATED, Posting, failed, resolved, storm
from tests.tickets.system import NOW, Asked, Reply, posted, target_at
from tests.tickets.targets.happy import HAPPY, running
from tests.tickets.targets.vendor import with_much


@dataclass(frozen=True)
class Takes:
    """The requests that add one file, with what is answered to the first, and where its name and its text stand."""

    requests: tuple[str, ...]
    answer: Reply
    name: Callable[[list[Asked]], Any]
    text: Callable[[list[Asked]], str]


def _of_form(asked: list[Asked]) -> tuple[str, str]:
    """The name and the text of the file in a form. https://www.rfc-editor.org/rfc/rfc7578"""
    head, _, content = asked[0].body.decode().partition("\r\n\r\n")
    assert 'name="file"; filename="' in head
    return head.partition('filename="')[2].partition('"')[0], content.rpartition("\r\n--")[0]


TAKES = {
    "azure_devops": Takes(
        ("POST /Ops/_apis/wit/attachments", "PATCH /Ops/_apis/wit/workitems/7"), Reply(201, {"id": "a", "url": "https://dev.example.com/a"}),
        lambda asked: (asked[0].query["fileName"] if asked[1].json[0]["value"]["url"] == "https://dev.example.com/a" else ""),
        lambda asked: asked[0].body.decode(),
    ),
    "gitlab": Takes(
        ("POST /api/v4/projects/o/r/uploads", "POST /api/v4/projects/o/r/issues/7/notes"), Reply(201, {"markdown": "[file](/uploads/66/f)"}),
        lambda asked: _of_form(asked)[0] if asked[1].json == {"body": "[file](/uploads/66/f)"} else "",
        lambda asked: _of_form(asked)[1],
    ),
    "jira": Takes(
        ("POST /rest/api/3/issue/OPS-7/attachments",), Reply(200, [{"id": "1"}]),
        lambda asked: _of_form(asked)[0] if asked[0].headers["x-atlassian-token"] == "no-check" else "",
        lambda asked: _of_form(asked)[1],
    ),
    "redmine": Takes(
        ("POST /uploads.json", "PUT /issues/7.json"), Reply(201, {"upload": {"token": "7.ab"}}),
        lambda asked: asked[1].json["issue"]["uploads"][0]["filename"] if asked[1].json["issue"]["uploads"][0]["token"] == "7.ab" else "",
        lambda asked: asked[0].body.decode(),
    ),
    "request_tracker": Takes(
        ("POST /REST/2.0/ticket/7/comment",), Reply(201, ["Comments added"]),
        lambda asked: asked[0].json["Attachments"][0]["FileName"],
        lambda asked: base64.b64decode(asked[0].json["Attachments"][0]["FileContent"]).decode(),
    ),
    "roundup": Takes(
        ("POST /rest/data/file", "GET /rest/data/issue/7", "PATCH /rest/data/issue/7"), Reply(201, {"data": {"id": "5"}}),
        lambda asked: asked[0].json["name"] if asked[2].json == {"files": ["5"]} else "",
        lambda asked: asked[0].json["content"],
    ),
    "servicenow": Takes(
        ("POST /api/now/attachment/file",), Reply(201, {"result": {"sys_id": "1"}}),
        lambda asked: asked[0].query["file_name"] if asked[0].query["table_sys_id"] == "7" else "",
        lambda asked: asked[0].body.decode(),
    ),
    "zendesk": Takes(
        ("POST /api/v2/uploads.json", "PUT /api/v2/tickets/7.json"), Reply(201, {"upload": {"token": "up1"}}),
        lambda asked: asked[0].query["filename"] if asked[1].json["ticket"]["comment"]["uploads"] == ["up1"] else "",
        lambda asked: asked[0].body.decode(),
    ),
}  # fmt: skip
TAKES["jira_data_center"] = replace(TAKES["jira"], requests=("POST /rest/api/2/issue/OPS-7/attachments",))
TAKES["redmine_markdown"] = TAKES["redmine_redcarpet"] = TAKES["redmine"]
every_taker = pytest.mark.parametrize("name", sorted(TAKES))


LIMIT = 2_000
"""What each system takes here, that a page which is too long need not be large."""
SMALL = (Part("# Remove the lock\n"),)


def files_after(name: str, change: Posting, reply: Reply | None = None, **options: Any) -> list[tuple[str, str]]:
    """The files that a change adds, by name and text."""
    takes, happy = TAKES[name], HAPPY[name]
    with running(name) as one:
        method, _, path = takes.requests[0].partition(" ")
        one.on(method, path, reply or takes.answer)
        target = target_at(one.url, name, user=happy.user, secret=happy.secret, **{**happy.options, **options})
        target.system = replace(target.system, text=replace(target.system.text, most=LIMIT))
        assert posted(target, change).id == happy.ticket
        return _files(takes, one.asked)


def _files(takes: Takes, asked: list[Asked]) -> list[tuple[str, str]]:
    lines = [f"{request.method} {request.path}" for request in asked]
    length = len(takes.requests)
    starts = [at for at in range(len(lines)) if tuple(lines[at : at + length]) == takes.requests and _has_file(takes, asked[at])]
    return [(takes.name(asked[at : at + length]), takes.text(asked[at : at + length])) for at in starts]


def _has_file(takes: Takes, asked: Asked) -> bool:
    """RT takes files with a note, and a note is no file."""
    return "comment" not in takes.requests[0] or "Attachments" in asked.json


def too_long(change: Posting) -> Posting:
    """A change whose page does not fit."""
    return with_much(replace(change, parts=SMALL), 3 * LIMIT)


def small_storm(change: str = "storm.opened", ticket: tuple[str, str] = ("", "")) -> Posting:
    return replace(storm(change, affected=4, ticket=ticket), parts=SMALL)


def test_every_system_that_takes_files_is_here() -> None:
    assert [name for name in bundled() if load(name).attach] == sorted(TAKES)


@every_taker
def test_a_page_that_was_cut_is_there_whole_as_a_file(name: str) -> None:
    change = too_long(failed(OPENED))
    assert files_after(name, change) == [("runbook-1.html", change.event["data"]["runbook"]["html"])]


@every_taker
def test_a_page_that_fits_needs_no_file(name: str) -> None:
    change = replace(failed(OPENED), parts=SMALL)
    assert files_after(name, change) == []
    assert files_after(name, change, attach="always") == [("runbook-1.html", change.event["data"]["runbook"]["html"])]


@every_taker
def test_a_storm_has_its_members_as_a_spreadsheet_and_anew_with_each_update(name: str) -> None:
    ticket = (HAPPY[name].ticket, "https://tickets.example.com/7")
    for number, change in ((1, small_storm()), (2, small_storm("storm.updated", ticket))):
        file, text = next(file for file in files_after(name, change) if file[0].startswith("members"))
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert file == f"members-{number}.csv"
        assert [row["vm"] for row in rows] == [member["name"] for member in change.event["data"]["storm"]["members"]]
        assert {row["code"] for row in rows} == {"UserErrorRpCollectionLimitReached"}


@every_taker
def test_a_file_that_is_refused_costs_one_line_in_the_log_and_the_ticket_stands(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        files_after(name, small_storm(), Reply(413, {"message": "too large"}))
    (line,) = [record.getMessage() for record in caplog.records if "does not take a file" in record.getMessage()]
    assert "413" in line


def test_slow_files_are_given_up_within_the_lease_of_the_change(caplog: pytest.LogCaptureFixture) -> None:
    """Two files are four requests at Redmine; here each of its answers takes six seconds."""
    happy = HAPPY["redmine"]
    with running("redmine") as system, caplog.at_level(logging.WARNING):
        system.on("POST", "/uploads.json", Reply(201, {"upload": {"token": "7.ab"}}))
        target = target_at(
            system.url, "redmine", user=happy.user, secret=happy.secret, now=lambda: NOW + timedelta(seconds=6 * len(system.asked)),
            **happy.options, attach="always",
        )  # fmt: skip
        assert posted(target, replace(small_storm(), parts=SMALL)).id == "7"
        after = [f"{asked.method} {asked.path}" for asked in system.asked][1:]
    assert after == ["POST /uploads.json", "PUT /issues/7.json"], "no further request after ten seconds"
    assert any("took more than 10 seconds" in record.getMessage() for record in caplog.records)


def test_no_file_where_none_is_wanted_nor_with_a_few_plain_words_nor_at_the_end() -> None:
    cut = too_long(failed(OPENED))
    assert files_after("servicenow", cut, attach="never") == []
    assert files_after("servicenow", replace(cut, parts=())) == []
    assert files_after("servicenow", resolved(ticket=("7", ""))) == []


def test_the_newest_runbook_is_there_whole_although_the_description_has_a_part_of_it() -> None:
    change = too_long(failed(UPDATED, ticket=("7", "")))
    assert [name for name, _ in files_after("servicenow", change)] == ["runbook-2.html"]
