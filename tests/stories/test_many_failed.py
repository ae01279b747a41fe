"""A storm: one ticket for many that fail alike, its members without one; who is looked at when; how it ends."""

from __future__ import annotations

import copy
from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import sweep
from handlers.model.incident import key_of
from handlers.model.storm import members_of, opened, read
from handlers.tickets.answers import TicketNotPosted
from sandbox.scenario import Scenario
from tests.event_schema import EVENT_SCHEMA
from tests.stories.test_backup_failed import LOCKED, scenario
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
JOBS = "Microsoft.RecoveryServices/vaults/backupJobs"
THRESHOLD = 5
OWN = 3
"""So many are told at once, before anybody knows of a storm."""


def alike(count: int, name: str = LOCKED, *, region: str = "westeurope", mark: str = "") -> tuple[Scenario, ...]:
    """So many VMs with the trouble of a scenario, each in a subscription of its own."""
    model = scenario(name)
    found = []
    for number in range(count):
        data = copy.deepcopy(dict(model.data))
        data["vm"] = dict(data.get("vm") or {}) | {"name": f"vm-{mark}{number:02}", "location": region}
        found.append(replace(model, name=f"{name}_{mark}{region}_{number}", data=data))
    return tuple(found)


def storm_of(bench_of: BenchOf, count: int, **settings: Any) -> tuple[Bench, tuple[Scenario, ...]]:
    failing = alike(count)
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True, **settings)
    return bench, failing


def fire(bench: Bench, failing: tuple[Scenario, ...]) -> None:
    for one in failing:
        bench.fire(one.alert_body(datetime.now(UTC)))
    bench.work()


def recover(bench: Bench, failing: tuple[Scenario, ...]) -> None:
    """A completed backup of each, an hour from now; time goes on for two."""
    for one in failing:
        world = bench.azure.azure.worlds[one.subscription]
        failed = next(body for body in world.of_type(JOBS) if body["name"] == world.job["id"])
        started = datetime.now(UTC) + timedelta(hours=1)
        times = {"startTime": started.isoformat(), "endTime": (started + timedelta(minutes=10)).isoformat()}
        properties = {name: value for name, value in failed["properties"].items() if name != "errorDetails"}
        world._add(
            f"{world.vault_id}/backupJobs/{world.guid('good')}", failed["type"], properties | times | {"status": "Completed"}
        )
    bench.clock.ahead += timedelta(hours=2)


def storms(bench: Bench) -> list[dict[str, Any]]:
    return [event for event in bench.target.events if event["type"].startswith("storm.")]


def test_up_to_the_threshold_each_has_a_ticket_and_there_is_no_storm(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, THRESHOLD)
    fire(bench, failing)
    assert bench.target.types == ["incident.opened"] * OWN, "the others are held"
    bench.wait(46)
    assert bench.target.types == ["incident.opened"] * THRESHOLD
    assert bench.waits == []


def test_beyond_the_threshold_one_ticket_speaks_for_all_and_the_further_ones_have_none(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 8)
    fire(bench, failing)
    bench.run(seconds=50)
    assert bench.target.types == ["incident.opened"] * OWN + ["storm.opened"]
    (event,) = storms(bench)
    EVENT_SCHEMA.validate(event)
    assert event["data"]["storm"]["affected"] == 8
    assert {member["name"] for member in event["data"]["storm"]["members"]} == {f"vm-{number:02}" for number in range(8)}
    assert len([member for member in event["data"]["storm"]["members"] if member["ticket_url"]]) == OWN
    assert event["data"]["error"]["code"] == "UserErrorRpCollectionLimitReached"


def test_the_storms_ticket_names_the_cause_that_its_members_share_and_what_to_do(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 8)
    fire(bench, failing)
    bench.run(seconds=50)
    page = storms(bench)[0]["data"]["runbook"]["markdown"]
    assert "**Cause: A lock prevents the deletion of old restore points.** It is confirmed on all" in page
    assert "az lock delete" in page
    assert "8 backups in westeurope failed with the same error" in page
    for number in range(8):
        assert f"[`vm-{number:02}`](https://portal.azure.com/" in page


def test_other_regions_and_other_codes_are_other_storms(bench_of: BenchOf) -> None:
    failing = alike(3) + alike(3, region="brazilsouth") + alike(3, "disk_33_tib_linux")
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD)
    fire(bench, failing)
    bench.run(seconds=50)
    assert bench.target.types == ["incident.opened"] * 9


def test_the_same_alert_again_makes_no_second_member_and_posts_nothing(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 8)
    fire(bench, failing)
    bench.run(seconds=50)
    fire(bench, failing)
    bench.run(seconds=70)
    assert {event["data"]["storm"]["affected"] for event in storms(bench)} == {8}
    assert bench.target.types.count("incident.opened") == OWN


def test_many_that_join_later_are_one_update(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 12)
    fire(bench, failing[:6])
    bench.run(seconds=50)
    fire(bench, failing[6:])
    bench.wait(70)
    opened, updated = storms(bench)
    assert updated["type"] == "storm.updated"
    assert updated["data"]["storm"]["affected"] == 12
    assert updated["data"]["incident"]["id"] == opened["data"]["incident"]["id"]
    assert updated["data"]["ticket"]["id"].startswith("T-")
    assert len(bench.target.types) == OWN + 2


