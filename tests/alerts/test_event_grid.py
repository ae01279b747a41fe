"""Events of Event Grid, in its own envelope and in that of CloudEvents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.alerts import read
from handlers.model import Alert
from tests.alerts.samples import VAULT, changed, item_id, one_alert, one_reason, sample, vm_id

(EVENT,) = sample("event_grid")
CLOUD = sample("cloud_events")


@pytest.mark.parametrize("body", [EVENT, CLOUD], ids=["event-grid", "cloud-events"])
def test_a_failed_backup_request_is_read_from_both_envelopes(body: Any) -> None:
    alert = one_alert(body)
    assert (alert.source, alert.id, alert.fired) == ("event_grid", body["id"], True)
    assert alert.fired_at == datetime(2026, 11, 20, 15, 11, 9, 845220, UTC)
    assert alert.rule == "Microsoft.Resources.ResourceActionFailure"
    assert (alert.item_id, alert.item_name, alert.vault_id) == (item_id("vm-erp-20"), "vm-erp-20", VAULT)
    assert (alert.vm_id, alert.workload) == (vm_id("vm-erp-20"), "AzureIaasVM")
    assert (alert.job_id, alert.error_code, alert.severity) == ("", "", "")


def test_events_come_in_arrays() -> None:
    assert [type(alert) for alert in read([EVENT, CLOUD, EVENT])] == [Alert] * 3


@pytest.mark.parametrize("lost", ["status", "resourceUri", "authorization", "httpRequest"])
def test_the_envelope_tells_what_the_data_leave_out(lost: str) -> None:
    assert one_alert(changed(EVENT, "data", lost, to=None)) == one_alert(EVENT)


@pytest.mark.parametrize("kind", ["ResourceActionSuccess", "ResourceActionCancel", "ResourceWriteFailure"])
def test_a_request_that_did_not_fail_is_ignored_by_its_operation(kind: str) -> None:
    reason = one_reason(changed(EVENT, "eventType", to=f"Microsoft.Resources.{kind}"))
    assert kind in reason
    assert "'Microsoft.RecoveryServices/vaults" in reason


def test_another_failed_request_is_ignored_by_its_operation() -> None:
    restart = "Microsoft.Compute/virtualMachines/restart/action"
    assert f"'{restart}'" in one_reason(changed(EVENT, "data", "operationName", to=restart))


@pytest.mark.parametrize("kind", [
    "Microsoft.Web.BackupOperationFailed",
    "Microsoft.EventGrid.SubscriptionDeletedEvent",
    "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged",
    "Contoso.Anything",
])  # fmt: skip
def test_another_event_is_ignored_by_its_type(kind: str) -> None:
    assert f"'{kind}'" in one_reason(changed(sample("event_grid_availability"), "eventType", to=kind))
    assert f"'{kind}'" in one_reason(changed(changed(CLOUD, "type", to=kind), "data", to=None))


def test_a_handshake_that_reaches_the_reader_is_ignored() -> None:
    assert "SubscriptionValidationEvent" in one_reason(sample("event_grid_validation"))
    assert "SubscriptionValidation" in one_reason({"validationResponse": "x"})


def test_an_alert_on_a_topic_of_ones_own_is_read_like_the_alert_itself() -> None:
    assert one_alert(sample("cloud_events_alert")) == one_alert(sample("azure_backup_vm"))
    for name in ("log_search_v1", "metric_legacy", "activity_log", "azure_backup_restore"):
        assert read(changed(CLOUD, "data", to=sample(name))) == read(sample(name))
        assert read(changed(EVENT, "data", to=sample(name))) == read(sample(name))


@pytest.mark.parametrize("data", [None, [], "x", 7, {}])
def test_a_failure_without_its_data_is_ignored_as_no_backup_request(data: Any) -> None:
    assert "without a name" in one_reason(changed(EVENT, "data", to=data))
