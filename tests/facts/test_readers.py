"""Readers report with times and judge nothing; a part that could not be read says so and never becomes an empty value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.facts.logs import _systemd_word, _windows_word
from handlers.facts.schedules import runs_a_day
from handlers.model import Activity, GuestEvents, Reason, Unknown

Facts = Callable[..., Any]
CONTAINER = "iaasvmcontainerv2;rg-shop;vm-small-world"
ITEM = (
    "/subscriptions/{subscription}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv-a/backupFabrics/Azure"
    f"/protectionContainers/IaasVMContainer;{CONTAINER}/protectedItems/VM;{CONTAINER}"
)


def hours_ago(moment: datetime) -> float:
    return round((datetime.now(UTC) - moment).total_seconds() / 3600, 1)


def test_the_last_good_backup_is_the_newest_that_began_before(facts: Facts) -> None:
    found = facts("jobs: [{status: Completed, started: -3d, ended: -71h}, {status: CompletedWithWarnings, started: -27h, ended: -26h}, "
                  "{status: Completed, started: -4m, ended: -1m}, {status: Failed, started: -12h, ended: -11h}]", "last_good")  # fmt: skip
    assert hours_ago(found["last_good"].started_at) == 27


def test_it_is_looked_for_in_thirty_days_and_in_every_vault(facts: Facts) -> None:
    assert (
        hours_ago(facts("jobs: [{status: Completed, started: -20d, ended: -479h}]", "last_good")["last_good"].started_at) == 480
    )
    moved = "jobs: []\nother_vaults: [{name: old, resource_group: g, jobs: [{status: Completed, started: -50h, ended: -49h}]}]"
    assert hours_ago(facts(moved, "last_good")["last_good"].started_at) == 50
    assert facts("jobs: []", "last_good")["last_good"] is None


def test_none_is_said_only_where_all_of_it_was_read(facts: Facts) -> None:
    assert facts("jobs: []\nfaults: [{match: 'GET */backupJobs', status: 500}]", "last_good")["last_good"].why is Reason.FAILED
    old = (
        "jobs: []\nother_vaults: [{name: old, resource_group: g}]\nfaults: [{match: 'GET */vaults/old/backupJobs*', status: 403}]"
    )
    assert facts(old, "last_good")["last_good"].why is Reason.FORBIDDEN


def test_jobs_of_a_vault_that_cannot_be_read_are_named_and_those_of_the_others_told(facts: Facts) -> None:
    world = ("other_vaults: [{name: closed, resource_group: g}, {name: open, resource_group: g, jobs: [{status: InProgress, started: -2h}]}]\n"
             "faults: [{match: 'GET */vaults/closed/backupJobs*', status: 403}]")  # fmt: skip
    found = facts(world, "overlapping_backup_jobs", "unread_vaults")
    assert found["unread_vaults"] == ("closed",)
    assert [job.vault_id.rpartition("/")[2] for job in found["overlapping_backup_jobs"]] == ["open"]


def test_a_job_that_began_after_the_failed_one_ended_does_not_overlap(facts: Facts) -> None:
    world = "jobs: [{status: InProgress, started: -1m}, {status: Completed, started: -3h, ended: -2h}, {status: Completed, started: -2h, ended: -20m}]"
    (job,) = facts(world, "overlapping_backup_jobs")["overlapping_backup_jobs"]
    assert hours_ago(job.started_at) == 2


def test_where_the_graph_does_not_show_the_failed_item_itself_nobody_knows_of_others(facts: Facts) -> None:
    """Azure leaves out what the app may not see: an empty answer is not "none"."""
    assert facts("vault: {name: rsv-a}", "unread_vaults")["unread_vaults"] == ()
    assert facts(f"vault: {{name: rsv-a}}\nresources: {{'{ITEM}': null}}", "unread_vaults")["unread_vaults"].why is Reason.PARTIAL


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ({"scheduleRunFrequency": "Daily", "scheduleRunTimes": ["x"]}, 1),
        ({"scheduleRunFrequency": "Daily", "dailySchedule": {"scheduleRunTimes": ["x"]}}, 1),
        ({"scheduleRunFrequency": "Weekly", "scheduleRunTimes": ["x"]}, 1),
        ({"scheduleRunFrequency": "Hourly", "hourlySchedule": {"interval": 4, "scheduleWindowDuration": 24}}, 6),
        ({"scheduleRunFrequency": "Hourly"}, None),
        ({}, None),
    ],
)
def test_how_often_a_policy_runs(schedule: dict[str, Any], runs: int | None) -> None:
    assert runs_a_day(schedule) == runs


def test_a_policy_of_an_unknown_type_is_no_standard_policy(facts: Facts) -> None:
    name = "/subscriptions/{subscription}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv-shop/backupPolicies/policy-nightly"
    assert (
        facts(f"resources: {{'{name}': {{properties: {{policyType: V7}}}}}}", "snapshot_policy")["snapshot_policy"].why
        is Reason.NO_DATA
    )


def test_the_activity_log_of_a_vm_holds_its_extensions_and_leaves_its_neighbours_out(facts: Facts) -> None:
    vm = "/subscriptions/{subscription}/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/vm-small-world"
    entries = (
        "{operation: restart, at: -2h}",
        f"{{operation: Microsoft.Compute/virtualMachines/extensions/write, at: -3h, resource: '{vm}/extensions/a'}}",
        f"{{operation: restart, at: -1h, resource: '{vm}-2'}}",
        "{operation: restart, at: -9d}",
        "{operation: write, at: -1h, caller: 262044b1-e2ce-469f-a196-69ab7ada62d3}",
    )
    world = f"activity: [{', '.join(entries)}]"
    log = facts(world, "vm_activity")["vm_activity"]
    assert isinstance(log, Activity)
    assert [(entry.operation, entry.by_backup) for entry in log.operations] == [
        ("write", True),
        ("restart", False),
        ("extensions/write", False),
    ]
    assert 48 <= hours_ago(log.since) <= 49


def test_a_lock_tells_since_when_it_is(facts: Facts) -> None:
    (lock,) = facts("locks: [{name: keep, scope: restore_point_group, created: -90d}]", "restore_point_group_locks")[
        "restore_point_group_locks"
    ]
    assert hours_ago(lock.created_at) == 90 * 24


def test_a_disk_that_cannot_be_read_says_so_and_the_others_are_told(facts: Facts) -> None:
    world = "vm: {disks: [{}, {size_gib: 512}]}\nfaults: [{match: 'GET */disks/*-osdisk*', status: 403}]"
    os_disk, data = facts(world, "disks")["disks"]
    assert (os_disk.unread.why, os_disk.size_gib, data.unread, data.size_gib) == (Reason.FORBIDDEN, None, None, 512)


ENCRYPTED = (
    "vm: {encrypted: {vault: kv}}\nkey_vaults: [{name: kv, access_policies: [{principal: a, secrets: [get, list, backup]}]%s}]\n"
)


def test_a_secret_that_cannot_be_read_is_not_missing_and_not_there(facts: Facts) -> None:
    for status, why in ((403, Reason.FORBIDDEN), (429, Reason.THROTTLED), (500, Reason.FAILED)):
        world = ENCRYPTED % "" + f"faults: [{{match: 'GET */kv/secrets/*', status: {status}, retry_after: 60}}]"
        (vault,) = facts(world, "key_vaults")["key_vaults"]
        assert (vault.keys[0].unread.why, vault.broken_keys) == (why, ())


def test_a_missing_or_disabled_secret_is_broken_and_tells_since_when(facts: Facts) -> None:
    (gone,) = facts(ENCRYPTED % ", contents: {secrets/bek-0: null}", "key_vaults")["key_vaults"]
    assert gone.broken_keys == ("bek-0",)
    (off,) = facts(ENCRYPTED % ", contents: {secrets/bek-0: false}, updated: -6h", "key_vaults")["key_vaults"]
    assert (off.broken_keys, hours_ago(off.keys[0].updated_at)) == (("bek-0",), 6)


def test_of_a_secret_only_the_version_in_use_is_judged(facts: Facts) -> None:
    secret = "/subscriptions/{subscription}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv/secrets/bek-0"
    newer = (
        f"resources: {{'{secret}': {{properties: {{secretUriWithVersion: 'https://kv.vault.azure.net/secrets/bek-0/newer'}}}}}}"
    )
    (vault,) = facts(ENCRYPTED % "" + newer, "key_vaults")["key_vaults"]
    assert vault.keys[0].unread == Unknown(Reason.NO_DATA)


def test_a_vault_is_gone_only_where_azure_shows_it_deleted_or_its_group_without_it(facts: Facts) -> None:
    (deleted,) = facts(ENCRYPTED % ", exists: false, soft_deleted: true, deleted: -5h", "key_vaults")["key_vaults"]
    assert (deleted.found, deleted.soft_deleted, hours_ago(deleted.deleted_at)) == (False, True, 5)
    world = ENCRYPTED % ", exists: false" + "faults: [{match: 'GET */rg-keys/providers/Microsoft.KeyVault/vaults*', status: 403}]"
    (hidden,) = facts(world, "key_vaults")["key_vaults"]
    assert (hidden.found, hidden.unread.why) == (True, Reason.FORBIDDEN)


def test_a_lost_right_to_read_roles_is_not_nobody_holding_them(facts: Facts) -> None:
    world = "vm: {encrypted: {vault: kv}}\nkey_vaults: [{name: kv, rbac: true}]\nfaults: [{match: 'GET */roleAssignments*', status: 403}]"
    (vault,) = facts(world, "key_vaults")["key_vaults"]
    assert vault.holders_unread.why is Reason.FORBIDDEN


SET = "vm: {disks: [{encryption_set: des}]}\nkey_vaults: [{name: kv%s}]\nencryption_sets: [{name: des, vault: kv%s}]\n"


def test_the_key_vault_of_an_encryption_set_is_read_as_those_of_disk_encryption_are(facts: Facts) -> None:
    (deleted,) = facts(SET % (", exists: false, soft_deleted: true, deleted: -5h", ""), "encryption_sets")["encryption_sets"]
    assert (deleted.vault.found, hours_ago(deleted.vault.deleted_at), deleted.key) == (False, 5, None)
    (walled,) = facts(SET % (", firewalled: true", ""), "encryption_sets")["encryption_sets"]
    assert (walled.vault.firewalled, walled.key.enabled) == (True, True)
    (hidden,) = facts(SET % ("", "") + "faults: [{match: 'GET */vaults/kv?*', status: 403}]", "encryption_sets")[
        "encryption_sets"
    ]
    assert hidden.vault.unread.why is Reason.FORBIDDEN


def test_an_encryption_set_that_is_gone_or_does_not_name_its_key_vault_says_so(facts: Facts) -> None:
    (gone,) = facts(SET % ("", ", exists: false"), "encryption_sets")["encryption_sets"]
    assert (gone.found, gone.unread) == (False, None)
    (unnamed,) = facts(SET % ("", ", vault_named: false"), "encryption_sets")["encryption_sets"]
    assert (unnamed.found, unnamed.unread) == (True, Unknown(Reason.NO_DATA))


def test_the_encryption_set_of_a_confidential_vm_is_found(facts: Facts) -> None:
    disk = "/subscriptions/{subscription}/resourceGroups/rg-shop/providers/Microsoft.Compute/disks/vm-small-world-osdisk"
    confidential = f"resources: {{'{disk}': {{properties: {{securityProfile: {{secureVMDiskEncryptionSetId: /sets/des}}}}}}}}"
    assert facts(confidential, "disks")["disks"][0].encryption_set_id == "/sets/des"


EVENT = "{TimeGenerated: %s, EventLog: %s, EventID: %d, RenderedDescription: '%s', _ResourceId: '{vm}'}"


def test_events_of_the_guest_are_found_in_their_own_logs(facts: Facts) -> None:
    code, locker = "Microsoft-Windows-CodeIntegrity/Operational", "Microsoft-Windows-AppLocker/EXE and DLL"
    rows = [("-20m", code, 3077, "IaaSBcdrExtension.exe was blocked"), ("-20m", locker, 3077, "IaaSBcdrExtension.exe"),
            ("-20m", locker, 8004, "C:/Packages/Plugins/Microsoft.Azure.RecoveryServices.VMSnapshot/x.exe"), ("-20m", code, 3076, "IaaSBcdrExtension.exe"),
            ("-20m", "Application", 1000, "Faulting application name: IaaSBcdrExtension.exe, Faulting module name: MSVCR120.dll, version: 1"),
            ("-20m", "Application", 1000, "Faulting application name: notepad.exe"), ("-9d", code, 3077, "IaaSBcdrExtension.exe")]  # fmt: skip
    found = facts("logs: {Event: [" + ", ".join(EVENT % row for row in rows) + "]}", "guest_events")["guest_events"]
    assert isinstance(found, GuestEvents)
    assert sorted((event.number, event.text) for event in found.events) == [(1000, "msvcr120.dll"), (3077, ""), (8004, "")]
    assert found.collects(code)
    assert found.collects("Application")
    assert not found.collects("System")


def test_more_rows_than_a_page_hide_no_event(facts: Facts) -> None:
    noise = ", ".join(EVENT % ("-30m", "Application", 1000, "Faulting application name: noise.exe") for _ in range(6000))
    row = EVENT % ("-20m", "Application", 1000, "IaaSBcdrExtension.exe, Faulting module name: ntdll.dll")
    assert len(facts(f"logs: {{Event: [{noise}, {row}]}}", "guest_events")["guest_events"].events) == 1


def test_a_partial_answer_of_the_log_is_no_answer(facts: Facts) -> None:
    world = "logs: {Heartbeat: [{TimeGenerated: -9m, _ResourceId: '{vm}'}]}\nfaults: [{match: 'POST */query', partial: true}]"
    found = facts(world, "heartbeats", "guest_events", "free_space")
    assert {value.why for value in found.values()} == {Reason.PARTIAL}


def test_heartbeats_are_told_by_the_minute(facts: Facts) -> None:
    rows = ", ".join(f"{{TimeGenerated: -{minutes}m, _ResourceId: '{{vm}}'}}" for minutes in (5, 5, 6, 40))
    assert len(facts(f"logs: {{Heartbeat: [{rows}]}}", "heartbeats")["heartbeats"].minutes) == 3


def test_free_space_is_told_by_mount_and_the_least_of_five_minutes(facts: Facts) -> None:
    tags = '"{\\"vm.azm.ms/mountId\\": \\"%s\\"}"'
    row = "{TimeGenerated: %s, Namespace: LogicalDisk, Name: %s, Val: %s, Tags: " + tags + ", _ResourceId: '{vm}'}"
    rows = [
        ("2026-01-01T00:00:00", "FreeSpacePercentage", 1, "/old"),
        ("-20m", "FreeSpacePercentage", 9, "/var"),
        ("-20m", "FreeSpaceMB", 512, "/"),
    ]
    found = facts("logs: {InsightsMetrics: [" + ", ".join(row % one for one in rows) + "]}", "free_space")["free_space"]
    assert sorted((sample.mount, sample.percent, sample.gib) for sample in found) == [("/", None, 0.5), ("/var", 9.0, None)]


@pytest.mark.parametrize(
    ("number", "text", "word"),
    [
        ("7036", "The Windows Azure Guest Agent service entered the stopped state.", "stopped"),
        ("7036", "The RdAgent service entered the running state.", "running"),
        ("7031", "The RdAgent service terminated unexpectedly.", "stopped"),
        ("1000", "Faulting module name: $(reboot)", ""),
        ("3077", "x", ""),
        ("7040", "The start type of the Volume Shadow Copy service was changed from demand start to disabled.", "vss disabled"),
        (
            "7040",
            "The start type of the COM+ System Application service was changed from disabled to demand start.",
            "comsysapp startable",
        ),
        ("7031", "The Distributed Transaction Coordinator service terminated unexpectedly.", "msdtc failed"),
        ("7023", "The Microsoft Software Shadow Copy Provider service terminated with an error.", "swprv failed"),
    ],
)
def test_of_an_event_only_what_matters_is_kept(number: str, text: str, word: str) -> None:
    assert _windows_word(number, text) == word


def test_what_takes_the_snapshot_in_a_windows_guest_is_told_by_its_source(facts: Facts) -> None:
    row = "{TimeGenerated: -20m, EventLog: %s, EventID: %d, Source: %s, RenderedDescription: '%s', _ResourceId: '{vm}'}"
    rows = [("Application", 8229, "VSS", "A VSS writer has rejected an event"), ("Application", 8224, "VSS", "is shutting down"),
            ("System", 8, "volsnap", "timed out"), ("System", 33, "volsnap", "deleted the oldest"),
            ("Application", 4689, "Microsoft-Windows-Complus", "The HRESULT is 0x8000FFFF"), ("Application", 4691, "COM+", "DTC 8004d01b"),
            ("Application", 4427, "Microsoft-Windows-MSDTC Client 2", "hr = 0x80004005"), ("Application", 24583, "SQLWRITER", "x"),
            ("Application", 18264, "MSSQLSERVER", "Database backed up, TYPE=DISK: {D.bak}"), ("Application", 1, "Other", "x"),
            ("Application", 18264, "MSSQL$TEST", "TYPE=VIRTUAL_DEVICE: {A}"),
            ("System", 7040, "Service Control Manager", "The start type of the Volume Shadow Copy service was changed from demand start to disabled."),
            ("System", 7036, "Service Control Manager", "The Volume Shadow Copy service entered the stopped state.")]  # fmt: skip
    found = facts("logs: {Event: [" + ", ".join(row % one for one in rows) + "]}", "guest_events")["guest_events"]
    assert sorted((event.number, event.text) for event in found.events) == [
        (8, "volsnap"), (4427, "msdtc"), (4689, "com+ 8000ffff"), (4691, "com+"), (7040, "vss disabled"), (8229, "vss"),
        (18264, "mssql"), (24583, "sqlwriter"),
    ]  # fmt: skip


def test_a_pending_restart_is_told_with_the_time_of_its_assessment(facts: Facts) -> None:
    found = facts("vm: {patches: {reboot_pending: true, at: -6h}}", "patch_assessment")["patch_assessment"]
    assert (found.reboot_pending, hours_ago(found.at)) == (True, 6)


@pytest.mark.parametrize("world", ["vm: {os: Windows}", "vm: {patches: {status: InProgress}}", "vm: {patches: {status: Failed}}"])
def test_an_assessment_that_has_not_ended_well_tells_nothing(facts: Facts, world: str) -> None:
    assert facts(world, "patch_assessment")["patch_assessment"].why is Reason.NO_DATA


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Stopped walinuxagent.service - Azure Linux Agent.", "stopped"),
        ("walinuxagent.service: Failed with result 'exit-code'.", "stopped"),
        ("Started walinuxagent.service - Azure Linux Agent.", "running"),
        ("rule=9 dec=deny perm=execute path=/var/lib/waagent/x", "deny"),
    ],
)
def test_systemds_words_for_a_service(text: str, word: str) -> None:
    assert _systemd_word(text) == word


def test_a_published_problem_names_us_or_not_or_nobody_knows(facts: Facts) -> None:
    event = "health_events: [{tracking_id: A, title: t, impacts: [%s]}]\n"
    hidden = "faults: [{match: 'GET */impactedResources*', status: 403}]"
    named = [
        facts(world, "service_issues")["service_issues"][0].names_us
        for world in (event % "vm", event % "vault", event % "", event % "vm" + hidden)
    ]
    assert named == [True, True, False, None]


def test_a_problem_that_ended_before_the_job_is_not_told(facts: Facts) -> None:
    world = "health_events: [{tracking_id: A, title: t, began: -9h, ended: -8h}, {tracking_id: B, title: t, began: -1m}]"
    assert facts(world, "service_issues")["service_issues"] == ()


def test_the_health_history_is_told_newest_first(facts: Facts) -> None:
    world = "availability: [{state: Available, since: -10m}, {state: Unavailable, since: -40m, kind: Unplanned}]"
    found = facts(world, "vm_availability")["vm_availability"]
    assert [(entry.state, entry.kind) for entry in found] == [("Available", ""), ("Unavailable", "Unplanned")]


def test_other_backups_of_the_vault_are_counted(facts: Facts) -> None:
    assert facts("neighbours: 4", "peers")["peers"].failed == 4


# ------------------------------------------------------------------------------------------------ what was changed, whose it is

CHANGED = """
jobs: [{status: Completed, started: -27h, ended: -26h}]
changes:
  - {resource: nsg, at: -2h, who: ana, properties: {properties.securityRules: [null, x], properties.etag: [a, b]}}
  - {resource: vm, at: -3h, properties: {properties.provisioningState: [Updating, Succeeded], tags.cost: ["1", "2"]}}
  - {resource: os_disk, at: -4h, who: Unknown, properties: {properties.diskSizeGB: ["128", "256"]}}
  - {resource: vm/extensions/a, at: -5h, type: Create, who: 262044b1-e2ce-469f-a196-69ab7ada62d3}
  - {resource: vm/extensions/b, at: -6h, type: Delete}
  - resource: /subscriptions/{subscription}/resourceGroups/g/providers/Microsoft.Network/routeTables/others
    at: -2h
    properties: {properties.routes: [a, b]}
  - resource: /subscriptions/{subscription}/resourceGroups/g/providers/Microsoft.Compute/disks/others
    at: -2h
    properties: {properties.diskSizeGB: [a, b]}
  - {resource: nic, at: -20d, properties: {properties.ipConfigurations: [a, b]}}
