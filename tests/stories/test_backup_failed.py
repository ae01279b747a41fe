"""One ticket per incident: duplicates, further failures, a ticket system that is down, answers that are lost, second looks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import AzureError

from handlers import dispatch, last_resort
from handlers.model import Incident
from handlers.model.incident import key_of
from handlers.model.parts import ticket_text
from handlers.model.refusal import RefusalKind
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.storage import Storage
from handlers.tickets.answers import TicketNotPosted
from sandbox.azurite import connection_string
from sandbox.scenario import Scenario, load_scenarios
from tests.workbench import Bench

pytestmark = pytest.mark.usefixtures("own_azurite")

CONFIGURATION = RefusalKind.CONFIGURATION
BenchOf = Callable[..., Bench]
LOCKED = "restore_point_group_locked"


def scenario(name: str) -> Scenario:
    return next(found for found in load_scenarios() if found.name == name)


def alert(name: str = LOCKED) -> Any:
    return scenario(name).alert_body(datetime.now(UTC))


def next_failure(bench: Bench, name: str = LOCKED, hours: int = 24) -> Any:
    """The same VM fails again: another alert about another job, which the simulated Azure has."""
    world = bench.azure.azure.worlds[scenario(name).subscription]
    job = next(body for body in world.of_type("Microsoft.RecoveryServices/vaults/backupJobs") if body["name"] == world.job["id"])
    again = copy.deepcopy(job)
    new_id = world.guid(f"job/{hours}")
    moved = {part: (datetime.fromisoformat(again["properties"][part][:26].rstrip("Z") + "+00:00") + timedelta(hours=hours)).isoformat()
             for part in ("startTime", "endTime")}  # fmt: skip
    world._add(f"{world.vault_id}/backupJobs/{new_id}", again["type"], again["properties"] | moved)
    bench.clock.ahead += timedelta(hours=hours)
    body = copy.deepcopy(alert(name))
    context = body["data"]["alertContext"]
    context["extendedInfo"]["jobId"] = new_id
    return body


def test_an_alert_becomes_one_ticket_with_the_incidents_number_of_failures(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    (event,) = bench.target.events
    assert event["type"] == "incident.opened"
    assert event["data"]["incident"]["failures"] == 1
    assert event["data"]["ticket"] == {"id": None, "url": None}


def test_the_same_alert_again_reads_no_facts_and_posts_nothing(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    bench.azure.reset_calls()
    bench.fire(alert())
    bench.work()
    assert bench.target.types == ["incident.opened"]
    assert bench.azure.calls() == []


def test_another_failed_job_updates_the_ticket_and_says_what_is_new(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    bench.fire(next_failure(bench))
    world = bench.azure.azure.worlds[scenario(LOCKED).subscription]
    for key in [key for key in world.resources if "/providers/microsoft.authorization/locks/" in key]:
        del world.resources[key]
    bench.work()
    opened, updated = bench.target.events
    assert updated["type"] == "incident.updated"
    assert updated["data"]["incident"]["id"] == opened["data"]["incident"]["id"]
    assert updated["data"]["incident"]["failures"] == 2
    assert updated["data"]["ticket"]["id"].startswith("T-")
    assert {"cause": "restore_point_group_locked", "before": "confirmed", "now": "ruled_out"} in updated["data"]["changes"]
    page = updated["data"]["runbook"]["markdown"]
    assert "**Failure number 2** of this incident" in page
    assert "confirmed → ruled out" in page


def test_three_nights_of_one_vm_make_two_notes_of_a_few_lines_beside_the_whole_text(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    for night in (24, 48):
        bench.fire(next_failure(bench, hours=night))
        bench.work()
    opened, *further = [event["data"] for event in bench.target.events]
    assert opened["note"] is None
    notes = [data["note"]["markdown"] for data in further]
    assert [f"Failure {number} of this incident" in note for number, note in zip((2, 3), notes, strict=True)] == [True, True]
    assert max(len(note.splitlines()) for note in notes) <= 25
    assert all("**Risk: " in note and "az lock delete" not in note for note in notes)
    assert all("az lock delete" in data["runbook"]["markdown"] for data in further), "the whole text stays in the event"


def test_a_ticket_system_that_is_down_gets_its_ticket_once_it_is_back(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503"), TicketNotPosted("TICKET_URL answered 503")]
    bench.fire(alert())
    bench.work()
    assert bench.target.posts == []
    bench.run(seconds=60)
    assert bench.target.types == ["incident.opened"]


@pytest.mark.parametrize("said", ["1200", "Tue, 01 Jan 2120 00:00:00 GMT"])
def test_retry_after_is_obeyed_and_nobody_else_tries_meanwhile(bench_of: BenchOf, said: str) -> None:
    bench = bench_of(LOCKED, "disk_33_tib_linux")
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 429", retry_after=said)]
    bench.fire(alert())
    bench.work()
    bench.fire(alert("disk_33_tib_linux"))
    bench.work()
    bench.run(seconds=1190)
    assert len(bench.target.tries) == 1
    assert max(bench.waits) <= 300, "each comes back within five minutes to see"
    bench.run(seconds=24 * 3600)
    assert bench.target.types == ["incident.opened"] * 2


def test_while_the_ticket_system_is_down_a_failure_is_diagnosed_in_its_own_time_and_once(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 429", retry_after="600")]
    bench.fire(alert())
    bench.work()
    read = len(bench.azure.calls())
    bench.run(seconds=500)
    assert len(bench.azure.calls()) == read, "nothing is read while the ticket waits"
    bench.run(seconds=400)
    assert len(bench.azure.calls()) == read
    assert bench.target.events[0]["data"]["findings"][0]["verdict"] == "confirmed"


def test_an_answer_that_is_lost_leads_to_no_second_ticket(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.lose_answer = True
    bench.fire(alert())
    bench.work()
    bench.wait(60)
    assert bench.target.types == ["incident.opened"]
    first, second = bench.target.tries
    assert first[0] == second[0]
    assert (first[1], second[1]) == (False, True)


class Dying(Incidents):
    """The host is killed when it writes the row for the n-th time."""

    def __init__(self, storage: Storage, writes: int) -> None:
        super().__init__(storage)
        self.writes = writes

    def save(self, before: Incident | None, after: Incident) -> Incident | None:
        self.writes -= 1
        if self.writes < 0:
            raise SystemExit("killed")
        return super().save(before, after)


class DyingDocuments(Documents):
    """The host is killed when it keeps a document."""

    def write(self, *_: Any) -> None:
        raise SystemExit("killed")


@pytest.mark.parametrize(
    ("writes", "tries"), [(0, 1), (1, 1), (2, 2)], ids=["before the row", "before the post", "after the post"]
)
def test_a_host_that_is_killed_anywhere_on_the_way_leads_to_one_ticket(bench_of: BenchOf, writes: int, tries: int) -> None:
    bench = bench_of(LOCKED)
    body = json.dumps(alert()).encode()
    with pytest.raises(SystemExit):
        dispatch.work_on(body, replace(bench.tools, incidents=Dying(bench.storage, writes)))
    bench.fire(body)  # the message comes again
    bench.work()
    bench.wait(61)
    bench.wait(61)
    assert bench.target.types == ["incident.opened"]
    assert [change for change, _ in bench.target.tries] == [bench.target.posts[0][0]] * tries
    assert bench.waits == []


def test_a_host_that_is_killed_while_it_diagnoses_is_followed_by_the_reminder(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    with pytest.raises(SystemExit):
        dispatch.work_on(json.dumps(alert()).encode(), replace(bench.tools, documents=DyingDocuments(bench.storage)))
    bench.wait(61)
    (event,) = bench.target.events
    assert event["data"]["findings"][0]["verdict"] == "confirmed"


def test_a_refusal_for_good_becomes_the_same_ticket_in_plain_words_with_the_answer(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [
        TicketNotPosted("TICKET_URL answered 400: description is too long", kind=CONFIGURATION, permanent=True)
    ]
    bench.fire(alert())
    bench.work()
    (event,) = bench.target.events
    assert event["type"] == "incident.opened"
    assert "description is too long" in event["data"]["runbook"]["markdown"]
    assert "UserErrorRpCollectionLimitReached" in event["data"]["runbook"]["markdown"]
    assert event["data"]["findings"] == []


def test_a_plain_ticket_whose_answer_was_lost_is_not_opened_a_second_time(bench_of: BenchOf) -> None:
    """The long page is tried again first, and may be taken then: both are one change with one id."""
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("400 too long", kind=CONFIGURATION, permanent=True), TicketNotPosted("no answer")]
    bench.fire(alert())
    bench.work()
    bench.wait(60)
    assert bench.target.types == ["incident.opened"]
    assert len({change for change, _ in bench.target.tries}) == 1


def test_a_plain_ticket_that_is_not_taken_now_is_tried_again_soon(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("400 too long", kind=CONFIGURATION, permanent=True), TicketNotPosted("503")]
    bench.fire(alert())
    bench.work()
    bench.wait(10)
    assert bench.target.types == ["incident.opened"]


def test_another_failure_that_comes_while_the_ticket_waits_is_an_update_of_it(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.lose_answer = True
    bench.fire(alert())
    bench.work()
    second = next_failure(bench)
    bench.fire(second)
    for _ in range(3):
        bench.wait(60)
    assert bench.target.types == ["incident.opened", "incident.updated"]
    assert bench.target.events[1]["data"]["incident"]["failures"] == 2


def test_an_alert_that_failed_too_often_has_a_plain_ticket_with_its_body(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    last_resort.work_on_poison(json.dumps(alert()).encode(), 1, bench.tools)
    bench.wait(61)
    (event,) = bench.target.events
    assert event["type"] == "alert.unreadable"
    assert scenario(LOCKED).subscription in event["data"]["runbook"]["markdown"]


def test_what_not_even_a_plain_ticket_is_taken_for_stays_due_and_nothing_else_is_made_of_it(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [
        TicketNotPosted("400", kind=CONFIGURATION, permanent=True),
        TicketNotPosted("400 again", kind=CONFIGURATION, permanent=True),
    ]
    bench.fire(alert())
    bench.work()
    assert list(bench.queue.unposted()) == []
    bench.run(seconds=60)
    (event,) = bench.target.events
    assert event["type"] == "incident.opened"
    assert event["data"]["findings"], "its whole runbook"


def test_facts_that_azure_throttled_are_looked_at_again_and_the_ticket_is_updated(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.azure.add_fault(match="GET */locks*", status=429, retry_after=900, times=1)
    bench.fire(alert())
    bench.work()
    (opened,) = bench.target.events
    verdicts = {finding["cause"]: finding["verdict"] for finding in opened["data"]["findings"]}
    assert verdicts["restore_point_group_locked"] == "unknown"
    bench.wait(400)
    updated = bench.target.events[-1]
    assert updated["type"] == "incident.updated"
    assert updated["data"]["incident"]["failures"] == 1
    assert updated["data"]["changes"] == [{"cause": "restore_point_group_locked", "before": "unknown", "now": "confirmed"}]


def test_a_second_look_that_finds_the_same_posts_nothing_and_ends_after_a_few(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.azure.add_fault(match="GET */locks*", status=500)
    bench.fire(alert())
    bench.work()
    for _ in range(8):
        bench.wait(5 * 3600)
    assert bench.target.types == ["incident.opened"]
    assert bench.waits == []


def test_a_missing_permission_is_not_looked_at_again(bench_of: BenchOf) -> None:
    bench = bench_of("locks_forbidden")
    bench.fire(alert("locks_forbidden"))
    bench.work()
    assert bench.waits == []


def test_the_document_keeps_what_the_ticket_was_made_from(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    (incident,) = bench.open_incidents
    document = bench.tools.documents.read(incident.id, incident.delivery.version)
    assert document is not None
    assert ticket_text(document.parts) == bench.target.events[0]["data"]["runbook"]["markdown"]
    assert scenario(LOCKED).subscription in document.body
    assert document.evidence is not None
    assert document.evidence["findings"][0]["verdict"] == "confirmed"


def test_without_storage_the_message_fails_and_comes_again(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    nowhere = Storage({"AzureWebJobsStorage": connection_string(9, 9, 9)})
    tools = replace(bench.tools, incidents=Incidents(nowhere))
    with pytest.raises(AzureError):
        dispatch.work_on(json.dumps(alert()).encode(), tools)
    assert bench.target.posts == []


def test_the_key_of_an_incident_is_that_of_its_vm_in_its_vault(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    world = bench.azure.azure.worlds[scenario(LOCKED).subscription]
    assert bench.tools.incidents.find(key_of(f"{world.vault_id}/{world.container}".lower())) is not None
