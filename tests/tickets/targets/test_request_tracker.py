"""Request Tracker, as version 5.0.3 answers: https://docs.bestpractical.com/rt/5.0.7/RT/REST2.html"""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.model.refusal import RefusalKind
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import REOPENED, UPDATED, failed, incident, resolved
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at

REST = "/REST/2.0"
FIELDS = [{"id": "2", "name": "IncidentKey", "values": [incident().id], "type": "customfield"}]


class RequestTracker:
    """One ticket and its status."""

    def __init__(self, system: System) -> None:
        self.system, self.status, self.obeys = system, "open", True
        system.on("POST", f"{REST}/ticket", Reply(201, {"type": "ticket", "id": "7", "_url": f"{system.url}{REST}/ticket/7"}))
        system.on("GET", f"{REST}/ticket/7", lambda asked: Reply(200, {"id": 7, "Status": self.status}, {"ETag": '"42"'}))
        system.on("POST", f"{REST}/ticket/7/(comment|correspond)", Reply(201, ["Comments added"]))
        system.on("PUT", f"{REST}/ticket/7", self.put)

    def put(self, asked: Asked) -> Reply:
        if not self.obeys:
            return Reply(200, ["Ticket 7: Permission Denied"])
        self.status = asked.json["Status"]
        return Reply(200, ["Ticket 7: Status changed"])

    @property
    def lines(self) -> list[str]:
        return [f"{asked.method} {asked.path.removeprefix(REST)}" for asked in self.system.asked]


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        yield found


@pytest.fixture
def tracker(system: System) -> RequestTracker:
    return RequestTracker(system)


def target(system: System, **options: Any) -> Target:
    return target_at(system.url, "request_tracker", **{"queue": "Backup", **options})


def known(system: System) -> tuple[str, str]:
    return "7", f"{system.url}/Ticket/Display.html?id=7"


def test_a_failure_opens_a_ticket_in_html_with_the_key_in_its_field(tracker: RequestTracker, system: System) -> None:
    assert posted(target(system), failed()) == Posted(*known(system))
    (asked,) = system.asked
    assert asked.headers["authorization"] == "token s3cret"
    sent = asked.json
    assert "<h1>" in sent.pop("Content")
    assert sent == {
        "Queue": "Backup", "Subject": failed().event["data"]["title"], "ContentType": "text/html", "Priority": 100,
        "CustomFields": {"IncidentKey": incident().id},
    }  # fmt: skip


def test_what_the_options_name_goes_along(tracker: RequestTracker, system: System) -> None:
    options = {
        "key_field": "Key", "statuses": {"open": "open"}, "priorities": {"Sev1": 7}, "custom_fields": {"Team": "storage"},
        "fields": {"Owner": "ops"},
    }  # fmt: skip
    posted(target(system, **options), failed())
    sent = system.asked[0].json
    assert (sent["Status"], sent["Priority"], sent["Owner"]) == ("open", 7, "ops")
    assert sent["CustomFields"] == {"Team": "storage", "Key": incident().id}


@pytest.mark.parametrize("note", ["comment", "correspond"])
def test_an_update_is_a_note_and_leaves_the_status(tracker: RequestTracker, system: System, note: str) -> None:
    posted(target(system, note=note), failed(UPDATED, ticket=known(system)))
    assert tracker.lines == ["GET /ticket/7", f"POST /ticket/7/{note}"]
    assert set(system.asked[-1].json) == {"Content", "ContentType", "Attachments"}


def test_resolving_and_reopening_say_what_they_read_and_look_whether_it_was_done(tracker: RequestTracker, system: System) -> None:
    posted(target(system), resolved(ticket=known(system)))
    assert tracker.status == "resolved"
    assert tracker.lines == ["GET /ticket/7", "POST /ticket/7/comment", "GET /ticket/7", "PUT /ticket/7", "GET /ticket/7"]
    assert system.named("PUT", ".*")[0].headers["if-match"] == '"42"'
    posted(target(system), failed(REOPENED, ticket=known(system)))
    assert tracker.status == "open"