"""


def test_change_records_are_those_of_the_vm_and_what_it_needs_without_what_azure_writes_along(facts: Facts) -> None:
    read = facts(CHANGED, "resource_changes")["resource_changes"]
    shown = {(change.resource_id.rpartition("/")[2], change.operation, change.who) for change in read.changes}
    assert shown == {
        ("nsg-shop", "update", "ana"),
        ("vm-small-world-osdisk", "update", ""),
        ("b", "delete", "ops@contoso.example"),
    }
    assert [p.path for c in read.changes if c.who == "ana" for p in c.properties] == ["properties.securityRules"]
    assert read.network_unread is None


def test_whose_network_has_changed_is_said_to_be_unknown_where_the_interface_cannot_be_read(facts: Facts) -> None:
    read = facts(CHANGED + "faults: [{match: 'GET */networkInterfaces/*', status: 403}]", "resource_changes")["resource_changes"]
    assert "nsg-shop" not in str(read)
    assert read.network_unread.why is Reason.FORBIDDEN


def test_what_was_changed_of_a_vm_that_is_gone_can_still_be_read(facts: Facts) -> None:
    world = "vm: {exists: false}\nchanges: [{resource: vm, at: -2h, type: Delete, who: ana}]"
    (change,) = facts(world, "resource_changes")["resource_changes"].changes
    assert (change.operation, change.who) == ("delete", "ana")


@pytest.mark.parametrize(("status", "why"), [(403, Reason.FORBIDDEN), (429, Reason.THROTTLED), (500, Reason.FAILED)])
def test_changes_that_could_not_be_read_are_unknown(facts: Facts, status: int, why: Reason) -> None:
    faults = (f"faults: [{{match: 'POST */resources*', status: {status}, retry_after: 60}}, "
              f"{{match: 'GET */eventtypes/*', status: {status}, retry_after: 60}}]")  # fmt: skip
    found = facts(faults, "resource_changes", "authorization_activity")
    assert {value.why for value in found.values()} == {why}


def test_locks_roles_and_policies_are_read_once_since_the_last_good_backup(facts: Facts) -> None:
    world = """
