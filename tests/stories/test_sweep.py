"""The sweep: what no alert told is found, what recovered is resolved, a vault that cannot be read is reported once."""

from __future__ import annotations

import copy
import json
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import sweep
from handlers.model.refusal import RefusalKind
from handlers.tickets.answers import TicketNotPosted
from sandbox.azure.world import FullWorld
from tests.stories.test_backup_failed import LOCKED, alert, scenario
from tests.workbench import Bench

CONFIGURATION = RefusalKind.CONFIGURATION
BenchOf = Callable[..., Bench]
JOBS = "Microsoft.RecoveryServices/vaults/backupJobs"
RULES = "Microsoft.AlertsManagement/actionRules"
NOW = timedelta()


def world_of(bench: Bench, name: str = LOCKED) -> FullWorld:
    return bench.azure.azure.worlds[scenario(name).subscription]


def add_job(bench: Bench, status: str, hours: float, name: str = LOCKED, **more: Any) -> str:
    """Another job of the scenario's VM, which started so many hours from now and took ten minutes; its id."""
    world = world_of(bench, name)
    failed = next(body for body in world.of_type(JOBS) if body["name"] == world.job["id"])
    job_id = world.guid(f"job/{status}/{hours}")
    started = datetime.now(UTC) + timedelta(hours=hours)
    times = {"startTime": started.isoformat(), "endTime": (started + timedelta(minutes=10)).isoformat()}
    properties = {key: value for key, value in failed["properties"].items() if status == "Failed" or key != "errorDetails"}
    world._add(f"{world.vault_id}/backupJobs/{job_id}", failed["type"], properties | times | {"status": status} | more)
    return job_id


def swept(bench: Bench) -> Counter[str]:
    found = sweep.sweep(bench.tools, settled=NOW)
    bench.work()
    return found


