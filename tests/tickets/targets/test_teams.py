"""Microsoft Teams through a Workflows webhook: one card for each change, and its URL is a secret.

https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, ValidationError

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.conftest import ROOT
from tests.tickets.changes import HOSTILE, OPENED, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Reply, System, posted, running_system, target_at

SCHEMA = ROOT.parent / "shared" / "samples" / "ticket_apis" / "adaptive-card-1.5.schema.json"
SIG = "hunter2hunter2hunter2hunter2"
FLOW = f"/powerautomate/automations/direct/workflows/abc/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers&sig={SIG}"
SAFE_BYTES = 21_000
CHANGES = [
    ("New: Backup of vm-pay-01 failed", "attention", failed(OPENED)),
    ("Update: Backup of vm-pay-01 failed", "warning", failed(UPDATED)),
    ("Resolved: Backup of vm-pay-01 works again", "good", resolved()),
    ("Reopened: Backup of vm-pay-01 failed", "attention", failed(REOPENED)),
    ("New: 30 backups in westeurope failed with the same error", "attention", storm("storm.opened")),
    ("Update: 30 backups in westeurope failed with the same error", "warning", storm("storm.updated")),
    ("Resolved: 30 backups in westeurope failed with the same error", "good", storm("storm.resolved")),
    ("New: An alert could not be read", "attention", unreadable()),
]


@pytest.fixture
def flow() -> Iterator[System]:
    with running_system() as system:
        system.on("POST", "/powerautomate/.*", Reply(202))
        yield system


def teams(flow: System, **options: Any) -> Target:
    return target_at(flow.url + FLOW, "teams", secret="", **options)


def card(flow: System) -> dict[str, Any]:
    """The card of the only request."""
    [asked] = flow.asked
    assert asked.json["type"] == "message"
    [attachment] = asked.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content: dict[str, Any] = attachment["content"]
    return content


def words(shown: Any) -> str:
    """All text of a card's elements."""
    if isinstance(shown, dict):
        return str(shown.get("text", "")) + "".join(words(shown.get(name, [])) for name in ("items", "inlines", "body"))
    return "".join(one if isinstance(one, str) else words(one) + "\n" for one in shown)


@pytest.mark.parametrize(("heading", "look", "change"), CHANGES)
def test_each_change_is_a_new_card_whose_heading_says_what_happened(
    flow: System, heading: str, look: str, change: Posting
) -> None:
    assert posted(teams(flow), change) == Posted()
    shown = card(flow)
    assert shown["version"] == "1.4"
    assert shown["fallbackText"].startswith(heading)
    assert shown["body"][0]["style"] == look
    assert shown["body"][0]["items"][0]["inlines"][0]["text"].startswith(heading)
    assert change.event["data"]["incident"]["id"] in words(shown["body"][0])
    assert flow.asked[0].query == {"api-version": "1", "sp": "/triggers", "sig": SIG}


def test_the_heading_is_in_the_language_of_the_runbook_and_can_be_worded_otherwise(flow: System) -> None:
    posted(teams(flow), failed(language="pt-BR"))
    worded = teams(flow, words={"en": {"opened": "ALARM"}})
    posted(worded, failed())
    posted(worded, resolved())
    headings = [asked.json["attachments"][0]["content"]["fallbackText"].partition(":")[0] for asked in flow.asked]
    assert headings == ["Novo", "ALARM", "Resolved"]


def test_the_heading_is_english_when_the_app_does_not_have_the_runbooks_language_any_more(flow: System) -> None:
    change = failed()
    runbook = {**change.event["data"]["runbook"], "language": "tlh"}
    posted(teams(flow), Posting({**change.event, "data": {**change.event["data"], "runbook": runbook}}, change.change_id))
    assert card(flow)["fallbackText"].startswith("New: ")


def test_a_change_that_may_have_been_posted_is_posted_again_for_nothing_can_be_looked_up(flow: System) -> None:
    posted(teams(flow), failed(), may_exist=True)
    assert [asked.method for asked in flow.asked] == ["POST"]


