"""Whose it is, what was changed, whether it was so before, and how it ended: on the ticket and in its event."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.tickets.engine.expressions import evaluated
from tests.event_schema import EVENT_SCHEMA
from tests.stories.test_backup_failed import LOCKED, alert, next_failure
from tests.stories.test_sweep import add_job, swept, world_of
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
MADE = "lock_made_before_the_failure"


def opened(bench: Bench, name: str = MADE) -> dict[str, Any]:
    """The event of the first ticket."""
    bench.fire(alert(name))
    bench.work()
    event = bench.target.events[0]
    EVENT_SCHEMA.validate(event)
    return event


def happens(bench: Bench, operation: str, minutes: float, name: str, who: str = "kim") -> None:
    """Somebody does something to a lock of the restore-point group, so many minutes before now."""
    world = world_of(bench, MADE)
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    group = world.group_id(world.restore_point_group)
    world.activity.append(world._activity({
        "eventTimestamp": at.isoformat(), "resourceId": f"{group}/providers/Microsoft.Authorization/locks/{name}", "caller": who,
        "operationName": {"value": f"Microsoft.Authorization/{operation}"}, "status": {"value": "Succeeded"},
        "resourceProviderName": {"value": "Microsoft.Authorization"}, "resourceGroupName": world.restore_point_group,
    }))  # fmt: skip


def recover(bench: Bench) -> dict[str, Any]:
    """A backup completes and the sweep sees it; the event of the end."""
    add_job(bench, "Completed", 0.01, MADE)
    bench.clock.ahead += timedelta(hours=2)
    assert swept(bench)["recovered"] == 1
    event = bench.target.events[-1]
    EVENT_SCHEMA.validate(event)
    return event


# ------------------------------------------------------------------------------------------------ what was changed


def test_a_backup_policy_that_was_changed_before_the_failure_is_listed_with_who_did_it(bench_of: BenchOf) -> None:
    bench = bench_of(MADE)
    world = world_of(bench, MADE)
    policy = next(body for body in world.of_type("Microsoft.RecoveryServices/vaults/protectedItems") or world.resources.values()
                  if body.get("properties", {}).get("policyId"))["properties"]["policyId"]  # fmt: skip
    at = datetime.now(UTC) - timedelta(hours=3)
    world.activity.append(world._activity({
        "eventTimestamp": at.isoformat(), "resourceId": policy, "caller": "kim", "status": {"value": "Succeeded"},
        "operationName": {"value": "Microsoft.RecoveryServices/vaults/backupPolicies/write"},
        "resourceProviderName": {"value": "Microsoft.RecoveryServices"}, "resourceGroupName": world.vault_id.split("/")[4],
    }))  # fmt: skip
    listed = {change["what"]: change for change in opened(bench)["data"]["changes_since_last_good"]}
    (what,) = [what for what in listed if what.startswith("backup policy ")]
    assert what == f"backup policy {policy.rpartition('/')[2]} was created or changed"
    assert listed[what]["who"] == "kim"


def test_the_event_lists_what_was_changed_by_whom_and_what_it_makes_likely(bench_of: BenchOf) -> None:
    data = opened(bench_of(MADE))["data"]
    (change,) = data["changes_since_last_good"]
    assert (change["who"], change["what"]) == ("dana", "lock Keep-It was created on AzureBackupRG_northeurope_1")
    assert change["makes_likely"] == ["restore_point_group_locked"]
    assert data["changes_unread"] == []


def test_nobody_is_named_where_the_setting_says_so(bench_of: BenchOf) -> None:
    event = opened(bench_of(MADE, show_actors=False))
    assert event["data"]["changes_since_last_good"][0]["who"] is None
    assert "Keep-It" in event["data"]["runbook"]["markdown"]
    assert "dana" not in event["data"]["runbook"]["markdown"]


@pytest.mark.parametrize(("name", "reason"), [("activity_log_forbidden", "forbidden"), ("changes_throttled", "throttled")])
def test_of_changes_that_could_not_be_read_it_is_said_why(bench_of: BenchOf, name: str, reason: str) -> None:
    data = opened(bench_of(name), name)["data"]
    assert (data["changes_since_last_good"] is None) == (name == "changes_throttled"), "a lock says itself when it was made"
    assert {"authorization_activity", "vm_activity"} <= {unread["fact"] for unread in data["changes_unread"]}
    assert {unread["reason"] for unread in data["changes_unread"]} == {reason}
    assert "**Could not be read: Activity log: locks, roles and policies.**" in data["runbook"]["markdown"]


def test_changes_that_are_read_only_the_second_time_update_the_ticket(bench_of: BenchOf) -> None:
    bench = bench_of(MADE)
    bench.azure.add_fault(
        match="GET */eventtypes/management/values*Microsoft.Authorization*", status=429, retry_after=600, times=1
    )
    assert opened(bench)["data"]["changes_since_last_good"][0]["who"] is None
    bench.run(seconds=600)
    assert bench.target.types == ["incident.opened", "incident.updated"]
    assert bench.target.events[-1]["data"]["changes_since_last_good"][0]["who"] == "dana"


# ------------------------------------------------------------------------------------------------ whose it is


def test_the_owner_and_the_tags_are_in_the_event_on_the_ticket_and_in_expressions(bench_of: BenchOf) -> None:
    data = opened(bench_of(MADE))["data"]
    assert data["owner"] == "payments"
    assert data["tags"] == {"vm": {"Owner": "payments"}, "resource_group": {}, "vault": {}}
    assert " · owner: `payments`" in data["runbook"]["markdown"]
    assert evaluated("= owner or 'nobody'", data) == "payments"
    assert evaluated("= tags.vm.Owner ~ '/' ~ (tags.vault.CostCenter or '-')", data) == "payments/-"


def test_the_owner_comes_from_the_tags_that_the_setting_names(bench_of: BenchOf) -> None:
    data = opened(bench_of(MADE, owner_tags=("squad",)))["data"]
    assert data["owner"] is None
    assert "owner:" not in data["runbook"]["markdown"]


# ------------------------------------------------------------------------------------------------ how it ended


def test_the_end_names_the_vm_the_cause_the_time_and_what_was_changed(bench_of: BenchOf) -> None:
    bench = bench_of(MADE)
    opened(bench)
    happens(bench, "locks/delete", 2, "Keep-It")
    page = recover(bench)["data"]["runbook"]["markdown"]
    assert "- **VM:** `vm-pay-04`" in page
    assert "- **Error:** `UserErrorRpCollectionLimitReached`" in page
    assert "- **Last known cause:** A lock prevents the deletion of old restore points" in page
    assert re.search(r"- \*\*Time to recover:\*\* \d+ min, from the first failure \(", page)
    assert "lock `Keep-It` on `AzureBackupRG_northeurope_1` was deleted, by `kim`" in page
    assert "was created" not in page, "that was before the failure"


def test_the_end_says_what_could_not_be_read(bench_of: BenchOf) -> None:
    bench = bench_of(MADE)
    opened(bench)
    bench.azure.add_fault(match="GET */eventtypes/management/values*", status=403)
    page = recover(bench)["data"]["runbook"]["markdown"]
    assert "- No change was found in the data that could be read." in page
    assert "**Could not be read: Activity log: locks, roles and policies.**" in page


def test_the_end_carries_what_was_last_known(bench_of: BenchOf) -> None:
    bench = bench_of(MADE)
    first = opened(bench)["data"]
    last = recover(bench)["data"]
    for name in ("vm", "error", "findings", "owner", "tags", "changes_since_last_good"):
        assert last[name] == first[name], name


def test_an_end_without_any_document_still_names_error_and_vm(bench_of: BenchOf) -> None:
    bench = bench_of(MADE)
    opened(bench)
    blobs = bench.storage.blobs("incidents")
    for name in list(blobs.list_blob_names()):
        blobs.delete_blob(name)
    data = recover(bench)["data"]
    assert data["error"]["code"] == "UserErrorRpCollectionLimitReached"
    assert data["error"]["title"]
    assert data["vm"]["name"] == "vm-pay-04"


# ------------------------------------------------------------------------------------------------ the same before


def test_the_next_incident_of_the_vm_names_the_last_one_with_the_same_error(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    add_job(bench, "Completed", 1)
    bench.clock.ahead += timedelta(hours=2)
    swept(bench)
    bench.fire(next_failure(bench, hours=72))
    bench.work()
    assert bench.target.types == ["incident.opened", "incident.resolved", "incident.opened"]
    first, again = bench.target.events[0]["data"], bench.target.events[-1]["data"]
    page = again["runbook"]["markdown"]
    at = datetime.fromisoformat(first["incident"]["first_failed_at"])
    assert again["incident"]["id"] != first["incident"]["id"]
    assert f"**The same failure occurred on this VM on {at:%Y-%m-%d %H:%M} UTC.** Cause at that time: A lock prevents" in page
    assert f"ticket [`T-{first['incident']['id'][:6]}`](https://tickets.example.com/1)" in page
    assert "This VM had the same" not in first["runbook"]["markdown"]
