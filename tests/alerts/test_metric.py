"""Metric alerts on a vault's health events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.alerts.samples import VAULT, changed, item_id, one_alert, one_reason, sample, vm_id

BODY, LEGACY = sample("metric"), sample("metric_legacy")
CRITERION = ("data", "alertContext", "condition", "allOf", 0)


def metric(operator: Any = "GreaterThan", name: Any = "BackupHealthEvent", **dimensions: Any) -> Any:
    pairs = [{"name": key, "value": found} for key, found in dimensions.items()]
    body = changed(changed(BODY, *CRITERION, "dimensions", to=pairs), *CRITERION, "operator", to=operator)
    return changed(body, *CRITERION, "metricName", to=name)


def test_an_unhealthy_backup_is_read_with_its_item_and_vm() -> None:
    alert = one_alert(BODY)
    assert (alert.source, alert.rule, alert.severity) == ("metric", "backup-health", "Sev1")
    assert (alert.item_id, alert.item_name, alert.vault_id) == (item_id("vm-erp-16"), "vm-erp-16", VAULT)
    assert (alert.vm_id, alert.workload) == (vm_id("vm-erp-16"), "AzureIaasVM")
    assert (alert.job_id, alert.error_code) == ("", "")


@pytest.mark.parametrize("health", ["Persistent Unhealthy", "PersistentUnhealthy", "Transient Unhealthy", "transientunhealthy",
                                    "Persistent Degraded", "TransientDegraded", "A new word"])  # fmt: skip
def test_any_health_but_healthy_is_a_failure(health: str) -> None:
    assert one_alert(metric(healthStatus=health)).source == "metric"


@pytest.mark.parametrize("health", ["Healthy", "healthy", " HEALTHY "])
def test_healthy_backups_are_ignored(health: str) -> None:
    assert "'backup-health'" in one_reason(metric(healthStatus=health))


def test_too_few_unhealthy_events_are_good_news_and_too_few_healthy_ones_are_not() -> None:
    assert "healthy" in one_reason(metric("LessThan", healthStatus="Persistent Unhealthy"))
    assert one_alert(metric("LessThanOrEqual", healthStatus="Healthy")).fired


def test_without_the_health_dimension_it_is_taken_for_a_failure() -> None:
    assert one_alert(metric()).vault_id == VAULT.lower()
    assert one_alert(metric(healthStatus=None)).item_name == ""
    assert one_alert(metric("LessThan", dataSourceURL=vm_id("vm-erp-16"))).vm_id == vm_id("vm-erp-16")


def test_a_resolved_metric_alert_has_not_fired() -> None:
    assert one_alert(changed(BODY, "data", "essentials", "monitorCondition", to="Resolved")).fired is False


def test_another_metric_is_ignored_by_name() -> None:
    assert "'Percentage CPU'" in one_reason(metric(name="Percentage CPU", healthStatus="Persistent Unhealthy"))


def test_the_health_of_restores_is_about_restores() -> None:
    restore, backup = (one_alert(metric(name=name, healthStatus="x")) for name in ("RestoreHealthEvent", "BackupHealthEvent"))
    assert (restore.operation, backup.operation) == ("restore", "")
    assert "all is healthy" in one_reason(metric(name="RestoreHealthEvent", healthStatus="Healthy"))


def test_a_cpu_alert_is_ignored_by_rule_and_metric() -> None:
    assert (
        one_reason(sample("metric_cpu"))
        == "The metric alert rule 'cpu-high' watches the metric 'Percentage CPU', not failed backups or restores."
    )


def test_a_database_in_a_vm_names_the_vm_but_keeps_its_type() -> None:
    database = f"{vm_id('vm-sql-03')}/providers/Microsoft.RecoveryServices/backupProtectedItem/SQLDataBase;mssqlserver;vendas"
    alert = one_alert(
        metric(healthStatus="x", dataSourceURL=database, dataSourceType="SQLDataBase", backupInstanceName="c;vendas")
    )
    assert (alert.vm_id, alert.workload, alert.item_name) == (vm_id("vm-sql-03"), "SQLDataBase", "vendas")
    assert one_alert(metric(dataSourceURL=database)).workload == ""


def test_without_a_datasource_the_vm_is_taken_from_the_backup_instance() -> None:
    assert one_alert(metric(backupInstanceUrl=item_id("vm-erp-16"))).vm_id == vm_id("vm-erp-16")


def test_a_vm_without_its_item_is_told_by_the_datasource() -> None:
    alert = one_alert(metric(dataSourceURL=vm_id("vm-erp-16")))
    assert (alert.vm_id, alert.item_id, alert.item_name, alert.workload) == (vm_id("vm-erp-16"), "", "vm-erp-16", "AzureIaasVM")


def test_the_legacy_schema_is_read_with_its_own_names() -> None:
    alert = one_alert(LEGACY)
    assert (alert.rule, alert.severity, alert.vault_id) == ("backup-health-legacy", "Sev1", VAULT)
    assert alert.fired_at == datetime(2026, 11, 20, 3, 4, 12, 731004, UTC)
    assert alert.id.endswith("/metricAlerts/backup-health-legacy/2026-11-20T03:04:12.7310042Z")
    assert (alert.vm_id, alert.item_name) == (vm_id("vm-erp-17"), "vm-erp-17")


@pytest.mark.parametrize(("status", "fired"), [("Activated", True), ("Deactivated", False), ("Resolved", False), (None, True)])
def test_a_legacy_alert_tells_by_its_status_whether_it_fired(status: Any, fired: bool) -> None:
    assert one_alert(changed(LEGACY, "data", "status", to=status)).fired is fired


@pytest.mark.parametrize("condition", ["PromQLCriteria", "promqlcriteria"])
def test_a_prometheus_alert_is_no_platform_metric(condition: str) -> None:
    body = changed(
        changed(BODY, "data", "essentials", "monitoringService", to="Prometheus"),
        "data",
        "alertContext",
        "conditionType",
        to=condition,
    )
    assert "'Prometheus'" in one_reason(body)
