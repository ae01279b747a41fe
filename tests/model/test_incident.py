"""Incidents: one per protected item, whoever reports a failure and how often; when it ends, reopens, or is another one."""

from __future__ import annotations

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.model import Alert, Failure, Incident, Job, PastIncident, Verdict
from handlers.model.delivery import DEFAULT_TARGET, showing
from handlers.model.incident import failed, gone, joined, left, recovered, reread

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
VAULT = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.RecoveryServices/vaults/rsv"
ITEM = f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/protectedItems/VM;iaasvmcontainerv2;rg;vm"
VM = "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"


def failure(job: str = "job-1", hours: float = 0, **alert: Any) -> Failure:
    at = NOW + timedelta(hours=hours)
    sent = Alert("azure_backup", fired_at=at, job_id=job, **({"item_id": ITEM, "vm_id": VM} | alert))
    return Failure.of(sent, Job(job, started_at=at - timedelta(minutes=30), ended_at=at) if job else None, at)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def after(incident: Incident | None, what: Failure, hours: float = 0) -> Incident:
    changed = failed(incident, what, "UserErrorX", at(hours), region="westeurope")
    assert changed is not None
    return changed


def shown(incident: Incident) -> Incident:
    """The incident with a ticket that shows its newest version."""
    delivery = incident.delivery
    return replace(incident, delivery=showing(delivery, DEFAULT_TARGET, delivery.version, incident.status, "T-1", "https://t/1"))


def good_job(hours: float) -> Job:
    return Job("good", "Completed", started_at=at(hours - 1), ended_at=at(hours))


def opened() -> Incident:
    return shown(after(None, failure()))


def resolved(hours: float = 24) -> Incident:
    incident = recovered(opened(), good_job(hours), at(hours))
    assert incident is not None
    return shown(incident)


def test_the_first_failure_opens_an_incident_with_a_version_to_show() -> None:
    incident = after(None, failure())
    assert (incident.status, incident.failures, incident.delivery.version) == ("open", 1, 1)
    assert incident.needs_post


def test_another_alert_of_the_same_job_changes_nothing() -> None:
    assert failed(opened(), failure(), "UserErrorX", at(1)) is None


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
    assert after(None, other).key == opened().key
    assert failed(opened(), other, "UserErrorX", at(1)) is None


def test_a_job_id_of_the_log_that_differs_is_the_same_job_when_it_started_at_the_same_time() -> None:
    assert failed(opened(), failure("log-id-of-job-1"), "UserErrorX", at(0.5)) is None


def test_another_failed_job_raises_the_count_and_the_version() -> None:
    incident = after(opened(), failure("job-2", hours=24), 24)
    assert (incident.failures, incident.delivery.version, incident.delivery.ticket.ticket_id) == (2, 2, "T-1")
    assert (incident.first_failed_at, incident.last_failed_at) == (at(0), at(24))


def test_a_failure_within_a_day_of_the_recovery_reopens_the_incident() -> None:
    incident = after(resolved(24), failure("job-3", hours=30), 30)
    assert (incident.status, incident.id, incident.delivery.version) == ("open", opened().id, 3)


def test_a_failure_more_than_a_day_after_the_recovery_is_a_new_incident_with_a_new_ticket() -> None:
    incident = after(resolved(24), failure("job-9", hours=72), 72)
    assert (incident.failures, incident.delivery.version, incident.delivery.ticket.ticket_id) == (1, 1, "")
    assert incident.id != opened().id
    assert incident.key == opened().key


def test_a_new_incident_remembers_those_before_it_and_the_last_one_with_the_same_error() -> None:
    first = replace(resolved(24), verdicts={"x": Verdict.POSSIBLE, "disk_too_large": Verdict.CONFIRMED})
    second = after(first, failure("job-9", hours=72), 72)
    past = PastIncident(first.id, "UserErrorX", at(0), "disk_too_large", "T-1", "https://t/1")
    assert (second.past, second.same_before) == ((past,), past)
    other = failed(first, failure("job-9", hours=72), "UserErrorY", at(72))
    assert other is not None
    assert (other.past, other.same_before) == ((past,), None)


def test_only_the_newest_past_incidents_are_remembered() -> None:
    incident = opened()
    for day in range(3, 30, 3):
        ended = recovered(incident, good_job(24 * day - 48), at(24 * day - 48))
        assert ended is not None
        incident = shown(after(shown(ended), failure(f"job-{day}", hours=24 * day), 24 * day))
    assert [past.failed_at for past in incident.past] == [at(24 * day) for day in (24, 21, 18, 15, 12)]


def test_an_incident_whose_end_is_not_shown_yet_is_reopened_however_late() -> None:
    unshown = recovered(opened(), good_job(24), at(24))
    incident = after(unshown, failure("job-9", hours=72), 72)
    assert (incident.id, incident.status) == (opened().id, "open")


def test_a_late_alert_about_a_failure_before_the_recovery_changes_nothing() -> None:
    assert failed(resolved(24), failure("job-0", hours=20), "UserErrorX", at(25)) is None


def test_only_a_completed_backup_that_started_after_the_failure_ends_an_incident() -> None:
    assert recovered(opened(), good_job(0.5), at(1)) is None
    assert recovered(opened(), replace(good_job(24), status="Failed"), at(24)) is None
    incident = recovered(opened(), good_job(24), at(24))
    assert incident is not None
    assert (incident.status, incident.recovery_job_id, incident.delivery.version) == ("resolved", "good", 2)
    assert recovered(incident, good_job(25), at(25)) is None


def test_an_incident_that_failed_again_meanwhile_is_not_taken_for_gone() -> None:
    twice = after(opened(), failure("job-2", hours=24), 24)
    assert gone(twice, 1, at(25)) is None
    ended = gone(twice, 2, at(25))
    assert ended is not None
    assert (ended.status, ended.recovery_job_id) == ("resolved", "")


def test_a_second_reading_raises_the_version_of_the_same_failure_only() -> None:
    again = reread(opened(), 1, at(1))
    assert again is not None
    assert (again.delivery.version, again.failures) == (2, 1)
    assert reread(opened(), 2, at(1)) is None
    assert reread(resolved(), 1, at(25)) is None


def test_an_incident_without_a_ticket_joins_a_storm_and_one_with_a_ticket_keeps_it() -> None:
    member = joined(after(None, failure()), "storm-1")
    assert member is not None
    assert not member.needs_post
    assert joined(opened(), "storm-1") is None
    assert joined(member, "storm-2") is None


def test_a_member_of_a_storm_that_has_ended_needs_a_ticket_of_its_own() -> None:
    member = joined(after(None, failure()), "storm-1")
    free = left(member, "storm-1", at(1))
    assert free is not None
    assert free.needs_post
    assert left(free, "storm-1", at(1)) is None


def test_a_new_incident_where_a_storm_rages_is_its_member_at_once() -> None:
    member = failed(None, failure(), "UserErrorX", at(0), region="westeurope", storm="storm-1")
    assert member is not None
    assert (member.storm, member.needs_post) == ("storm-1", False)


def test_only_the_newest_failures_are_kept_and_all_are_counted() -> None:
    incident = opened()
    for day in range(1, 40):
        incident = shown(after(incident, failure(f"night-{day}", hours=24 * day), 24 * day))
    assert (incident.failures, len(incident.known), incident.last_job_id) == (40, 20, "night-39")