jobs: [{status: Completed, started: -27h, ended: -26h}]
activity:
  - {operation: Microsoft.Authorization/locks/write, at: -2h, resource: restore_point_group/providers/Microsoft.Authorization/locks/Keep}
  - {operation: Microsoft.Authorization/locks/delete, at: -10m, resource: vm}
  - {operation: restart, at: -1h}
"""
    found = facts(world, "authorization_activity", "lock_changes")
    assert [entry.operation for entry in found["authorization_activity"].operations] == ["locks/delete", "locks/write"]
    assert found["authorization_activity"].operations[1].resource_id.endswith("/Keep")
    assert [entry.operation for entry in found["lock_changes"].operations] == ["locks/delete"]


def test_tags_are_those_of_the_vm_its_group_and_its_vault(facts: Facts) -> None:
    world = "vm: {tags: {Owner: a}, group_tags: {team: b}}\nvault: {tags: {Cost: c}}"
    found = facts(world, "vm_tags", "group_tags", "vault_tags")
    assert found == {"vm_tags": {"Owner": "a"}, "group_tags": {"team": "b"}, "vault_tags": {"Cost": "c"}}


def test_tags_that_cannot_be_read_are_unknown_and_none_are_none(facts: Facts) -> None:
    found = facts("faults: [{match: 'GET */resourceGroups/rg-shop', status: 403}]", "vm_tags", "group_tags")
    assert found["vm_tags"] == {}
    assert found["group_tags"].why is Reason.FORBIDDEN


def test_a_fact_has_one_reader() -> None:
    """The readers of two modules with one name would take each other's place, depending on which is imported last."""
    from handlers.facts import all_facts, fact

    all_facts()
    with pytest.raises(ValueError, match="two readers of the fact agent"):

        @fact(source="elsewhere")
        def agent(failure: object, reads: object) -> None: ...
