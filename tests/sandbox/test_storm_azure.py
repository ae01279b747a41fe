"""The simulated Azure of a storm, read as the app reads it: every VM has its own trouble, and after the recovery none has."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from handlers import alerts
from handlers.azure.arm import Azure
from handlers.diagnosis.catalogue import classify
from handlers.diagnosis.diagnose import diagnose, facts_needed
from handlers.facts import gather
from handlers.facts.jobs import completed_after, find_job, list_jobs, newest_recovery_point
from handlers.facts.vaults import vaults_of
from handlers.model import Alert, Diagnosis, Failure, ResourceId, Verdict
from handlers.settings import Settings
from sandbox.http import serving
from sandbox.storm_alerts import alerts_of, first_alert
from sandbox.storm_azure import StormAzure
from sandbox.storm_world import KINDS, REGIONS, StormWorld

VAULTS, VMS = 4, 60
NOW = datetime.now(UTC)
FOUND = {
    "UserErrorGuestAgentStatusUnavailable": ("agent_unresponsive_windows", Verdict.CONFIRMED),
    "UserErrorRpCollectionLimitReached": ("restore_point_group_locked", Verdict.CONFIRMED),
    "ExtensionSnapshotFailedNoNetwork": ("no_outbound_access", Verdict.POSSIBLE),
    "ExtensionOperationFailedForManagedDisks": ("backup_extension_failed", Verdict.CONFIRMED),
    "GuestAgentSnapshotTaskStatusError": ("shut_down_from_guest", Verdict.POSSIBLE),
}
"""What is wrong with the VMs of each code; two of them were so at the last good backup too, as far as anybody can tell."""


@pytest.fixture
def storm() -> Iterator[tuple[StormWorld, Azure]]:
    world = StormWorld(VAULTS, VMS, NOW)
    world.build_lists()
    server = StormAzure(world)
    server.buckets = None
    with serving(server.respond) as url:
        yield world, Azure(Settings(ticket_url="http://127.0.0.1:1", arm_endpoint=url, logs_endpoint=url))


def alert_of(world: StormWorld, number: int) -> Alert:
    (found,) = alerts.read(first_alert(world.member(number)))
    assert isinstance(found, Alert)
    return found


def looked_at(world: StormWorld, number: int, azure: Azure) -> Diagnosis:
    alert = alert_of(world, number)
    found = find_job(alert, azure)
    failure, error = Failure.of(alert, found.job, NOW), classify(alert, found.job)
    return diagnose(failure, error, gather(facts_needed(failure, error), failure, azure, message=error.message, now=NOW))


def test_what_is_wrong_with_the_vms_of_each_code_is_found(storm: tuple[StormWorld, Azure]) -> None:
    world, azure = storm
    for kind in range(len(KINDS)):
        diagnosis = looked_at(world, kind * VAULTS + 1, azure)
        assert diagnosis.error.code == KINDS[kind].code
        cause, verdict = FOUND[diagnosis.error.code]
        assert diagnosis.verdicts[cause] is verdict


def test_a_lock_covers_only_the_restore_points_of_its_code(storm: tuple[StormWorld, Azure]) -> None:
    world, azure = storm
    locks = azure.list_all(f"/subscriptions/{world.subscriptions[0]}/providers/Microsoft.Authorization/locks", "2020-05-01")
    assert {lock["id"].split("/")[4] for lock in locks} == {f"AzureBackupRG_{region}_2" for region in REGIONS}


def test_a_vault_lists_the_jobs_of_its_vms_in_pages(storm: tuple[StormWorld, Azure]) -> None:
    world, azure = storm
    vault = ResourceId.parse(first_alert(world.member(0))["data"]["essentials"]["alertTargetIDs"][0])
    assert vault is not None
    jobs = list_jobs(vault, NOW - timedelta(days=2), NOW, azure)
    assert Counter(job.status for job in jobs) == {"Failed": VMS // VAULTS, "Completed": VMS // VAULTS}
    assert {job.item_name for job in jobs} == {f"vm-{number:05}" for number in range(0, VMS, VAULTS)}
    assert all(not job.errors and not job.tasks for job in jobs)
    hour = list_jobs(vault, NOW - timedelta(hours=2), NOW, azure, status="Failed")
    assert all(NOW - timedelta(hours=1) <= job.ended_at < NOW for job in hour if job.ended_at)


def test_vaults_are_listed_with_their_regions(storm: tuple[StormWorld, Azure]) -> None:
    world, azure = storm
    regions = [vault.region for subscription in world.subscriptions for vault in vaults_of(subscription, azure).values()]
    assert Counter(regions) == dict.fromkeys(REGIONS, VAULTS // 2)


def test_what_is_not_there_is_a_404(storm: tuple[StormWorld, Azure]) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    world, azure = storm
    vm = alert_of(world, 0).vm_id
    for path in (vm.replace("vm-00000", "vm-99999"), vm.replace("rg-app-00-0", "rg-none")):
        with pytest.raises(ResourceNotFoundError):
            azure.get(path, "2025-04-01")


def test_after_the_recovery_every_vm_has_a_completed_job(storm: tuple[StormWorld, Azure]) -> None:
    world, azure = storm
    world.recover(datetime.now(UTC))
    for number in range(0, VMS, 7):
        alert = alert_of(world, number)
        failure = Failure.of(alert, None, NOW)
        job = completed_after(failure, failure.failed_at, azure)
        assert job is not None
        assert newest_recovery_point(failure, job, azure) is not None
    assert looked_at(world, 0, azure).verdicts["agent_unresponsive_windows"] is not Verdict.CONFIRMED


def test_alerts_come_in_an_order_that_is_always_the_same_and_each_vm_has_one() -> None:
    world = StormWorld(VAULTS, VMS, NOW)
    bodies = alerts_of(world, VMS + 16)
    assert bodies == alerts_of(StormWorld(VAULTS, VMS, NOW), VMS + 16)
    read = [alert for body in bodies for alert in alerts.read(json.loads(body)) if isinstance(alert, Alert)]
    assert len({alert.id for alert in read}) == len(bodies)
    assert Counter(alert.source for alert in read) == {"azure_backup": VMS, "log_search": 16}
    assert len({alert.vm_id.lower() for alert in read}) == VMS
    assert sum(not alert.job_id for alert in read) == 4
    assert {alert.error_code.lower() for alert in read} == {kind.code.lower() for kind in KINDS}
