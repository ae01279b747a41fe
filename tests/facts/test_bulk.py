"""What is read of many VMs at once: the same facts as those read of one, or an honest "not read"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.alerts import read
from handlers.azure.arm import Azure
from handlers.facts import CARRIED, all_facts, gather
from handlers.facts.bulk.graph_rows import LAG
from handlers.facts.bulk.reads import OF_ROWS, ROWS, Bulk, BulkReads
from handlers.facts.jobs import find_job
from handlers.model import Alert, Failure, Reading, Reason, Unknown, VirtualMachine
from handlers.settings import Settings
from sandbox.azure import RunningAzure, running_azure
from sandbox.scenario import Scenario, load_scenarios

pytestmark = pytest.mark.server
ALONE = frozenset({
    "agent", "extensions", "last_good_consistency", "overlapping_backup_jobs", "patch_assessment", "recovery_points", "resource_changes",
    "restore_point_collections", "unread_vaults", "vm_availability",
})  # fmt: skip
"""What no list tells. Another vault's running job is read alone too."""
WORLDS = [scenario for scenario in load_scenarios() if not scenario.data.get("faults") and scenario.source != "unreadable"]


@pytest.fixture(scope="module")
def azure() -> Iterator[RunningAzure]:
    with running_azure(WORLDS) as running:
        yield running


def client(running: RunningAzure, scenario: Scenario) -> Azure:
    workspace = scenario.workspace_id
    return Azure(
        Settings("http://127.0.0.1", arm_endpoint=running.url, logs_endpoint=running.url, log_analytics_workspace_id=workspace)
    )


def failure_of(scenario: Scenario, azure: Azure, now: datetime) -> Failure | None:
    for alert in read(scenario.alert_body(now)):
        if isinstance(alert, Alert) and (failure := Failure.of(alert, find_job(alert, azure).job, now)).vm and failure.vault:
            return failure
    return None


def both(running: RunningAzure, scenario: Scenario) -> tuple[dict[str, Reading], dict[str, Reading]]:
    """Every fact, read of the VM alone and in bulk."""
    azure, now = client(running, scenario), datetime.now(UTC)
    failure = failure_of(scenario, azure, now)
    if failure is None:
        pytest.skip("the alert names no VM")
    failure = replace(failure, failed_at=min(failure.failed_at, now - LAG))
    names = all_facts().keys() - set(CARRIED)
    reads = BulkReads(failure, Bulk(azure, [failure]))
    alone = gather(names, failure, azure, message="", now=now)
    return alone, gather(names, failure, azure, message="", now=now, reads=reads)


def comparable(name: str, value: Any) -> Any:
    """The instance view says since when a VM's state is so; the VM's model, which rows show, says the state only."""
    if isinstance(value, VirtualMachine):
        return replace(value, status="", status_at=None, message="")
    if name == "outbound_access" and not isinstance(value, Unknown):
        needs = tuple(need for need in value.needed_by if need != "unsupported_agent")
        return replace(value, needed_by=needs, needs_unread=None)
    return value


@pytest.mark.parametrize("scenario", WORLDS, ids=lambda scenario: scenario.name)
def test_both_readers_say_the_same_of_every_fact(azure: RunningAzure, scenario: Scenario) -> None:
    alone, bulk = both(azure, scenario)
    for name in sorted(alone):
        one, many = alone[name].value, bulk[name].value
        if isinstance(many, Unknown) and many.why in (Reason.NOT_SAMPLED, Reason.NOT_SHOWN):
            assert name in ALONE or isinstance(one, Unknown) or gone(alone), f"{name}: {one}"
        elif isinstance(one, Unknown):
            assert isinstance(many, Unknown), f"{name} is unread alone, and {many} in bulk"
            assert many.why is one.why, name
        elif name == "outbound_access" and one.needed_by == ("unsupported_agent",):
            assert many.needs_unread == Unknown(Reason.NOT_SAMPLED)
        else:
            assert comparable(name, many) == comparable(name, one), name


def gone(readings: Mapping[str, Reading]) -> bool:
    """That a VM is not there is proven by a read of it alone."""
    return bool(readings["vm_presence"].value == "missing")


def test_what_rows_tell_names_the_rows_as_its_source(azure: RunningAzure) -> None:
    _, bulk = both(azure, WORLDS[0])
    assert {bulk[name].source for name in OF_ROWS} == {ROWS}


def test_a_row_that_may_be_older_than_the_failure_proves_nothing(azure: RunningAzure) -> None:
    scenario, now = WORLDS[0], datetime.now(UTC)
    reader = client(azure, scenario)
    failure = failure_of(scenario, reader, now)
    assert failure
    late = replace(failure, failed_at=now - LAG + timedelta(minutes=1))
    reads = BulkReads(late, Bulk(reader, [late]))
    readings = gather(("vm", "power_state"), late, reader, message="", now=now, reads=reads)
    assert {reading.value for reading in readings.values()} == {Unknown(Reason.OLD_ROW)}