def test_a_failed_job_that_nobody_alerted_on_becomes_a_ticket(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    assert swept(bench)["failed"] == 1
    (event,) = bench.target.events
    assert event["data"]["error"]["code"] == "UserErrorRpCollectionLimitReached"
    assert event["data"]["vm"]["name"] == world_of(bench).vm["name"]


def test_a_failed_job_whose_alert_a_processing_rule_mutes_is_left_alone(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    world = world_of(bench)
    scopes = [f"/subscriptions/{scenario(LOCKED).subscription}"]
    rule = {"scopes": scopes, "actions": [{"actionType": "RemoveAllActionGroups"}], "enabled": True}
    rule_id = f"{scopes[0]}/resourceGroups/{world.vault_id.split('/')[4]}/providers/{RULES}/maintenance"
    world._add(rule_id, RULES, rule)
    assert swept(bench)["failed"] == 0
    assert bench.target.types == []


def test_rules_that_cannot_be_read_hide_nothing(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    bench.azure.add_fault(match="GET */Microsoft.AlertsManagement/actionRules*", status=403)
    assert swept(bench)["failed"] == 1


def test_a_failure_with_an_incident_is_left_alone(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    bench.fire(alert())
    bench.work()
    assert swept(bench)["failed"] == 0
    assert bench.target.types == ["incident.opened"]


def test_the_alert_that_comes_after_the_sweep_is_the_same_failure(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    swept(bench)
    bench.fire(alert())
    bench.work()
    assert bench.target.types == ["incident.opened"]


def test_a_failed_job_is_queued_once_however_often_the_sweep_runs(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    assert [swept(bench)["failed"] for _ in range(3)] == [1, 0, 0]


def test_a_failure_that_a_later_backup_has_mended_needs_nobody(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    add_job(bench, "Completed", -0.01)
    assert swept(bench)["failed"] == 0


def test_a_job_that_failed_a_moment_ago_is_left_to_its_alert(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    assert sweep.sweep(bench.tools, settled=timedelta(days=1))["failed"] == 0


def test_only_watched_subscriptions_are_searched(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    found = swept(bench)
    assert (found["vaults"], found["failed"]) == (0, 0)
    assert bench.azure.calls() == []


@pytest.mark.parametrize("status", ["Completed", "CompletedWithWarnings"])
def test_a_completed_backup_after_the_failure_resolves_the_ticket(bench_of: BenchOf, status: str) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    job_id = add_job(bench, status, 1)
    bench.clock.ahead = timedelta(hours=2)
    assert swept(bench)["recovered"] == 1
    resolved = bench.target.events[-1]
    assert resolved["type"] == "incident.resolved"
    assert resolved["data"]["incident"]["status"] == "resolved"
    assert resolved["data"]["ticket"]["id"] == f"T-{resolved['data']['incident']['id'][:6]}"
    assert job_id in resolved["data"]["runbook"]["markdown"]
    assert swept(bench)["recovered"] == 0


def test_the_newer_recovery_point_is_quoted(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", 0)
    world, at = world_of(bench), datetime.now(UTC) + timedelta(minutes=5)
    point = {"objectType": "IaasVMRecoveryPoint", "recoveryPointTime": at.isoformat(), "recoveryPointType": "AppConsistent"}
    world._add(f"{world.item_id}/recoveryPoints/{world.guid('point')}",
               "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints", point)  # fmt: skip
    bench.clock.ahead = timedelta(hours=2)
    swept(bench)
    assert f"recovery point was created on {at:%Y-%m-%d %H:%M} UTC" in bench.target.events[-1]["data"]["runbook"]["markdown"]


def test_a_completed_backup_before_the_failure_proves_nothing(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", -30)
    assert swept(bench)["recovered"] == 0


def test_a_failure_within_a_day_of_the_recovery_reopens_the_same_ticket(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, watched=True)
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", 1)
    bench.clock.ahead = timedelta(hours=2)
    swept(bench)
    add_job(bench, "Failed", 3)
    bench.clock.ahead = timedelta(hours=4)
    swept(bench)
    assert bench.target.types == ["incident.opened", "incident.resolved", "incident.reopened"]
    assert len({event["data"]["incident"]["id"] for event in bench.target.events}) == 1
    assert "had recovered and is open again" in bench.target.events[-1]["data"]["note"]["markdown"]


def test_a_resolution_that_the_ticket_system_does_not_take_is_posted_when_it_does(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", 1)
    bench.clock.ahead = timedelta(hours=2)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503", retry_after="60")]
    assert swept(bench)["recovered"] == 1
    assert bench.target.types == ["incident.opened"]
    bench.run(seconds=120)
    assert swept(bench)["recovered"] == 0, "it is recorded already"
    assert bench.target.types == ["incident.opened", "incident.resolved"]
    assert len({change for change, _ in bench.target.tries[1:]}) == 1


def test_a_failure_and_its_recovery_while_the_ticket_system_is_down_are_both_told(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 429", retry_after="7300", maybe_taken=False)]
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", 1)
    bench.clock.ahead = timedelta(hours=2)
    assert swept(bench)["recovered"] == 1
    bench.run(seconds=3600)
    assert bench.target.types == ["incident.opened", "incident.resolved"]
    resolved = bench.target.events[-1]["data"]
    assert resolved["error"]["code"] == "UserErrorRpCollectionLimitReached", "what was known of the failure stays"
    assert resolved["findings"][0]["verdict"] == "confirmed"


def test_an_incident_whose_item_is_no_longer_protected_ends_with_a_last_word(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    world = world_of(bench)
    for key in [key for key in world.resources if "/protecteditems/" in key]:
        del world.resources[key]
    bench.clock.ahead = timedelta(hours=47)
    swept(bench)
    assert bench.target.types == ["incident.opened"], "it may still be quiet for another reason"
    bench.clock.ahead = timedelta(hours=72)
    swept(bench)
    assert bench.target.types == ["incident.opened", "incident.resolved"]
    assert "is no longer protected" in bench.target.events[-1]["data"]["runbook"]["markdown"]


@pytest.mark.parametrize("status", [403, 429, 500])
def test_an_item_that_cannot_be_read_is_not_taken_for_gone(bench_of: BenchOf, status: int) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    bench.azure.add_fault(match="GET */protectedItems/*", status=status)
    bench.clock.ahead = timedelta(hours=72)
    swept(bench)
    assert bench.target.types == ["incident.opened"]


def test_a_vault_that_answers_403_is_reported_once(bench_of: BenchOf, caplog: pytest.LogCaptureFixture) -> None:
    bench = bench_of(LOCKED, watched=True)
    bench.azure.add_fault(match="GET */backupJobs*", status=403)
    caplog.set_level(logging.INFO, "handlers")
    for _ in range(3):
        swept(bench)
    assert caplog.text.count("vault unread") == 1
    bench.azure.azure.faults.clear()
    assert swept(bench)["failed"] == 1, "what failed meanwhile is not lost"


def test_a_subscription_whose_vaults_cannot_be_listed_is_reported_once(
    bench_of: BenchOf, caplog: pytest.LogCaptureFixture
) -> None:
    bench = bench_of(LOCKED, watched=True)
    bench.azure.add_fault(match="GET *Microsoft.RecoveryServices/vaults?*", status=403)
    caplog.set_level(logging.INFO, "handlers")
    for _ in range(3):
        swept(bench)
    assert caplog.text.count("vault unread") == 1


def test_jobs_come_in_pages_and_none_is_missed(bench_of: BenchOf) -> None:
    bench = bench_of("many_neighbours", watched=True)
    neighbours = int(scenario("many_neighbours").data["neighbours"])
    assert sweep.sweep(bench.tools, settled=NOW)["failed"] == neighbours + 1
    listed = [call for call in bench.azure.calls() if "backupjobs?" in call.path.lower()]
    assert len(listed) > neighbours / bench.azure.azure.page_size


def test_with_a_workspace_the_jobs_come_from_log_analytics_and_the_job_api_fills_the_gaps(bench_of: BenchOf) -> None:
    workspace = "00000000-0000-4000-8000-00000000a0a1"
    bench = bench_of(LOCKED, "disk_33_tib_linux", watched=True, log_analytics_workspace_id=workspace)
    world = world_of(bench)
    started = datetime.now(UTC) - timedelta(hours=3)
    world.logs["AddonAzureBackupJobs"] = [
        {
            "TimeGenerated": started.isoformat(), "ResourceId": world.vault_id, "JobUniqueId": world.guid("in-the-log"),
            "JobOperation": "Backup", "JobStatus": "Failed", "JobFailureCode": "UserErrorKeyVaultPermissionsNotConfigured",
            "JobStartDateTime": started.isoformat(), "JobDurationInSecs": 600, "AdHocOrScheduledJob": "Scheduled",
            "BackupItemUniqueId": f"westeurope;1;vm;{world.container}",
        }
    ]  # fmt: skip
    found = sweep.sweep(bench.tools, settled=NOW)
    listed = [call.path for call in bench.azure.calls() if "backupjobs?" in call.path.lower()]
    assert all(world.subscription not in path or "status" in path for path in listed), "the logged vault's jobs are not listed"
    bench.work()
    assert found["failed"] == 2
    codes = {event["data"]["error"]["code"] for event in bench.target.events}
    assert codes == {"UserErrorKeyVaultPermissionsNotConfigured", "UserErrorUnsupportedDiskSize"}


def test_what_was_kept_because_nobody_took_it_is_posted_by_the_sweep(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.queue.keep_unposted(b'{"mark": "kept-alert"}', "TICKET_URL answered 400")
    swept(bench)
    (event,) = bench.target.events
    assert event["type"] == "alert.unreadable"
    assert "kept-alert" in event["data"]["runbook"]["markdown"]
    assert "TICKET_URL answered 400" in event["data"]["runbook"]["markdown"]
    assert list(bench.queue.unposted()) == []


def test_a_version_whose_reminder_was_lost_is_posted_by_the_sweep(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503", retry_after="30")]
    bench.work()
    bench.queue.later.clear()
    bench.clock.ahead = timedelta(minutes=10)
    swept(bench)
    assert bench.target.types == [], "its reminder may still come"
    bench.clock.ahead = timedelta(hours=1)
    swept(bench)
    assert bench.target.types == ["incident.opened"]


def test_of_five_kept_alerts_one_that_is_refused_keeps_none_of_the_others(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    for number in range(5):
        bench.queue.keep_unposted(json.dumps({"mark": f"kept-{number}"}).encode(), "400")
    bench.target.answers = [
        TicketNotPosted("400", kind=CONFIGURATION, permanent=True),
        TicketNotPosted("400", kind=CONFIGURATION, permanent=True),
    ]
    swept(bench)
    assert len(bench.target.types) == 4
    assert list(bench.queue.unposted()) == []
    bench.run(seconds=60)
    assert len(bench.target.types) == 5


def test_the_row_of_an_incident_that_was_closed_long_ago_is_deleted(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", 1)
    bench.clock.ahead = timedelta(hours=2)
    swept(bench)
    bench.clock.ahead = timedelta(days=92)
    swept(bench)
    assert [row for row in bench.storage.table().list_entities() if row["PartitionKey"] == "incident"] == []


def test_a_ticket_that_a_person_closed_is_not_touched_by_the_same_failure(bench_of: BenchOf) -> None:
    """The app posts nothing for a failure it knows, so whatever a person did with the ticket stays."""
    bench = bench_of(LOCKED, watched=True)
    bench.fire(alert())
    bench.work()
    bench.fire(copy.deepcopy(alert()))
    swept(bench)
    assert len(bench.target.tries) == 1
