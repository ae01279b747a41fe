"""Zendesk's tickets, as https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/ has them.

Zendesk's own description (oas.yaml) was not to be had to check against.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import OPENED, REOPENED, UPDATED, Posting, failed, resolved, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at

TICKETS = "/api/v2/tickets.json"
TICKET_35 = "/api/v2/tickets/35.json"
KNOWN = Posted("35", "https://example.zendesk.com/agent/tickets/35")
TICKET = (KNOWN.id, KNOWN.url)
# https://developer.zendesk.com/documentation/ticketing/managing-tickets/creating-and-updating-tickets/: no update of a closed ticket.
CLOSED = Reply(422, {"error": "RecordInvalid", "description": "Record validation errors",
                     "details": {"status": [{"description": "Status: closed prevents ticket update"}]}})  # fmt: skip


def ticket(number: int = 35, status: str = "open", key: str = "") -> dict[str, Any]:
    url = f"https://example.zendesk.com/api/v2/tickets/{number}.json"
    return {"id": number, "url": url, "status": status, "external_id": key or None}


def created(asked: Asked) -> Reply:
    return Reply(201, {"ticket": ticket(key=asked.json["ticket"]["external_id"])}, {"x-idempotency-lookup": "miss"})


@pytest.fixture
def desk() -> Iterator[System]:
    with running_system() as system:
        system.on("POST", TICKETS, created)
        system.on("PUT", TICKET_35, Reply(200, {"ticket": ticket()}))
        system.on("GET", TICKET_35, Reply(200, {"ticket": ticket()}))
        system.on("GET", TICKETS, Reply(200, {"tickets": []}))
        system.on("POST", "/api/v2/uploads.json", Reply(201, {"upload": {"token": "up1"}}))
        yield system


def zendesk(desk: System, **options: Any) -> Target:
    return target_at(desk.url, "zendesk", user="bot@example.com/token", **options)


def key_of(posting: Posting) -> str:
    key: str = posting.event["data"]["incident"]["id"]
    return key


def sent(desk: System, method: str) -> dict[str, Any]:
    """The ticket in the only request of a method."""
    [asked] = desk.named(method, ".*")
    body: dict[str, Any] = asked.json["ticket"]
    return body


def test_a_failure_opens_a_ticket_that_carries_the_key(desk: System) -> None:
    change = failed(OPENED)
    assert posted(zendesk(desk), change) == KNOWN
    [asked] = desk.asked
    assert (asked.method, asked.path, asked.query) == ("POST", TICKETS, {})
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"bot@example.com/token:s3cret").decode()
    body = asked.json["ticket"]
    comment = body.pop("comment")
    assert comment["public"] is False
    assert "az lock delete" in comment["html_body"]
    assert body == {
        "subject": "Backup of vm-pay-01 failed: The VM has reached the limit of restore points",
        "external_id": key_of(change),
        "type": "incident",
        "priority": "high",
        "tags": ["azure-backup"],
    }


def test_every_try_of_a_change_has_the_same_idempotency_key(desk: System) -> None:
    change = failed(OPENED)
    posted(zendesk(desk), change)
    posted(zendesk(desk), change)
    assert [asked.headers["idempotency-key"] for asked in desk.asked] == [change.change_id] * 2


def test_a_key_that_was_used_for_another_text_names_the_ticket_that_it_made(desk: System) -> None:
    """https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency: the same key with another body is refused."""
    change = failed(OPENED)
    desk.on("POST", TICKETS, Reply(400, {"error": "IdempotentRequestError", "description": "Request parameters do not match"}))
    desk.on("GET", TICKETS, Reply(200, {"tickets": [ticket(7), ticket(35, key=key_of(change))]}))
    assert posted(zendesk(desk), change) == KNOWN


def test_a_ticket_that_is_refused_is_refused_for_good(desk: System) -> None:
    desk.on("POST", TICKETS, Reply(400, {"error": "BadRequest", "description": "priority is odd"}))
    desk.on("GET", TICKETS, Reply(200, {"tickets": [ticket(7)]}))
    with pytest.raises(TicketNotPosted, match="priority is odd") as caught:
        posted(zendesk(desk), failed(OPENED))
    assert caught.value.permanent


def test_options_fill_the_properties_of_a_new_ticket(desk: System) -> None:
    options: dict[str, Any] = {"group_id": 9, "tags": ["a", "b"], "priority": {"Sev1": "urgent"},
                               "fields": {"custom_fields": [{"id": 1, "value": "x"}]}}  # fmt: skip
    posted(zendesk(desk, **options), failed(OPENED))
    body = sent(desk, "POST")
    assert (body["group_id"], body["tags"], body["priority"]) == (9, ["a", "b"], "urgent")
    assert body["custom_fields"] == [{"id": 1, "value": "x"}]


def test_an_update_is_a_private_comment_and_nothing_else(desk: System) -> None:
    assert posted(zendesk(desk), failed(UPDATED, ticket=TICKET)) == KNOWN
    read, upload, asked = desk.asked
    assert (read.method, upload.method, asked.method, asked.path) == ("GET", "POST", "PUT", TICKET_35)
    assert (upload.query, upload.body[:10]) == ({"filename": "runbook.md"}, b"# Backup o")
    assert asked.json["ticket"]["comment"]["uploads"] == ["up1"]
    assert list(asked.json["ticket"]) == ["comment"]
    assert asked.json["ticket"]["comment"]["public"] is False


def test_a_good_backup_solves_the_ticket(desk: System) -> None:
    assert posted(zendesk(desk, solve_fields={"assignee_id": 3}), resolved(ticket=TICKET)) == KNOWN
    assert [asked.method for asked in desk.asked] == ["GET", "PUT"]
    body = sent(desk, "PUT")
    assert (body["status"], body["assignee_id"], body["comment"]["public"]) == ("solved", 3, False)
    assert "job-good" in body["comment"]["html_body"]


@pytest.mark.parametrize("status", ["solved", "closed"])
def test_what_a_person_solved_is_not_solved_again(desk: System, status: str) -> None:
    desk.on("GET", TICKET_35, Reply(200, {"ticket": ticket(status=status)}))
    assert posted(zendesk(desk), resolved(ticket=TICKET)) == KNOWN
    assert not desk.named("PUT", ".*")


def test_a_solved_ticket_is_reopened(desk: System) -> None:
    desk.on("GET", TICKET_35, Reply(200, {"ticket": ticket(status="solved")}))
    assert posted(zendesk(desk), failed(REOPENED, ticket=TICKET)) == KNOWN
    assert sent(desk, "PUT")["status"] == "open"


@pytest.mark.parametrize("status", ["new", "open", "pending", "hold"])
def test_an_open_ticket_that_fails_again_keeps_its_status(desk: System, status: str) -> None:
    desk.on("GET", TICKET_35, Reply(200, {"ticket": ticket(status=status)}))
    posted(zendesk(desk), failed(REOPENED, ticket=TICKET))
    assert list(sent(desk, "PUT")) == ["comment"]


@pytest.mark.parametrize("change", [UPDATED, REOPENED])
def test_a_ticket_that_is_closed_for_good_is_followed_up(desk: System, change: str) -> None:
    desk.on("GET", TICKET_35, Reply(200, {"ticket": ticket(status="closed")}))
    desk.on("PUT", TICKET_35, CLOSED)
    desk.on("POST", TICKETS, Reply(201, {"ticket": ticket(36)}))
    posting = failed(change, ticket=TICKET)
    assert posted(zendesk(desk), posting) == Posted("36", "https://example.zendesk.com/agent/tickets/36")
    body = sent(desk, "POST")
    assert (body["via_followup_source_id"], body["external_id"]) == (35, key_of(posting))


def test_a_ticket_that_was_deleted_is_opened_again_and_follows_nothing(desk: System) -> None:
    for method in ("GET", "PUT"):
        desk.on(method, TICKET_35, Reply(404, {"error": "RecordNotFound"}))
    assert posted(zendesk(desk), failed(UPDATED, ticket=TICKET)).id == "35"
    assert "via_followup_source_id" not in sent(desk, "POST")


def test_a_change_that_is_refused_for_another_reason_opens_no_second_ticket(desk: System) -> None:
    desk.on(
        "PUT", TICKET_35, Reply(422, {"error": "RecordInvalid", "details": {"base": [{"description": "Cause: is required"}]}})
    )
    with pytest.raises(TicketNotPosted, match="Cause: is required") as caught:
        posted(zendesk(desk), failed(UPDATED, ticket=TICKET))
    assert caught.value.permanent
    assert not desk.named("POST", TICKETS)


def test_an_alert_that_nobody_can_read_is_a_ticket_too(desk: System) -> None:
    assert posted(zendesk(desk), unreadable()) == KNOWN
    assert "@here #1 &lt;!channel&gt; {{x}}" in sent(desk, "POST")["comment"]["html_body"]


def test_an_update_without_an_id_finds_the_newest_of_its_tickets(desk: System) -> None:
    change = failed(UPDATED)
    desk.on("GET", TICKETS, Reply(200, {"tickets": [ticket(12, "closed", key_of(change)), ticket(35, "open", key_of(change))]}))
    assert posted(zendesk(desk), change) == KNOWN
    assert desk.named("PUT", TICKET_35)
