"""Slack through an incoming webhook: one message for each change, and its URL is a secret.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; no description of it is published.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Reply, System, posted, running_system, target_at

TOKEN = "hunter2hunter2hunter2hun"
HOOK = f"/services/T01234567/B01234567/{TOKEN}"


@pytest.fixture
def slack() -> Iterator[System]:
    with running_system() as system:
        system.on("POST", HOOK, Reply(200))
        yield system


def webhook(slack: System) -> Target:
    return target_at(slack.url + HOOK, "slack_webhook", secret="")


@pytest.mark.parametrize(
    ("heading", "change"),
    [
        ("New: Backup of vm-pay-01 failed", failed()),
        ("Update: Backup of vm-pay-01 failed", failed(UPDATED)),
        ("Resolved: Backup of vm-pay-01 works again", resolved()),
        ("Reopened: Backup of vm-pay-01 failed", failed(REOPENED)),
        ("New: 30 backups in westeurope failed with the same error", storm("storm.opened")),
        ("Update: 30 backups in westeurope failed with the same error", storm("storm.updated")),
        ("Resolved: 30 backups in westeurope failed with the same error", storm("storm.resolved")),
        ("New: An alert could not be read", unreadable()),
        ("Novo: ", failed(language="pt-BR")),
    ],
)
def test_each_change_is_a_new_message_whose_heading_says_what_happened(slack: System, heading: str, change: Posting) -> None:
    assert posted(webhook(slack), change, may_exist=True) == Posted()
    [asked] = slack.asked
    assert (asked.method, asked.path) == ("POST", HOOK)
    assert set(asked.json) == {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert asked.json["text"].startswith(heading)
    assert asked.json["blocks"][0]["text"]["text"].startswith(heading)
    assert change.event["data"]["incident"]["id"] in asked.json["blocks"][1]["elements"][0]["text"]
    assert asked.json["blocks"][2]["type"] == "section"


@pytest.mark.parametrize("change", [failed(), failed(name=HOSTILE), storm(affected=500)])
def test_a_message_keeps_to_slacks_limits(slack: System, change: Posting) -> None:
    posted(webhook(slack), change)
    blocks = slack.asked[0].json["blocks"]
    sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert max(map(len, sections)) <= 3_000
    assert sum(map(len, sections)) <= 12_200
    assert len(blocks) <= 50
    assert all(section.count("```") % 2 == 0 for section in sections)
    assert all(part.startswith("https://") for section in sections for part in section.split("<")[1:])


def test_the_secret_of_the_url_is_in_no_error_and_no_log(slack: System, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.ERROR, "markdown_it")  # it tells of each character
    for status in (400, 403, 404, 410, 413, 500):
        slack.all_answer(Reply(status, {"path": HOOK, "token": TOKEN}))
        with pytest.raises(TicketNotPosted) as caught:
            posted(webhook(slack), failed())
        assert TOKEN not in str(caught.value)
        assert caught.value.permanent is (status in (400, 413))
    assert TOKEN not in caplog.text
