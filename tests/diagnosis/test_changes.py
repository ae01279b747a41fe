"""What was changed is listed with its time, ranked by what it makes likely, and never is a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.causes import __path__ as causes_path
from handlers.diagnosis.changes import ACTIONS, RECORDS, WRITES, changes_between, changes_since_good
from handlers.diagnosis.owner import owner_of
from handlers.model import (
    Activity,
    Alert,
    ChangeList,
    Diagnosis,
    Error,
    Failure,
    Finding,
    Job,
    Lock,
    Operation,
    PropertyChange,
    Reading,
    Reason,
    ResourceChange,
    ResourceChanges,
    RestorePointCollection,
    Unknown,
    Verdict,
)
from handlers.runbook.changes import plain, sentence_of, told
from handlers.runbook.ending import duration_text
from handlers.runbook.markup import code_span
from handlers.runbook.templates import words_of
from handlers.settings import LANGUAGES
from tests.conftest import ROOT

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SUBSCRIPTION = "/subscriptions/s1"
VM = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rgv/providers/Microsoft.RecoveryServices/vaults/rsv"
POINTS = f"{SUBSCRIPTION}/resourceGroups/AzureBackupRG_x_1"
COLLECTION = RestorePointCollection(f"{POINTS}/providers/Microsoft.Compute/restorePointCollections/c", "c", "g", "")
NSG = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg"
JOB = Job("j", "Failed", "Backup", started_at=NOW - timedelta(hours=1), ended_at=NOW)
GOOD = Job("g", "Completed", "Backup", started_at=NOW - timedelta(hours=25), ended_at=NOW - timedelta(hours=24))
FAILURE = Failure.of(Alert("azure_backup", vm_id=VM, vault_id=VAULT), JOB, NOW)
FORBIDDEN, THROTTLED = Unknown(Reason.FORBIDDEN), Unknown(Reason.THROTTLED)


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def entry(operation: str, hours: float, resource: str = VM, *, status: str = "Succeeded", by_backup: bool = False) -> Operation:
    return Operation(operation, hours_ago(hours), resource.lower(), "ops", status, by_backup, resource)


def lock(hours: float, scope: str, name: str = "Keep", operation: str = "locks/write") -> Operation:
    return entry(operation, hours, f"{scope}/providers/Microsoft.Authorization/locks/{name}")


def record(
    hours: float, resource: str = NSG, operation: str = "update", path: str = "securityRules", after: str = ""
) -> ResourceChange:
    kind = resource.rpartition("/providers/")[2].split("/")
    properties = (PropertyChange(f"properties.{path}", "before", after),) if operation == "update" else ()
    return ResourceChange(hours_ago(hours), resource, "/".join([kind[0], *kind[1::2]]).lower(), operation, "ana", properties)


def listed(
    *entries: Operation, records: tuple[ResourceChange, ...] = (), verdicts: Mapping[str, Verdict] | None = None, **values: Any
) -> ChangeList:
    """The list of a failure whose causes have these verdicts."""
    facts: dict[str, Any] = {
        "last_good": GOOD,
        "authorization_activity": Activity(hours_ago(48), entries),
        "resource_changes": ResourceChanges(hours_ago(48), records),
        **values,
    }
    found = verdicts or {"restore_point_group_locked": Verdict.POSSIBLE, "no_outbound_access": Verdict.UNKNOWN}
    findings = tuple(Finding(cause, verdict) for cause, verdict in found.items())
    readings = {name: Reading(value, "", NOW) for name, value in facts.items()}
    changes = changes_since_good(Diagnosis(FAILURE, Error("X"), findings, readings))
    assert changes is not None
    return changes


def kinds(changes: ChangeList) -> list[str]:
    return [change.kind for change in changes.changes]


# ------------------------------------------------------------------------------------------------ what is listed


def test_a_lock_made_two_hours_before_the_failure_is_listed_with_who_made_it_and_what_it_makes_likely() -> None:
    (change,) = listed(lock(2, POINTS), restore_point_collections=(COLLECTION,)).changes
    assert (change.kind, change.name, change.scope, change.who) == ("lock_made", "Keep", POINTS, "ops")
    assert change.makes_likely == ("restore_point_group_locked",)


@pytest.mark.parametrize("hours", [-0.1, -5, 25, 100])
def test_what_was_changed_after_the_failure_or_before_the_last_good_backup_is_not_listed(hours: float) -> None:
    assert listed(lock(hours, POINTS), records=(record(hours),)).changes == ()


def test_the_newest_change_comes_first() -> None:
    changes = listed(lock(3, POINTS), records=(record(2), record(5)))
    assert [change.at for change in changes.changes] == [hours_ago(2), hours_ago(3), hours_ago(5)]


def test_a_lock_on_something_else_is_not_listed_and_one_on_the_vm_makes_nothing_likely() -> None:
    changes = listed(lock(2, f"{SUBSCRIPTION}/resourceGroups/other"), lock(3, VM), restore_point_collections=(COLLECTION,))
    assert [(change.scope, change.makes_likely) for change in changes.changes] == [(VM, ())]


def test_where_the_collections_were_not_read_azure_backups_groups_and_the_subscription_count() -> None:
    changes = listed(lock(2, POINTS), lock(3, SUBSCRIPTION))
    assert [change.makes_likely for change in changes.changes] == [("restore_point_group_locked",)] * 2


def test_a_cause_that_is_ruled_out_is_not_made_likely_again() -> None:
    verdicts = {"restore_point_group_locked": Verdict.RULED_OUT}
    (change,) = listed(lock(2, POINTS), verdicts=verdicts).changes
    assert change.makes_likely == ()


def test_a_change_leaves_every_verdict_as_it_is() -> None:
    """The list is made from the diagnosis, and the diagnosis without it."""
    assert "resource_changes" not in {name for rule in RECORDS for name in rule.causes}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "handlers" / "causes").glob("*.py")]
    assert not any("resource_changes" in text or "authorization_activity" in text for text in texts)


def test_stages_of_an_action_failures_and_azure_backups_own_work_are_left_out() -> None:
    changes = listed(
        entry("deallocate", 2, status="Started"), entry("deallocate", 2), entry("start", 1, status="Failed"),
        entry("restart", 3, by_backup=True),
    )  # fmt: skip
    assert kinds(changes) == ["vm_deallocated"]


def test_a_role_that_was_given_or_taken_far_above_the_vm_is_not_listed() -> None:
    above = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/r"
    given = [entry(f"roleassignments/{what}", 2, above) for what in ("write", "delete")]
    assert listed(*given).changes == ()


def test_where_change_records_could_not_be_read_the_activity_log_of_the_vm_stands_in() -> None:
    activity = Activity(hours_ago(48), (entry("extensions/write", 2, f"{VM}/extensions/a"),))
    assert kinds(listed(vm_activity=activity)) == []
    assert kinds(listed(vm_activity=activity, resource_changes=FORBIDDEN)) == ["extension_changed"]


@pytest.mark.parametrize(
    ("change", "kind", "likely"),
    [
        (record(2), "security_group_changed", ("no_outbound_access", "wireserver_blocked")),
        (record(2, after="168.63.129.16"), "security_group_changed", ("wireserver_blocked", "no_outbound_access")),
        (record(2, f"{VM}/extensions/VMSnapshotLinux", "delete"), "extension_deleted", ("backup_extension_failed",)),
        (record(2, f"{VM}/extensions/MDE.Linux", "create"), "extension_made", ("antivirus_blocking", "other_extension_failed")),
        (record(2, VM, path="osProfile.allowExtensionOperations"), "vm_changed", ("extensions_not_allowed",)),
        (record(2, VM, path="hardwareProfile.vmSize"), "vm_changed", ()),
        (record(2, VM, "create"), "vm_made", ("vm_deleted_or_moved",)),
        (record(2, f"{VM[:-18]}disks/d", path="diskSizeGB"), "disk_changed", ("disk_too_large",)),
        (record(2, f"{VM[:-18]}disks/d", path="diskState", after="ActiveSAS"), "disk_changed", ("disk_sas_outstanding",)),
        (record(2, f"{SUBSCRIPTION}/resourceGroups/k/providers/Microsoft.KeyVault/vaults/kv", path="accessPolicies[0]"),
         "key_vault_changed", ("key_vault_permissions_missing", "encryption_key_unreachable")),
    ],
)  # fmt: skip
def test_what_a_change_makes_likely_follows_from_its_resource_and_its_properties(
    change: ResourceChange, kind: str, likely: tuple[str, ...]
) -> None:
    everything = {cause: Verdict.UNKNOWN for rule in RECORDS for cause in (*rule.causes, *rule.otherwise)}
    (found,) = listed(records=(change,), verdicts=everything).changes
    assert (found.kind, found.makes_likely) == (kind, likely)


def test_of_too_many_changes_those_stay_that_make_something_likely() -> None:
    resized = tuple(record(1 + number / 100, VM, path=f"tag{number}") for number in range(20))
    changes = listed(lock(23, POINTS), records=resized)
    assert len(changes.changes) == 12
    assert changes.left_out == 9
    assert kinds(changes)[-1] == "lock_made"


def test_every_cause_in_the_tables_is_one_that_is_checked_and_every_kind_has_its_sentence() -> None:
    known = {path.stem for folder in causes_path for path in (ROOT / folder).glob("*.py")}
    tables = [rule.causes for rule in RECORDS] + [rule.otherwise for rule in RECORDS]
    tables += [causes for _, causes in (*ACTIONS.values(), *WRITES.values())]
    assert {cause for table in tables for cause in table} <= known
    made = {f"{rule.thing}_{how}" for rule in RECORDS for how in ("made", "changed", "deleted")}
    kinds = made | {kind for kind, _ in (*ACTIONS.values(), *WRITES.values())}
    assert all(set(words_of(language)["changes"]) == kinds for language in LANGUAGES)


# ------------------------------------------------------------------------------------------------ what could not be read


@pytest.mark.parametrize("why", [FORBIDDEN, THROTTLED, Unknown(Reason.TIMED_OUT)])
def test_what_could_not_be_read_is_said_beside_what_could(why: Unknown) -> None:
    changes = listed(authorization_activity=why, records=(record(2),))
    assert kinds(changes) == ["security_group_changed"]
    assert changes.unread == (("authorization_activity", why),)
    assert listed(resource_changes=why).unread == (("resource_changes", why),)


def test_where_the_activity_log_could_not_be_read_a_lock_itself_says_when_it_was_made_and_by_whom() -> None:
    keep = Lock(f"{POINTS}/providers/Microsoft.Authorization/locks/Keep", "Keep", "CanNotDelete", POINTS, "", hours_ago(2), "eva")
    (change,) = listed(authorization_activity=FORBIDDEN, restore_point_group_locks=(keep,)).changes
    assert (change.kind, change.at, change.who, change.makes_likely) == (
        "lock_made", hours_ago(2), "eva", ("restore_point_group_locked",),
    )  # fmt: skip
    assert listed(restore_point_group_locks=(keep,)).changes == (), "else the activity log is what is listed"


def test_networks_that_may_be_others_are_not_listed_and_that_is_said() -> None:
    changes = listed(resource_changes=ResourceChanges(hours_ago(48), (), FORBIDDEN))
    assert changes.unread == (("outbound_access", FORBIDDEN),)


def test_the_list_says_how_far_back_it_reaches() -> None:
    assert listed().reaches_back
    old = Job("g", "Completed", started_at=NOW - timedelta(days=20))
    assert (listed(last_good=old).since, listed(last_good=old).reaches_back) == (
        JOB.started_at and JOB.started_at - timedelta(days=14),
        False,
    )
    assert listed(last_good=None).good_at is None
    assert listed(last_good=FORBIDDEN).good_unread == FORBIDDEN


def test_a_failure_without_a_vm_has_no_such_list() -> None:
    bare = Failure.of(Alert("azure_backup"), None, NOW)
    assert changes_since_good(Diagnosis(bare, Error("X"), (), {})) is None


def test_between_two_times_the_same_reading_lists_what_ended_the_failure() -> None:
    facts = {"authorization_activity": Reading(Activity(hours_ago(48), (lock(-1, POINTS, operation="locks/delete"),)), "", NOW)}
    changes = changes_between(NOW, hours_ago(-2), FAILURE, facts, ())
    assert kinds(changes) == ["lock_deleted"]


# ------------------------------------------------------------------------------------------------ in words


def test_in_words_a_change_is_one_line_and_names_people_only_if_it_may() -> None:
    hostile = record(2, f"{NSG}\n# x", path="a\nb", after="<b>|\x1b[31m")
    (change,) = told(listed(records=(hostile,)), "en", show_actors=True)
    assert change.what == "network security group nsg # x was changed (a b: before → <b>|)"
    assert change.who == "ana"
    assert told(listed(records=(hostile,)), "en", show_actors=False)[0].who == ""


def test_on_the_page_names_and_values_are_code_whatever_they_hold() -> None:
    hostile = record(2, f"{NSG}` @everyone", path="[x](https://evil)", after="{scope} ![i](u)")
    (change,) = listed(records=(hostile,)).changes
    said = sentence_of(change, "en", code_span)
    assert said == ("network security group ``nsg` @everyone`` was changed (`[x](https://evil)`: `before` → `{scope} ![i](u)`)")


def test_of_many_properties_the_first_are_shown() -> None:
    change = replace(listed(records=(record(2),)).changes[0], properties=tuple(PropertyChange(f"p{n}") for n in range(5)))
    assert sentence_of(change, "en", plain).endswith("(p0; p1; p2; + 2)")


@pytest.mark.parametrize(("hours", "text"), [(0.5, "30 min"), (5.25, "5 h 15 min"), (51, "2 d 3 h"), (0, "0 min")])
def test_a_duration_is_told_in_its_two_largest_units(hours: float, text: str) -> None:
    assert duration_text(hours) == text


def test_nothing_is_told_where_there_is_no_list() -> None:
    assert told(None, "en", show_actors=True) == ()


# ------------------------------------------------------------------------------------------------ whose it is


def tags(**values: Any) -> dict[str, Reading]:
    return {f"{name}_tags": Reading(value, "", NOW) for name, value in values.items()}


def test_the_owner_is_the_first_tag_of_the_vm_then_of_its_group_then_of_the_vault_in_any_case() -> None:
    names = ("owner", "team")
    assert owner_of(tags(vm={"Team": "a", "OWNER": "b"}, group={"owner": "c"}), names) == "b"
    assert owner_of(tags(vm={"Team": "a"}, group={"owner": "c"}), names) == "a"
    assert owner_of(tags(vm={"owner": " "}, group={}, vault={"Owner": "v"}), names) == "v"
    assert owner_of(tags(vm=FORBIDDEN, group={"owner": "c"}), names) == "c"
    assert owner_of(tags(vm={"cost": "1"}, group=FORBIDDEN), names) is None
    assert owner_of({}, names) is None
