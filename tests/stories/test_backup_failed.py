"""One ticket per incident: duplicates, further failures, a ticket system that is down, answers that are lost, second looks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import AzureError

from handlers import dispatch, last_resort, sweep
from handlers.model.incident import key_of
from handlers.records.incidents import Incidents
from handlers.records.storage import Storage
from handlers.tickets.answers import TicketNotPosted
from sandbox.azurite import connection_string
from sandbox.scenario import Scenario, load_scenarios
from tests.workbench import Bench

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
    assert len(bench.azure.calls()) == 1, "the job, and nothing else"


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


def test_a_ticket_system_that_is_down_gets_its_ticket_once_it_is_back(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503"), TicketNotPosted("TICKET_URL answered 503")]
    bench.fire(alert())
    bench.work()
    assert bench.target.posts == []
    for _ in range(4):
        bench.wait(60)
    assert bench.target.types == ["incident.opened"]


@pytest.mark.parametrize("said", ["1200", "Tue, 01 Jan 2120 00:00:00 GMT"])
def test_retry_after_is_obeyed_and_nobody_else_tries_meanwhile(bench_of: BenchOf, said: str) -> None:
    bench = bench_of(LOCKED, "disk_33_tib_linux")
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 429", retry_after=said)]
    bench.fire(alert())
    bench.work()
    bench.fire(alert("disk_33_tib_linux"))
    bench.work()
    assert len(bench.target.tries) == 1
    assert min(bench.waits) >= 1190
    assert max(bench.waits) <= 6 * 3600


def test_while_the_ticket_system_is_down_nothing_is_read_from_azure(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 429", retry_after="600")]
    bench.fire(alert())
    bench.work()
    bench.azure.reset_calls()
    bench.fire(alert())
    bench.work()
    assert bench.azure.calls() == []


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
    """The host is killed before a change is settled."""

    def settle(self, *_: Any) -> None:
        raise SystemExit("killed")


def test_a_crash_between_posting_and_settling_leads_to_no_second_ticket(bench_of: BenchOf) -> None:
    """The message that the dead host was working on comes again under the same id."""
    bench = bench_of(LOCKED)
    bench.fire(alert())
    (message,) = bench.storage.queue().receive_messages(visibility_timeout=600)
    with pytest.raises(SystemExit):
        dispatch.handle(message.content, replace(bench.tools, incidents=Dying(bench.storage)), message.id)
    dispatch.handle(message.content, bench.tools, message.id)
    assert bench.target.types == ["incident.opened"]
    assert [change for change, _ in bench.target.tries] == [bench.target.posts[0][0]] * 2


def test_a_refusal_for_good_becomes_the_same_ticket_in_plain_words_with_the_answer(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 400: description is too long", permanent=True)]
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
    bench.target.answers = [TicketNotPosted("400 too long", permanent=True), TicketNotPosted("no answer")]
    bench.fire(alert())
    bench.work()
    bench.wait(60)
    assert bench.target.types == ["incident.opened"]
    assert len({change for change, _ in bench.target.tries}) == 1


def test_a_plain_ticket_that_is_not_taken_now_is_tried_again_soon(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("400 too long", permanent=True), TicketNotPosted("503")]
    bench.fire(alert())
    bench.work()
    bench.wait(10)
    assert bench.target.types == ["incident.opened"], "its claim was let go"


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


def test_an_alert_that_was_given_up_has_one_ticket_and_its_incident_waits_for_no_other(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503", retry_after="30")]
    bench.work()
    bench.queue.later.clear()
    bench.clock.ahead += timedelta(minutes=1)
    last_resort.handle(json.dumps(alert()).encode(), bench.tools)
    bench.clock.ahead += timedelta(hours=1)
    sweep.handle(bench.tools)
    bench.work()
    assert bench.target.types == ["alert.unreadable"]


def test_what_not_even_a_plain_ticket_is_taken_for_is_kept(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("400", permanent=True), TicketNotPosted("400 again", permanent=True)]
    bench.fire(alert())
    bench.work()
    assert [(why, scenario(LOCKED).subscription in body.decode()) for _, body, why in bench.queue.unposted()] == [
        ("400 again", True)
    ]


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
    (incident,) = bench.tools.incidents.open_ones()
    record = bench.tools.documents.newest(incident)
    assert record is not None
    assert record["runbook"]["markdown"] == bench.target.events[0]["data"]["runbook"]["markdown"]
    assert record["posted"]["ticket_id"] == incident.ticket_id
    assert scenario(LOCKED).subscription in record["body"]


def test_without_storage_the_message_fails_and_comes_again(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    nowhere = Storage({"AzureWebJobsStorage": connection_string(9, 9, 9)})
    tools = replace(bench.tools, incidents=Incidents(nowhere))
    with pytest.raises(AzureError):
        dispatch.handle(json.dumps(alert()).encode(), tools)
    assert bench.target.posts == []


def test_the_key_of_an_incident_is_that_of_its_vm_in_its_vault(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    world = bench.azure.azure.worlds[scenario(LOCKED).subscription]
    assert bench.tools.incidents.find(key_of(f"{world.vault_id}/{world.container}".lower())) is not None
