"""Facts of the VM and its disks that are read for few errors: load, locks, exclusions, the disks' own log, storage accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.diagnosis import catalogue
from handlers.facts.disks import account_of
from handlers.facts.metrics import _step_of
from handlers.model import Activity, DiskSelection, Load, LoadHistory, Reason, Unknown
from tests.facts.conftest import Facts

METRICS = "faults: [{match: 'GET */Microsoft.Insights/metrics*', status: 403}]"


def loads(found: object) -> LoadHistory:
    assert isinstance(found, LoadHistory)
    return found


def test_the_load_is_told_minute_by_minute_with_the_most_that_was_used_of_a_limit(facts: Facts) -> None:
    load = loads(facts("metrics: [{from: -40m, to: -30m, iops: 60}]", "vm_load")["vm_load"])
    assert load.step == timedelta(minutes=1)
    assert 45 <= len(load.buckets) <= 46
    assert {(bucket.cpu, bucket.memory_free) for bucket in load.buckets} == {(12.0, 60.0)}
    assert [bucket.iops for bucket in load.buckets].count(60.0) in (9, 10, 11)
    assert load.good is None, "nobody was busy: nothing is compared"


def test_a_heavy_load_is_compared_with_that_of_the_last_good_backup(facts: Facts) -> None:
    load = loads(facts("metrics: [{from: -2h, cpu: 97}]", "vm_load")["vm_load"])
    assert isinstance(load.good, tuple)
    assert {bucket.cpu for bucket in load.good} == {12.0}
    assert loads(facts("jobs: []\nmetrics: [{cpu: 97}]", "vm_load")["vm_load"]).good is None


def test_a_minute_without_a_value_is_no_idle_minute(facts: Facts) -> None:
    load = loads(facts("metrics: [{from: -40m, to: -30m, memory: null, iops: null}]", "vm_load")["vm_load"])
    silent = [bucket for bucket in load.buckets if bucket.memory_free is None]
    assert len(silent) in (9, 10, 11)
    assert {bucket.iops for bucket in silent} == {None}


def test_metrics_that_could_not_be_read_are_unknown(facts: Facts) -> None:
    assert facts(METRICS, "vm_load")["vm_load"].why is Reason.FORBIDDEN


@pytest.mark.parametrize(("hours", "interval"), [(0.5, "PT1M"), (3, "PT1M"), (5, "PT5M"), (20, "PT15M"), (100, "PT15M")])
def test_a_long_job_is_read_in_larger_buckets(hours: float, interval: str) -> None:
    assert _step_of(timedelta(hours=hours))[1] == interval


def test_the_load_is_shown_as_spans() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    buckets = (Load(now, 10, 60), Load(now + timedelta(minutes=1), 97.4, 60))
    assert str(LoadHistory(buckets, timedelta(minutes=1))) == "CPU 10–97 %, RAM 60 %"


def test_locks_on_a_vm_are_its_own_its_groups_and_the_subscriptions(facts: Facts) -> None:
    world = ("locks: [{name: a, scope: vm, level: ReadOnly}, {name: b, scope: vm_group}, {name: c, scope: subscription},"
             " {name: d, scope: restore_point_group}]")  # fmt: skip
    assert [lock.name for lock in facts(world, "vm_locks")["vm_locks"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("item", "selection", "excluded"),
    [
        ("{}", DiskSelection(), [False, False, False]),
        ("{exclude_disks: [1]}", DiskSelection(False, (1,)), [False, False, True]),
        ("{include_disks: [1]}", DiskSelection(True, (1,)), [False, True, False]),
        ("{include_disks: []}", DiskSelection(True, ()), [False, True, True]),
    ],
)
def test_a_vaults_list_names_disks_that_are_backed_up_or_that_are_not(
    facts: Facts, item: str, selection: DiskSelection, excluded: list[bool]
) -> None:
    found = facts(f"vm: {{disks: [{{}}, {{}}, {{}}]}}\nitem: {item}", "disk_selection", "attached_disks")
    assert found["disk_selection"] == selection
    assert [disk.excluded for disk in found["attached_disks"]] == excluded


def test_of_a_list_that_could_not_be_read_no_disk_is_said_to_be_backed_up(facts: Facts) -> None:
    world = "vm: {disks: [{}, {}]}\nfaults: [{match: 'GET */protectedItems/*', status: 403}]"
    assert [disk.excluded for disk in facts(world, "attached_disks")["attached_disks"]] == [False, None]


def test_a_disk_tells_its_type_shares_state_and_how_it_was_encrypted(facts: Facts) -> None:
    world = ("vm: {encrypted: {vault: kv}, disks: [{ephemeral: true}, {sku: UltraSSD_LRS, max_shares: 3, provisioning: Failed, status: failed,"
             " status_at: -3h, ade_version: '1.0'}]}\nkey_vaults: [{name: kv}]")  # fmt: skip
    system, data = facts(world, "disks")["disks"]
    assert (system.ephemeral, system.max_shares, system.status) == (True, 1, "succeeded")
    assert (data.sku, data.max_shares, data.provisioning, data.status, data.ade_version) == (
        "UltraSSD_LRS",
        3,
        "Failed",
        "failed",
        "1.0",
    )
    assert data.status_at is not None


def test_the_log_of_the_disks_leaves_their_vm_and_other_disks_out(facts: Facts) -> None:
    world = ("vm: {name: vm-01, disks: [{}, {}]}\nactivity: [{operation: Microsoft.Compute/disks/write, at: -2h, resource: os_disk},"
             " {operation: Microsoft.Compute/virtualMachines/write, at: -2h},"
             " {operation: Microsoft.Compute/disks/write, at: -2h, resource: vm_group/providers/Microsoft.Compute/disks/other}]")  # fmt: skip
    found = facts(world, "disk_activity")["disk_activity"]
    assert isinstance(found, Activity)
    assert [(entry.operation, entry.resource.rpartition("/")[2]) for entry in found.operations] == [
        ("disks/write", "vm-01-osdisk")
    ]


UNMANAGED = "vm: {disks: [{managed: false, account: saold}, {managed: false, account: sanew}]}\n"


def test_the_accounts_of_unmanaged_disks_are_found_by_their_names(facts: Facts) -> None:
    found = facts(f"{UNMANAGED}storage_accounts: [{{name: saold, classic: true}}, {{name: other}}]", "storage_accounts")
    assert [(account.name, account.kind) for account in found["storage_accounts"]] == [
        ("sanew", ""), ("saold", "Microsoft.ClassicStorage"),
    ]  # fmt: skip
    assert facts("storage_accounts: [{name: saold}]", "storage_accounts")["storage_accounts"] == ()


def test_what_an_account_holds_is_told_in_tebibytes_and_an_unread_one_hides_the_others(facts: Facts) -> None:
    world = f"{UNMANAGED}storage_accounts: [{{name: saold, used_tib: 30}}, {{name: sanew, used_tib: 2}}]"
    held = facts(world, "used_capacity")["used_capacity"]
    assert {(value.account, value.tib) for value in held} == {("saold", 30.0), ("sanew", 2.0)}
    assert (
        facts(f"{world}\nfaults: [{{match: 'GET */sanew/*metrics*', status: 403}}]", "used_capacity")["used_capacity"].why
        is Reason.FORBIDDEN
    )
    assert facts("vm: {}", "used_capacity")["used_capacity"] == Unknown(Reason.NO_DATA)


@pytest.mark.parametrize(
    ("uri", "account"),
    [("https://saold.blob.core.windows.net/vhds/os.vhd", "saold"), ("https://SAOLD.blob.core.chinacloudapi.cn/a/b.vhd", "saold"), ("", ""),
     ("https://sa'or'1.blob.core.windows.net/x", ""), ("file:///etc/passwd", "")],
)  # fmt: skip
def test_the_account_of_an_address(uri: str, account: str) -> None:
    assert account_of(uri) == account


def test_the_load_is_read_only_for_errors_that_point_to_a_lack_of_resources() -> None:
    exhausted = catalogue.cause("vm_resources_exhausted")
    codes = {code: "vm_load" in exhausted.facts_for(catalogue.error_of(code)) for code in
             ("ExtensionFailedTimeoutVMNetworkUnresponsive", "ExtensionFailedVssWriterInBadState", "UserErrorGuestAgentStatusUnavailable")}  # fmt: skip
    assert list(codes.values()) == [True, True, False]
