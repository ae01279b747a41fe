"""Slack through a bot: one message per incident whose heading is kept true, each change a reply in its thread.

https://docs.slack.dev/reference/methods/chat.postMessage https://docs.slack.dev/reference/methods/chat.update
https://docs.slack.dev/reference/methods/conversations.history
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft4Validator, ValidationError

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.conftest import ROOT
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, Posting, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at

DESCRIPTION = ROOT.parent / "shared" / "samples" / "ticket_apis" / "slack-chat.json"
CHANNEL, TS = "C0123456789", "1763839800.000100"
TICKET = (TS, "https://example.slack.com/archives/C0123456789/p1763839800000100")
NEWER = {"metadata", "unfurl_links", "unfurl_media"}
"""Arguments that the vendor's description of 2021 does not know: https://docs.slack.dev/reference/methods/chat.postMessage"""


@pytest.fixture
def slack() -> Iterator[System]:
    """A workspace in which everything works and nothing was posted yet."""
    with running_system() as system:
        system.on("POST", "/api/chat.postMessage", Reply(200, {"ok": True, "channel": CHANNEL, "ts": TS}))
        system.on("POST", "/api/chat.update", Reply(200, {"ok": True, "channel": CHANNEL, "ts": TS}))
        system.on("GET", "/api/conversations.history", Reply(200, {"ok": True, "messages": []}))
        system.on("POST", "/api/auth.test", Reply(200, {"ok": True}, {"x-oauth-scopes": "chat:write,channels:history"}))
        yield system


def bot(slack: System, **options: Any) -> Target:
    options = {"channel": CHANNEL, "workspace": "https://example.slack.com", **options}
    return target_at(slack.url + "/api", "slack", secret="xoxb-hunter2", **options)


def heading(asked: Asked) -> str:
    return str(asked.json["blocks"][0]["text"]["text"])


def page_of(asked: Asked) -> str:
    """The page as it is shown: its sections one after the other."""
    blocks = asked.json["attachments"][0]["blocks"] if "attachments" in asked.json else asked.json["blocks"]
    return "\n\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")


def message(key: str, ts: str = TS) -> dict[str, Any]:
    return {"ts": ts, "text": "x", "metadata": {"event_type": "backup_incident", "event_payload": {"key": key}}}


def key_of(change: Posting) -> str:
    return str(change.event["data"]["incident"]["id"])


def test_an_incident_is_a_message_with_its_page_and_its_key(slack: System) -> None:
    change = failed()
    assert posted(bot(slack), change) == Posted(*TICKET)
    [asked] = slack.asked
    assert (asked.method, asked.path) == ("POST", "/api/chat.postMessage")
    assert asked.headers["authorization"] == "Bearer xoxb-hunter2"
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    body = asked.json
    assert body["channel"] == CHANNEL
    assert body["metadata"] == {
        "event_type": "backup_incident",
        "event_payload": {"key": key_of(change), "change": change.change_id},
    }
    assert heading(asked).startswith("Open: Backup of vm-pay-01 failed")
    assert body["blocks"][1]["elements"][0]["text"] == f"Sev1 · vm-pay-01 · {key_of(change)}"
    assert "A lock prevents the deletion of old restore points" in page_of(asked)
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


def test_without_the_workspaces_address_there_is_no_link(slack: System) -> None:
    assert posted(bot(slack, workspace=""), failed()) == Posted(TS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (failed(UPDATED, ticket=TICKET), "Open (2×): Backup of vm-pay-01 failed"),
        (failed(REOPENED, ticket=TICKET), "Reopened (2×): Backup of vm-pay-01 failed"),
        (resolved(ticket=TICKET), "Resolved: Backup of vm-pay-01 works again"),
        (storm("storm.updated", ticket=TICKET), "Open: 30 backups in westeurope failed with the same error"),
        (storm("storm.resolved", ticket=TICKET), "Resolved: 30 backups in westeurope failed with the same error"),
    ],
)
def test_a_change_corrects_the_heading_and_is_a_reply_in_the_thread(slack: System, change: Posting, words: str) -> None:
    assert posted(bot(slack), change) == Posted(*TICKET)
    update, reply = slack.asked
    assert update.path == "/api/chat.update"
    assert (update.json["ts"], update.json["channel"]) == (TS, CHANNEL)
    assert heading(update).startswith(words)
    assert "attachments" not in update.json  # the page of the first message stays
    assert reply.path == "/api/chat.postMessage"
    assert (reply.json["thread_ts"], reply.json["reply_broadcast"]) == (TS, False)
    assert "metadata" not in reply.json  # or a reply could be taken for the incident
    assert page_of(reply)