def test_the_page_is_linked_when_there_is_one(flow: System) -> None:
    change = failed()
    incident = {**change.event["data"]["incident"], "url": "https://runbooks.example.com/api/runbooks/1?sig=x"}
    event = {**change.event, "data": {**change.event["data"], "incident": incident}}
    posted(teams(flow), Posting(event, change.change_id, change.parts))
    assert card(flow)["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open the runbook page", "url": "https://runbooks.example.com/api/runbooks/1?sig=x"}
    ]


@pytest.mark.parametrize("change", [failed(), failed(name=HOSTILE), storm(affected=500)])
def test_a_message_is_as_small_as_teams_takes_and_keeps_the_confirmed_cause(flow: System, change: Posting) -> None:
    posted(teams(flow), change)
    assert len(flow.asked[0].body) <= SAFE_BYTES
    confirmed = next(one for one in change.event["data"]["findings"] if one["verdict"] == "confirmed")
    assert confirmed["title"] in words(card(flow)["body"])
    lines = [command["line"] for step in confirmed["remediation"] for command in step["commands"] if command["shell"] == "bash"]
    assert lines
    assert all(line in words(card(flow)["body"]) for line in lines)


def test_hostile_text_is_never_read_as_markdown_or_as_a_date(flow: System) -> None:
    change = failed(name=HOSTILE)
    data = {**change.event["data"], "title": "[x](https://evil.example) **b** {{DATE(2026-01-01T00:00:00Z)}} <at>all</at>"}
    posted(teams(flow), Posting({**change.event, "data": data}, change.change_id, change.parts))
    shown = card(flow)
    assert "{{DATE(" not in json.dumps(shown)
    blocks = [one for one in _elements(shown["body"]) if one["type"] == "TextBlock"]
    assert blocks
    assert not any(mark in block["text"] for block in blocks for mark in "[]*<>`{}")
    assert "entities" not in shown["msteams"]


def _elements(shown: Any) -> Iterator[dict[str, Any]]:
    for one in shown:
        yield one
        yield from _elements(one.get("items", []))


def test_the_secret_of_the_url_is_in_no_error_and_no_log(flow: System, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.ERROR, "markdown_it")  # it tells of each character
    said = {"error": {"code": f"Bad {flow.url}{FLOW}", "message": SIG}}
    for reply in (Reply(400, said), Reply(413, said), Reply(401, said), Reply(500, said)):
        flow.all_answer(reply)
        with pytest.raises(TicketNotPosted) as caught:
            posted(teams(flow), failed())
        assert SIG not in str(caught.value)
        assert flow.url not in str(caught.value)
    flow.on("POST", ".*", Reply(202, headers={"Location": f"https://example.com/{SIG}"}))
    posted(teams(flow), failed())
    with pytest.raises(TicketNotPosted):
        posted(target_at("http://127.0.0.1:9" + FLOW, "teams", secret=""), failed())
    assert SIG not in caplog.text
    assert SIG not in json.dumps([asked.json for asked in flow.asked])


def test_the_check_posts_a_test_card(flow: System) -> None:
    teams(flow).check()
    assert "this is a test" in words(card(flow)["body"])


# ---------------------------------------------------------------- the vendor's schema


def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})


@pytest.mark.skipif(not SCHEMA.exists(), reason="the vendor's schema is not here")
def test_every_card_is_valid_by_microsofts_schema(flow: System) -> None:
    check = validator()
    for _, _, change in [*CHANGES, ("", "", failed(name=HOSTILE))]:
        flow.asked.clear()
        posted(teams(flow), change)
        shown = card(flow)
        shown.pop("msteams")  # Teams' own, not of the schema
        check.validate(shown)
    flow.asked.clear()
    teams(flow).check()
    check.validate(card(flow))


@pytest.mark.skipif(not SCHEMA.exists(), reason="the vendor's schema is not here")
@pytest.mark.parametrize(
    "wrong",
    [{"type": "RichTextBlock"}, {"type": "TextBlock"}, {"type": "Container", "items": [], "style": "red"}, {"type": "Table!"}],
)
def test_the_schema_refuses_a_wrong_card(flow: System, wrong: dict[str, Any]) -> None:
    posted(teams(flow), failed())
    shown = card(flow)
    shown.pop("msteams")
    with pytest.raises(ValidationError):
        validator().validate({**shown, "body": [*shown["body"], wrong]})
