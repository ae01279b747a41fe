"""Facts of a failed restore: what the job's details say, the point that was chosen, and what the target had."""

from __future__ import annotations

import pytest

from handlers.model import Reason, Unknown
from handlers.model.restore import ChosenPoint, StorageAccount, TargetSize, Usage
from tests.facts.conftest import Facts
from tests.facts.test_readers import hours_ago

RESTORE = "job: {{operation: Restore, restore: {{storage_account: sastage, resource_group: rg-new{more}}}}}\n"
PLAIN = RESTORE.format(more="")


def test_the_request_is_what_the_jobs_details_say(facts: Facts) -> None:
    request = facts(PLAIN, "restore_request")["restore_request"]
    assert (request.kind, request.storage_account, request.group) == ("Recover disks", "sastage", "rg-new")
    assert hours_ago(request.point_at) == 23
    assert "rg-new" in request.told


@pytest.mark.parametrize(
    "job", ["job: {operation: Restore}", "job: {operation: Backup}", "job: {operation: Restore, exists: false}"]
)
def test_a_job_without_details_of_a_restore_has_no_request(facts: Facts, job: str) -> None:
    found = facts(job, "restore_request", "chosen_point", "target_storage", "target_group_vms")
    assert {value.why for value in found.values()} == {Reason.NO_DATA}


def test_addresses_of_the_details_are_left_out(facts: Facts) -> None:
    told = "job: {operation: Restore, restore: {told: {Template Blob Uri: 'https://sa.blob.core.windows.net/t?sig=secret', Other: x}}}"
    assert facts(told, "restore_request")["restore_request"].told[-1] == "x"
    assert "sig" not in str(facts(told, "restore_request")["restore_request"].told)


def test_the_chosen_point_is_the_one_of_the_time_that_the_job_tells(facts: Facts) -> None:
    world = (
        PLAIN
        + "jobs: [{status: Completed, started: -1d, ended: -23h, point: {isSourceVMEncrypted: true, zones: ['2'], securityType: TrustedLaunch,"
        " recoveryPointDiskConfiguration: {numberOfDisksIncludedInBackup: 2, numberOfDisksAttachedToVm: 3}}},"
        " {status: Completed, started: -2d, ended: -47h, tiers: [InstantRP]}]"
    )
    point = facts(world, "chosen_point")["chosen_point"]
    assert isinstance(point, ChosenPoint)
    assert (point.tiers, point.vm_size, point.zones) == (("InstantRP", "HardenedRP"), "Standard_D2s_v5", ("2",))
    assert (point.encrypted, point.managed, point.security, point.disks_left_out) == (True, True, "TrustedLaunch", 1)


def test_a_point_that_the_vault_does_not_list_is_none(facts: Facts) -> None:
    assert facts(RESTORE.format(more=", point: -5d"), "chosen_point")["chosen_point"] is None


def test_a_tier_that_is_not_valid_is_none_of_the_points(facts: Facts) -> None:
    told = "{recoveryPointTierDetails: [{type: InstantRP, status: Deleted}, {type: HardenedRP, status: Valid}]}"
    world = f"{PLAIN}jobs: [{{status: Completed, started: -1d, ended: -23h, point: {told}}}]"
    assert facts(world, "chosen_point")["chosen_point"].tiers == ("HardenedRP",)


def test_the_account_is_found_by_its_name_in_any_group_with_its_locks(facts: Facts) -> None:
    world = (
        f"{PLAIN}storage_accounts: [{{name: sastage, resource_group: rg-far, location: northeurope, network: Deny}}, {{name: other}}]\n"
        "locks: [{name: a, scope: storage_account, level: ReadOnly}, {name: b, scope: vm}]"
    )
    found = facts(world, "target_storage", "target_storage_locks", "vault_region")
    account = found["target_storage"]
    assert isinstance(account, StorageAccount)
    assert (account.region, account.is_closed) == ("northeurope", True)
    assert [lock.name for lock in found["target_storage_locks"]] == ["a"]
    assert found["vault_region"] == "westeurope"


def test_an_account_that_is_not_there_is_none_and_one_that_may_not_be_read_is_unknown(facts: Facts) -> None:
    assert facts(PLAIN, "target_storage")["target_storage"] is None
    refused = f"{PLAIN}faults: [{{match: 'GET */storageAccounts*', status: 403}}]"
    assert facts(refused, "target_storage")["target_storage"].why is Reason.FORBIDDEN


def test_quotas_and_sizes_are_those_of_the_vaults_region(facts: Facts) -> None:
    world = (
        f"{PLAIN}usages: [{{name: cores, used: 9, limit: 10}}]\nsizes: [{{name: Standard_D2s_v5, restricted: [location, '3']}}]"
    )
    found = facts(world, "compute_usage", "target_size")
    assert found["compute_usage"] == (Usage("cores", 9, 10),)
    assert found["target_size"] == TargetSize("Standard_D2s_v5", True, "standardDSv5Family", 2, True, ("3",))


def test_a_size_that_the_region_does_not_list_is_not_offered(facts: Facts) -> None:
    assert facts(f"{PLAIN}sizes: [{{name: Standard_B1s}}]", "target_size")["target_size"].offered is False


def test_without_the_point_the_size_is_not_known(facts: Facts) -> None:
    size = facts(RESTORE.format(more=", point: -5d"), "target_size")["target_size"]
    assert isinstance(size, Unknown)


def test_a_vm_without_a_plan_has_no_terms_and_one_with_a_plan_has_those_of_the_subscription(facts: Facts) -> None:
    assert facts(PLAIN, "plan_terms")["plan_terms"] is None
    terms = facts(f"{PLAIN}vm: {{plan: {{publisher: p, product: o, name: n, accepted: false}}}}", "plan_terms")["plan_terms"]
    assert str(terms) == "p:o:n, accepted=false"


def test_the_vms_of_the_target_group_tell_when_they_were_made(facts: Facts) -> None:
    world = f"{PLAIN}vm: {{same_name_in: [rg-new]}}"
    (vm,) = facts(world, "target_group_vms")["target_group_vms"]
    assert (vm.name, hours_ago(vm.created_at)) == ("vm-small-world", 90 * 24)


def test_a_group_that_is_not_there_proves_nothing(facts: Facts) -> None:
    assert facts(PLAIN, "target_group_vms")["target_group_vms"].why is Reason.NOT_FOUND