def test_replies_can_be_shown_in_the_channel_too(slack: System) -> None:
    posted(bot(slack, broadcast=True), failed(UPDATED, ticket=TICKET))
    assert slack.asked[1].json["reply_broadcast"] is True


def test_the_words_are_in_the_language_of_the_runbook(slack: System) -> None:
    posted(bot(slack), failed(language="pt-BR"))
    assert heading(slack.asked[0]).startswith("Aberto: ")


@pytest.mark.parametrize(
    "other",
    [
        message("f" * 32),
        {"ts": TS, "text": "932c0427dc4d19b6d7c2fc123591379b"},
        {"ts": TS, "metadata": {"event_type": "deployed", "event_payload": {}}},
        {"ts": TS, "metadata": None},
    ],
)
def test_a_message_without_the_key_is_somebody_elses(slack: System, other: dict[str, Any]) -> None:
    slack.on("GET", "/api/conversations.history", Reply(200, {"ok": True, "messages": [other]}))
    posted(bot(slack), failed(), may_exist=True)
    posted(bot(slack), failed(UPDATED))
    assert [asked.path for asked in slack.named("POST", ".*")] == ["/api/chat.postMessage"] * 2
    assert all("thread_ts" not in asked.json for asked in slack.named("POST", ".*"))


def test_a_lost_ts_is_found_again_by_the_key(slack: System) -> None:
    change = failed(UPDATED)
    slack.on("GET", "/api/conversations.history", Reply(200, {"ok": True, "messages": [message(key_of(change))]}))
    assert posted(bot(slack), change) == Posted(*TICKET)
    assert [asked.path for asked in slack.named("POST", ".*")] == ["/api/chat.update", "/api/chat.postMessage"]
    assert slack.asked[-1].json["thread_ts"] == TS


def test_when_somebody_deleted_the_message_an_update_is_a_new_one(slack: System) -> None:
    slack.on("POST", "/api/chat.update", Reply(200, {"ok": False, "error": "message_not_found"}))
    slack.on("POST", "/api/chat.postMessage", Reply(200, {"ok": True, "ts": "1763840000.000200"}))
    assert posted(bot(slack), failed(UPDATED, ticket=TICKET)).id == "1763840000.000200"
    assert "thread_ts" not in slack.asked[-1].json


def test_where_old_messages_cannot_be_changed_there_is_still_the_reply(slack: System) -> None:
    slack.on("POST", "/api/chat.update", Reply(200, {"ok": False, "error": "edit_window_closed"}))
    posted(bot(slack), resolved(ticket=TICKET))
    assert slack.asked[-1].json["thread_ts"] == TS


