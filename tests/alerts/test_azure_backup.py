"""Azure Backup's built-in alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.model import Failure, ResourceId
from tests.alerts.samples import SUBSCRIPTION, VAULT, changed, item_id, one_alert, one_reason, sample, vm_id

BODY = sample("azure_backup_vm")
LINK = ("data", "alertContext", "extendedInfo", "recommendedActions")


def context(name: str, to: Any, body: Any = BODY) -> Any:
    return changed(body, "data", "alertContext", name, to=to)


def essentials(name: str, to: Any, body: Any = BODY) -> Any:
    return changed(body, "data", "essentials", name, to=to)


def test_a_failed_backup_is_read_with_everything_that_it_tells() -> None:
    alert = one_alert(BODY)
    assert alert.source == "azure_backup"
    assert alert.id == BODY["data"]["essentials"]["alertId"]
    assert (alert.fired, alert.rule, alert.severity) == (True, "Backup Failure", "Sev1")
    assert alert.fired_at == datetime(2026, 11, 20, 2, 41, 7, 183456, UTC)
    assert alert.message == "Azure Backup got no answer from the agent in the virtual machine."
    assert alert.job_id == "5c8e0001-7f31-4d02-b6a4-e19c0d5a2b77"
    assert (alert.item_id, alert.item_name) == (item_id("VM-ERP-07"), "VM-ERP-07")
    assert (alert.vault_id, alert.vm_id, alert.workload) == (VAULT, vm_id("VM-ERP-07"), "AzureIaasVM")


def test_the_error_code_is_taken_from_the_troubleshooting_link() -> None:
    assert one_alert(BODY).error_code == "usererrorguestagentstatusunavailable"


@pytest.mark.parametrize(("said", "code"), [
    ("see https://aka.ms/AB-UserErrorX.", "UserErrorX"),
    ("(HTTPS://AKA.MS/ab-pre-scripttimeout)", "pre-scripttimeout"),
    (["first do this", "then see https://aka.ms/AB-usererrory"], "usererrory"),
    ({"text": "https://aka.ms/AB-usererrorz"}, "usererrorz"),
])  # fmt: skip
def test_the_link_is_found_in_any_case_and_place(said: Any, code: str) -> None:
    assert one_alert(changed(BODY, *LINK, to=said)).error_code == code


def test_the_recommended_actions_go_before_the_possible_causes() -> None:
    info = {"possibleCauses": "https://aka.ms/AB-usererrorb", "recommendedActions": "https://aka.ms/AB-usererrora"}
    assert one_alert(context("extendedInfo", info)).error_code == "usererrora"
    assert one_alert(context("extendedInfo", info | {"recommendedActions": None})).error_code == "usererrorb"


def test_without_a_link_the_error_code_is_taken_from_the_end_of_the_origin_alert_id() -> None:
    assert one_alert(changed(BODY, *LINK, to=None)).error_code == "usererrorguestagentstatusunavailable"
    sql = changed(sample("azure_backup_sql"), *LINK, to="Call somebody.")
    assert one_alert(sql).error_code == "usererrorsqlnofullbackup"


@pytest.mark.parametrize(
    "origin",
    ["", None, 7, "1_0_5usererrorxlog", "azureiaasvmlog", "azureiaasvmusererrorx", "azurestorexyzzylog", "azureiaasvmxlog_1"],
)
def test_an_origin_alert_id_of_another_form_tells_no_error_code(origin: Any) -> None:
    assert one_alert(essentials("originAlertId", origin, changed(BODY, *LINK, to=None))).error_code == ""


def test_a_database_is_named_by_itself_and_keeps_its_workload() -> None:
    alert = one_alert(sample("azure_backup_sql"))
    assert (alert.item_name, alert.workload, alert.vm_id) == ("faturamento", "SQLDataBase", vm_id("vm-sql-03"))


def test_without_a_linked_resource_the_vm_is_taken_from_the_source() -> None:
    assert one_alert(context("linkedResourceId", None)).vm_id == vm_id("VM-ERP-07")


def test_the_last_resort_for_the_vm_is_the_containers_name_in_the_vaults_subscription() -> None:
    body = context("linkedResourceId", None, context("sourceId", 4))
    assert one_alert(body).vm_id == vm_id("VM-ERP-07")
    short_item = item_id("vm").replace("VM;iaasvmcontainerv2;", "VM;")
    assert one_alert(context("protectedItemId", short_item, body)).vm_id == vm_id("vm")


def test_a_vm_of_another_subscription_is_the_one_that_the_alert_links() -> None:
    other = vm_id("VM-ERP-07").replace(SUBSCRIPTION, "c2a96e18-55d0-4f0b-8b3c-91e7d4a0f663")
    assert one_alert(context("linkedResourceId", other)).vm_id == other


def test_without_an_item_the_vault_is_the_alerts_target() -> None:
    assert one_alert(context("protectedItemId", None)).vault_id == VAULT.lower()


def test_ids_in_any_case_name_the_same_item() -> None:
    shouted = one_alert(context("protectedItemId", item_id("VM-ERP-07").upper()))
    now = datetime.now(UTC)
    assert Failure.of(shouted, None, now).key == Failure.of(one_alert(BODY), None, now).key
    assert shouted.workload == "AzureIaasVM"
    assert ResourceId.parse(shouted.vault_id)


@pytest.mark.parametrize(("item", "said", "workload"), [
    (item_id("a"), None, "AzureIaasVM"),
    (item_id("a"), "AzureVM", "AzureIaasVM"),
    (None, "Azure Iaas VM", "AzureIaasVM"),
    (item_id("a"), "A word of 2030", "AzureIaasVM"),
    (f"{VAULT}/backupFabrics/Azure/protectionContainers/c/protectedItems/AzureFileShare;a1b2", None, "AzureFileShare"),
    (None, None, ""),
])  # fmt: skip
def test_the_workload_is_the_vms_word_or_as_sent(item: Any, said: Any, workload: str) -> None:
    assert one_alert(context("protectedItemId", item, context("sourceType", said))).workload == workload


def test_a_resolved_alert_has_not_fired() -> None:
    assert one_alert(essentials("monitorCondition", "resolved ")).fired is False


def test_a_failed_restore_is_read_as_one_of_the_same_item() -> None:
    alert = one_alert(sample("azure_backup_restore"))
    assert (alert.operation, alert.job_id) == ("restore", "5c8e0003-7f31-4d02-b6a4-e19c0d5a2b77")
    assert (alert.item_id, alert.workload) == (item_id("vm-erp-08"), "AzureIaasVM")
    assert one_alert(essentials("alertRule", "RestoreFailure")).operation == "restore"
    assert one_alert(BODY).operation == ""


def test_a_failed_restore_is_no_failure_of_the_items_backup() -> None:
    backup, restore = (one_alert(essentials("alertRule", rule)) for rule in ("Backup Failure", "Restore Failure"))
    keys = {Failure.of(alert, None, datetime.now(UTC)).key for alert in (backup, restore)}
    assert len(keys) == 2


@pytest.mark.parametrize("rule", ["Unsupported backup type", "Workload extension unhealthy"])
def test_jobs_alerts_without_a_failed_job_are_ignored(rule: str) -> None:
    assert rule in one_reason(essentials("alertRule", rule))


@pytest.mark.parametrize("rule", ["Delete Backup Data", "Upcoming Purge", "MUA Disabled", "A new one"])
def test_security_alerts_are_ignored_even_when_their_category_is_missing(rule: str) -> None:
    body = essentials("alertRule", rule, sample("azure_backup_security"))
    assert rule in one_reason(body)
    assert rule in one_reason(context("category", None, body))


@pytest.mark.parametrize("rule", [None, "", "Backup Failure", "BACKUP FAILURE", "Backup failed in a new way"])
def test_what_may_be_a_failed_backup_is_never_ignored(rule: Any) -> None:
    assert one_alert(essentials("alertRule", rule)).job_id
    if rule in (None, "", "Backup Failure"):
        assert one_alert(context("category", None, essentials("alertRule", rule))).job_id


def test_an_alert_with_a_protected_item_is_claimed_without_its_service() -> None:
    assert one_alert(essentials("monitoringService", None)).source == "azure_backup"