def test_a_put_that_did_nothing_is_an_error_in_the_words_of_rt(tracker: RequestTracker, system: System) -> None:
    tracker.obeys = False
    with pytest.raises(TicketNotPosted, match="RT left the status at open: Ticket 7: Permission Denied") as refusal:
        posted(target(system), resolved(ticket=known(system)))
    assert refusal.value.permanent


def test_a_ticket_that_rts_own_scrip_opened_again_is_left_so(tracker: RequestTracker, system: System) -> None:
    tracker.status = "resolved"

    def opens(asked: Asked) -> Reply:
        tracker.status = "open"
        return Reply(201, ["Correspondence added"])

    system.on("POST", f"{REST}/ticket/7/correspond", opens)
    posted(target(system, note="correspond"), failed(REOPENED, ticket=known(system)))
    assert system.named("PUT", ".*") == []


@pytest.mark.parametrize("status", ["resolved", "rejected", "deleted"])
def test_what_a_person_closed_is_not_resolved_again(tracker: RequestTracker, system: System, status: str) -> None:
    tracker.status = status
    posted(target(system), resolved(ticket=known(system)))
    assert tracker.lines == ["GET /ticket/7"]


def test_a_quote_in_the_queues_name_cannot_widen_the_search(tracker: RequestTracker, system: System) -> None:
    system.on("GET", f"{REST}/tickets", Reply(200, {"count": 0, "items": []}))
    posted(target(system, queue="Back' OR id > 0 OR Queue = 'up\\"), failed(), may_exist=True)
    query = system.asked[0].query["query"]
    assert query == rf"Queue = 'Back\' OR id > 0 OR Queue = \'up\\' AND CF.{{IncidentKey}} = '{incident().id}'"


def test_after_a_lost_answer_a_ticket_with_our_key_is_taken_and_no_other(tracker: RequestTracker, system: System) -> None:
    other = {
        "id": "6",
        "CustomFields": [{"name": "IncidentKey", "values": ["0" * 32]}, {"name": "Other", "values": [incident().id]}],
    }
    system.on("GET", f"{REST}/tickets", Reply(200, {"items": [other, {"id": "7", "Status": "open", "CustomFields": FIELDS}]}))
    assert posted(target(system), failed(), may_exist=True) == Posted(*known(system))
    assert posted(target(system), failed(UPDATED)) == Posted(*known(system))
    assert tracker.lines == ["GET /tickets", "GET /tickets", "GET /ticket/7", "POST /ticket/7/comment"]

    system.on("GET", f"{REST}/tickets", Reply(200, {"items": [other, {"id": "5"}]}))
    posted(target(system), failed(), may_exist=True)
    assert tracker.lines[-1] == "POST /ticket"


def test_a_merged_ticket_is_not_closed_by_the_incident_that_was_merged_into_it(tracker: RequestTracker, system: System) -> None:
    other = {"id": 9, "Status": "open", "_url": f"{system.url}{REST}/ticket/9"}
    system.on("GET", f"{REST}/ticket/7", Reply(200, other, {"ETag": '"1"'}))
    posted(target(system), resolved(ticket=known(system)))
    assert tracker.lines == ["GET /ticket/7", "POST /ticket/7/comment"], "its end is a comment on what both are now"


def test_a_deleted_ticket_is_not_there(tracker: RequestTracker, system: System) -> None:
    system.on("GET", f"{REST}/ticket/7", Reply(200, {"id": 7, "Status": "deleted"}))
    posted(target(system), resolved(ticket=known(system)))
    posted(target(system), failed(UPDATED, ticket=known(system)))
    assert tracker.lines == ["GET /ticket/7", "GET /ticket/7", "POST /ticket"]
    assert "This ticket continues ticket" in system.asked[-1].json["Content"]


def test_a_missing_right_is_a_matter_of_configuration(tracker: RequestTracker, system: System) -> None:
    system.on("POST", f"{REST}/ticket/7/comment", Reply(400, {"message": "Permission Denied"}))
    with pytest.raises(TicketNotPosted, match="Permission Denied") as refusal:
        posted(target(system), failed(UPDATED, ticket=known(system)))
    assert refusal.value.kind is RefusalKind.CONFIGURATION