@pytest.mark.parametrize(
    ("error", "permanent"),
    [("invalid_blocks", True), ("msg_blocks_too_long", True), ("channel_not_found", False), ("invalid_auth", False),
     ("missing_scope", False), ("fatal_error", False)],
)  # fmt: skip
@pytest.mark.parametrize("change", [failed(), failed(UPDATED, ticket=TICKET), resolved(ticket=TICKET)])
def test_a_200_that_says_no_is_a_refusal(slack: System, change: Posting, error: str, permanent: bool) -> None:
    slack.all_answer(Reply(200, {"ok": False, "error": error}))
    with pytest.raises(TicketNotPosted, match=error) as caught:
        posted(bot(slack), change)
    assert caught.value.permanent is permanent
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("change", [failed(), failed(name=HOSTILE), storm(affected=500), failed(language="pt-BR")])
def test_a_message_keeps_to_slacks_limits_and_keeps_what_is_confirmed(slack: System, change: Posting) -> None:
    data = {**change.event["data"], "title": "&" * 250}
    posted(bot(slack), Posting({**change.event, "data": data}, change.change_id, change.parts))
    body = slack.asked[0].json
    blocks = [*body["blocks"], *body["attachments"][0]["blocks"]]
    sizes = [len(block["text"]["text"]) for block in blocks if block["type"] == "section"]
    assert max(sizes) <= 3_000
    assert sum(sizes) + len(heading(slack.asked[0])) + len(body["blocks"][1]["elements"][0]["text"]) <= 13_000
    assert len(blocks) <= 50
    assert len(heading(slack.asked[0])) <= 150
    assert len(body["text"]) <= 4_000
    confirmed = next(one for one in data["findings"] if one["verdict"] == "confirmed")
    lines = [command["line"] for step in confirmed["remediation"] for command in step["commands"] if command["shell"] == "bash"]
    assert lines
    assert all(_escaped(line) in page_of(slack.asked[0]) for line in lines)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_commands_are_whole_code_blocks_in_each_section(slack: System) -> None:
    for change in (failed(), storm(affected=500), failed(name=HOSTILE)):
        posted(bot(slack), change)
        for block in slack.asked[-1].json["attachments"][0]["blocks"]:
            assert block["text"]["text"].count("```") % 2 == 0


def test_hostile_text_calls_nobody_and_links_nowhere(slack: System) -> None:
    change = failed(name=HOSTILE)
    title = "<!channel> <@U1> <https://evil.example|x> & @here :skull:"
    posted(
        bot(slack), Posting({**change.event, "data": {**change.event["data"], "title": title}}, change.change_id, change.parts)
    )
    body = slack.asked[0].json
    assert body["text"] == f"Open: {_escaped(title)}"
    assert body["blocks"][0]["text"] == {"type": "plain_text", "text": f"Open: {title}", "emoji": False}
    assert all(block["text"]["verbatim"] for block in body["attachments"][0]["blocks"])
    assert {part[:8] for part in page_of(slack.asked[0]).split("<")[1:]} == {"https://"}
    assert "evil.example" not in page_of(slack.asked[0])


# ---------------------------------------------------------------- the vendor's description


def validate(asked: Asked) -> None:
    """That Slack's description takes the request. It knows the arguments of a form only, where `blocks` and the like are JSON as text."""
    description = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    operation = description["paths"][asked.path.removeprefix("/api")][asked.method.lower()]
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    known = schema["properties"] | {name: {} for name in NEWER}
    form = {name: json.dumps(value) if isinstance(value, list) else value for name, value in asked.json.items()}
    Draft4Validator({**schema, "properties": known, "additionalProperties": False}).validate(form)
    for blocks in (asked.json.get("blocks", []), *(one["blocks"] for one in asked.json.get("attachments", []))):
        Draft4Validator(description["components"]["schemas"]["blocks"]).validate(blocks)


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="the vendor's description is not here")
def test_every_request_is_valid_by_slacks_description(slack: System) -> None:
    changes = [failed(), failed(UPDATED, ticket=TICKET), resolved(ticket=TICKET), failed(REOPENED, ticket=TICKET), storm(),
               storm("storm.updated", ticket=TICKET), storm("storm.resolved", ticket=TICKET), unreadable(), failed(name=HOSTILE)]  # fmt: skip
    for change in changes:
        posted(bot(slack), change)
    for asked in slack.asked:
        validate(asked)
    assert len(slack.asked) == len(changes) + 5


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="the vendor's description is not here")
@pytest.mark.parametrize("wrong", [{"thread": "1.2"}, {"text": 1}, {"blocks": [{"text": "no type"}]}, {"channel": None}])
def test_the_description_refuses_a_wrong_request(slack: System, wrong: dict[str, Any]) -> None:
    posted(bot(slack), failed())
    [asked] = slack.asked
    with pytest.raises(ValidationError):
        validate(Asked(asked.method, asked.path, {}, asked.headers, json.dumps({**asked.json, **wrong}).encode()))