def test_the_storm_is_resolved_when_its_members_are_and_not_before(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 6)
    fire(bench, failing)
    bench.run(seconds=50)
    recover(bench, failing[:4])
    sweep.sweep(bench.tools)
    bench.work()
    bench.run(seconds=50)
    assert storms(bench)[-1]["type"] == "storm.updated"
    assert storms(bench)[-1]["data"]["storm"]["recovered"] == 4
    recover(bench, failing[4:])
    sweep.sweep(bench.tools)
    bench.work()
    bench.run(seconds=50)
    last = storms(bench)[-1]
    assert (last["type"], last["data"]["incident"]["status"]) == ("storm.resolved", "resolved")
    EVENT_SCHEMA.validate(last)
    assert "All 6 have recovered" in last["data"]["runbook"]["markdown"]
    assert bench.target.types.count("incident.resolved") == OWN
    assert bench.target.types.count("storm.resolved") == 1


def test_a_member_that_fails_again_the_next_night_is_told_on_the_storms_ticket(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 6)
    fire(bench, failing)
    bench.run(seconds=50)
    member = failing[5]
    world = bench.azure.azure.worlds[member.subscription]
    incident = bench.tools.incidents.find(key_of(f"{world.vault_id}/{world.container}".lower()))
    assert incident is not None
    assert incident.storm
    job = next(body for body in world.of_type(JOBS) if body["name"] == world.job["id"])
    later = {part: (datetime.now(UTC) + timedelta(hours=20)).isoformat() for part in ("startTime", "endTime")}
    world._add(f"{world.vault_id}/backupJobs/{world.guid('again')}", job["type"], copy.deepcopy(job["properties"]) | later)
    body = member.alert_body(datetime.now(UTC))
    body["data"]["alertContext"]["extendedInfo"]["jobId"] = world.guid("again")
    bench.clock.ahead += timedelta(hours=20)
    bench.fire(body)
    bench.work()
    bench.wait(70)
    assert bench.target.types == ["incident.opened"] * OWN + ["storm.opened", "storm.updated"]


def test_a_storm_whose_ticket_is_not_taken_is_told_when_the_ticket_system_is_back(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 6)
    fire(bench, failing)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503", retry_after="120")]
    bench.run(seconds=50)
    assert storms(bench) == []
    bench.run(seconds=300)
    assert [event["type"] for event in storms(bench)].count("storm.opened") == 1
    assert len({change for change, _ in bench.target.tries}) == len(bench.target.tries) - 1, "one try was in vain"


def test_who_joins_between_a_lost_answer_and_the_repeat_is_told_by_an_update(bench_of: BenchOf) -> None:
    """The receiver has the change already and does not read the repeat."""
    bench, failing = storm_of(bench_of, 9)
    fire(bench, failing[:6])
    bench.target.lose_answer = True
    bench.run(seconds=50)
    fire(bench, failing[6:])
    for _ in range(4):
        bench.wait(70)
    opened, updated, *_ = storms(bench)
    assert opened["data"]["storm"]["affected"] == 6
    assert updated["data"]["storm"]["affected"] == 9


def test_a_storm_that_nobody_has_joined_yet_has_nothing_to_show() -> None:
    """The host may be killed between the storm's row and its first member."""
    now = datetime.now(UTC)
    storm = opened(None, "westeurope", "X", now)
    assert storm is not None
    assert read(storm, storm.id, members_of(()), None, now) is None


def test_a_storm_whose_next_reading_was_lost_is_woken_by_the_sweep(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 6)
    fire(bench, failing)
    bench.queue.later.clear()
    bench.clock.ahead += timedelta(minutes=20)
    sweep.sweep(bench.tools)
    bench.run(seconds=50)
    assert [event["type"] for event in storms(bench)] == ["storm.opened"]


def test_who_joined_in_the_moment_that_the_storm_ended_gets_a_ticket(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, 6)
    fire(bench, failing)
    bench.run(seconds=50)
    recover(bench, failing)
    sweep.sweep(bench.tools)
    bench.work()
    bench.run(seconds=50)
    assert storms(bench)[-1]["type"] == "storm.resolved"
    key = next(incident.key for incident in bench.tools.incidents.members(storms(bench)[0]["data"]["incident"]["id"]))
    incident = bench.tools.incidents.find(key)
    assert incident is not None
    bench.tools.incidents.save(incident, replace(incident, status="open", resolved_at=None))
    bench.run(seconds=150)
    assert bench.target.types[-1] == "incident.opened"


def test_of_many_only_the_first_are_read_one_by_one_at_once_and_the_rest_in_the_background(bench_of: BenchOf) -> None:
    neighbours = 24
    crowded = replace(scenario("many_neighbours"), data=dict(scenario("many_neighbours").data) | {"neighbours": neighbours})
    bench = bench_of(scenarios=(crowded,), storm_threshold=THRESHOLD, watched=True)
    sweep.sweep(bench.tools, settled=timedelta())
    bench.work()
    views = [call for call in bench.azure.calls() if "instanceview" in call.path.lower()]
    assert len(views) <= OWN
    bench.run(seconds=900)
    members = [incident for incident in bench.open_incidents if incident.storm]
    assert len(members) == neighbours + 1 - OWN
    assert all(member.diagnosed for member in members)


@pytest.mark.parametrize("threshold", [1, 5])
def test_storms_in_both_languages_have_the_same_shape(bench_of: BenchOf, threshold: int) -> None:
    failing = alike(threshold + 2)
    bench = bench_of(scenarios=failing, storm_threshold=threshold, runbook_language="pt-BR")
    fire(bench, failing)
    bench.run(seconds=50)
    bench.run(seconds=120)
    page = storms(bench)[-1]["data"]["runbook"]["markdown"]
    assert "**Causa: Um bloqueio" in page
    assert "## VMs afetadas" in page
