"""Incidents: one per protected item, whoever asks and how often; claims that end; the row that only one can write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.model import Alert, Busy, Failure, Incident, Job, Nothing, Verdict
from handlers.model.incident import (
    CLAIM,
    OPENED,
    REOPENED,
    RESOLVED,
    UPDATED,
    begin,
    recovering,
    released,
    settled,
)
from handlers.records.incidents import Incidents
from handlers.records.rows import Changed
from handlers.records.storage import Storage

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
VAULT = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.RecoveryServices/vaults/rsv"
ITEM = f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/protectedItems/VM;iaasvmcontainerv2;rg;vm"
VM = "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"


def failure(job: str = "job-1", hours: float = 0, **alert: Any) -> Failure:
    at = NOW + timedelta(hours=hours)
    told = Alert("azure_backup", fired_at=at, job_id=job, **({"item_id": ITEM, "vm_id": VM} | alert))
    return Failure.of(told, Job(job, started_at=at - timedelta(minutes=30), ended_at=at) if job else None, at)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def begun(found: Incident | None, what: Failure, hours: float = 0, holder: str = "m1") -> Incident:
    incident = begin(found, what, "UserErrorX", holder, at(hours))
    assert isinstance(incident, Incident)
    return incident


def opened() -> Incident:
    return settled(begun(None, failure()), "T-1", "https://t/1")


def resolved(hours: float = 24) -> Incident:
    proof = Job("good", "Completed", started_at=at(hours - 1), ended_at=at(hours))
    incident = recovering(opened(), proof, "sweep", at(hours))
    assert isinstance(incident, Incident)
    return settled(incident, "", "")


def test_the_first_failure_opens_an_incident_with_a_change_to_post() -> None:
    incident = begun(None, failure())
    assert (incident.pending, incident.status, incident.failures, incident.change) == (OPENED, "open", 1, 1)
    assert incident.change_id == f"{incident.id}.1.opened"


def test_another_alert_of_the_same_job_changes_nothing() -> None:
    assert isinstance(begin(opened(), failure(), "UserErrorX", "m2", at(1)), Nothing)


@pytest.mark.parametrize(
    "other",
    [
        failure("", hours=0.8),
        failure("JOB-1", hours=1),
        failure("", hours=0.2, item_id="", vault_id=VAULT),
    ],
    ids=["a metric alert without a job", "the id in other case", "an alert that names the VM and the vault only"],
)
def test_the_same_failure_through_another_source_is_one_failure(other: Failure) -> None:
    incident = opened()
    assert begun(None, other).key == incident.key
    assert isinstance(begin(incident, other, "UserErrorX", "m2", at(1)), Nothing)


def test_a_job_id_of_the_log_that_differs_is_the_same_job_when_it_started_at_the_same_time() -> None:
    assert isinstance(begin(opened(), failure("log-id-of-job-1"), "UserErrorX", "m2", at(0.5)), Nothing)


def test_another_failed_job_is_an_update_with_the_count() -> None:
    incident = begun(opened(), failure("job-2", hours=24), 24)
    assert (incident.pending, incident.failures, incident.change_id[-9:]) == (UPDATED, 2, "2.updated")
    assert (incident.first_failed_at, incident.last_failed_at) == (at(0), at(24))
    assert incident.ticket_id == "T-1"


def test_a_second_worker_waits_until_the_claim_of_the_first_ends_and_then_takes_over() -> None:
    first = begun(None, failure(), holder="m1")
    busy = begin(first, failure(), "UserErrorX", "m2", at(0))
    assert isinstance(busy, Busy)
    assert busy.until == NOW + CLAIM
    taken = begun(first, failure(), 0.1, holder="m2")
    assert taken.change_id == first.change_id, "the target must recognise the repeat"


def test_the_same_message_takes_over_at_once_after_its_host_was_killed() -> None:
    first = begun(None, failure(), holder="m1")
    assert begun(first, failure(), 0, holder="m1").change_id == first.change_id


def test_a_change_that_could_not_be_posted_is_free_at_once() -> None:
    assert begun(released(begun(None, failure())), failure(), holder="m2").pending == OPENED


def test_a_failure_that_comes_while_the_ticket_is_perhaps_posted_waits_for_it() -> None:
    """In a repeat of the same change a receiver that has it already would not read of a second failure."""
    waiting = begin(released(begun(None, failure())), failure("job-2", hours=24), "UserErrorX", "m2", at(24))
    assert isinstance(waiting, Busy)


def test_a_failure_within_a_day_of_the_recovery_reopens_the_ticket() -> None:
    incident = begun(resolved(24), failure("job-3", hours=30), 30)
    assert (incident.pending, incident.status, incident.ticket_id, incident.id) == (REOPENED, "open", "T-1", opened().id)


def test_a_failure_more_than_a_day_after_the_recovery_is_a_new_incident_with_a_new_ticket() -> None:
    incident = begun(resolved(24), failure("job-9", hours=72), 72)
    assert (incident.pending, incident.failures, incident.ticket_id) == (OPENED, 1, "")
    assert incident.id != opened().id
    assert incident.key == opened().key


def test_a_late_alert_about_a_failure_before_the_recovery_posts_nothing() -> None:
    assert isinstance(begin(resolved(24), failure("job-0", hours=20), "UserErrorX", "m", at(25)), Nothing)


def test_a_ticket_that_is_not_posted_yet_is_not_resolved() -> None:
    pending = released(begun(None, failure()))
    assert isinstance(recovering(pending, Job("good"), "sweep", at(24)), Busy)


def test_a_failure_while_the_resolution_waits_to_be_posted_reopens() -> None:
    waiting = recovering(opened(), Job("good", ended_at=at(24)), "sweep", at(24))
    assert isinstance(waiting, Incident)
    assert waiting.pending == RESOLVED
    assert begun(waiting, failure("job-3", hours=48), 48).pending == REOPENED
    assert isinstance(begin(waiting, failure(), "UserErrorX", "m", at(48)), Nothing)


def test_only_the_newest_failures_are_kept_and_all_are_counted() -> None:
    incident = opened()
    for day in range(1, 40):
        incident = settled(begun(incident, failure(f"night-{day}", hours=24 * day), 24 * day), "", "")
    assert (incident.failures, len(incident.known), incident.last_job_id) == (40, 20, "night-39")


# ------------------------------------------------------------------------------------------------ table storage


@pytest.fixture
def incidents(azurite: str) -> Incidents:
    return Incidents(Storage({"AzureWebJobsStorage": azurite}))


@pytest.fixture
def fresh() -> Callable[[], Incident]:
    """A new incident of a VM of its own."""
    from uuid import uuid4

    def make() -> Incident:
        name = uuid4().hex
        return begun(None, failure(item_id=ITEM.replace(";vm", f";{name}"), vm_id=VM.replace("/vm", f"/{name}")))

    return make


def test_a_row_comes_back_as_it_was_written(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    incident = replace(fresh(), verdicts={"disk_too_large": Verdict.CONFIRMED}, item_name='dc\'01 "ü"')
    written = incidents.save(incident)
    assert incidents.find(incident.key) == written
    assert replace(written, etag="") == incident


def test_of_two_that_open_the_same_incident_one_wins(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    incident = fresh()
    incidents.save(incident)
    with pytest.raises(Changed):
        incidents.save(incident)


def test_of_two_that_change_the_same_row_one_wins(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    first = incidents.save(fresh())
    incidents.save(settled(first, "T-1", ""))
    with pytest.raises(Changed):
        incidents.save(settled(first, "T-2", ""))


def test_an_incident_that_nobody_knows_is_none(incidents: Incidents) -> None:
    assert incidents.find("0" * 32) is None


def test_open_ones_and_those_with_something_to_post_are_found(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    open_one = incidents.save(settled(fresh(), "T", ""))
    waiting = incidents.save(replace(fresh(), status="resolved"))
    closed = incidents.save(replace(settled(fresh(), "T", ""), status="resolved", resolved_at=NOW))
    keys = {incident.key for incident in incidents.open_ones()}
    assert {open_one.key, waiting.key} <= keys
    assert closed.key not in keys


def test_closed_rows_do_not_stay_for_ever(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    old = incidents.save(replace(settled(fresh(), "T", ""), status="resolved", resolved_at=NOW - timedelta(days=100)))
    young = incidents.save(replace(settled(fresh(), "T", ""), status="resolved", resolved_at=NOW))
    assert incidents.forget_closed(NOW - timedelta(days=90)) >= 1
    assert incidents.find(old.key) is None
    assert incidents.find(young.key) == young
