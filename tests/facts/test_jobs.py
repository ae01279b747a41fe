"""Finding the failed job: by id, else the item's nearest failed one, else from the log; text from alerts cannot break a query."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.facts.jobs import completed_after, find_job, kql_text
from handlers.model import Alert, Failure, Reason
from tests.facts.test_gather import http_error

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
VAULT = "/subscriptions/s/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv"
VM = "/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.Compute/virtualMachines/vm-twin"


class Resource:
    def __init__(self, name: str, **properties: Any) -> None:
        self.name, self.properties = name, properties


def job(name: str, hours_ago: float, status: str = "Failed", group: str = "rg-a", **more: Any) -> Resource:
    time = (NOW - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
    return Resource(name, status=status, operation="Backup", entityFriendlyName="vm-twin", startTime=time, endTime=time,
                    containerName=f"iaasvmcontainerv2;{group};vm-twin", **more)  # fmt: skip


class FakeAzure:
    """The backup SDK's client and the log query in one."""

    def __init__(self, *jobs: Resource, error: Exception | None = None, rows: list[dict[str, Any]] | None = None) -> None:
        self.jobs, self.error, self.rows = jobs, error, rows
        self.queries: Any = []
        self.has_workspace = rows is not None
        self.job_details = self.backup_jobs = self

    def backup(self, subscription: str) -> FakeAzure:
        return self

    def get(self, vault: str, group: str, name: str) -> Resource:
        if self.error:
            raise self.error
        return next(found for found in self.jobs if found.name == name)

    def list(self, vault: str, group: str, *, filter: str) -> Any:
        if self.error:
            raise self.error
        return [found for found in self.jobs if "status eq 'Failed'" not in filter or found.properties["status"] == "Failed"]

    def query_logs(self, query: str, span: Any) -> Any:
        self.queries.append(query)
        return self.rows or []


def alert(job_id: str = "") -> Alert:
    return Alert("metric", fired_at=NOW, job_id=job_id, vault_id=VAULT, vm_id=VM, item_name="vm-twin")


def find(azure: FakeAzure, **fields: str) -> Any:
    return find_job(alert(**fields), azure)  # type: ignore[arg-type]


def test_the_job_that_the_alert_names_is_read() -> None:
    errors = [{"errorCode": 400, "errorTitle": "t", "errorString": "m", "recommendations": ["r"]}]
    extended = {"tasksList": [{"taskId": "Take Snapshot", "status": "Failed"}], "dynamicErrorMessage": "d"}
    found = find(FakeAzure(job("j1", 1, errorDetails=errors, extendedInfo=extended, isUserTriggered=False)), job_id="j1")
    assert (found.job.errors[0].number, found.job.errors[0].message, found.job.detailed_message) == (400, "m", "d")
    assert found.job.tasks[0].name == "Take Snapshot"
    assert found.job.scheduled is True
    assert found.job.ended_at == NOW - timedelta(hours=1) + timedelta(microseconds=123456)


def test_without_an_id_the_nearest_failed_job_of_the_item_is_taken() -> None:
    assert find(FakeAzure(job("far", 20), job("near", 2), job("fine", 1, "Completed"))).job.id == "near"


def test_a_job_of_another_vm_of_the_same_name_is_not_taken() -> None:
    assert find(FakeAzure(job("other", 0.5, group="rg-b"), job("mine", 5))).job.id == "mine"


def test_where_the_job_cannot_be_read_the_log_is_asked() -> None:
    row = {
        "JobUniqueId": "j1",
        "JobStatus": "Failed",
        "JobFailureCode": "UserErrorX",
        "JobStartDateTime": NOW,
        "JobDurationInSecs": 60,
        "AdHocOrScheduledJob": "AdHoc",
    }
    found = find(FakeAzure(error=http_error(403), rows=[row]), job_id="j1")
    assert (found.job.error_code, found.job.scheduled) == ("UserErrorX", False)
    assert found.job.ended_at == NOW + timedelta(minutes=1)
    assert found.unread.why is Reason.FORBIDDEN


def test_when_nothing_can_be_read_the_alert_goes_on_alone() -> None:
    found = find(FakeAzure(error=http_error(403)), job_id="j1")
    assert found.job is None
    assert found.unread.detail == "Microsoft.RecoveryServices/Vaults/backupJobs/read"


@given(st.text())
def test_text_from_an_alert_cannot_leave_its_string_in_a_query(text: str) -> None:
    literal = kql_text(text)
    assert literal.startswith("'")
    assert literal.endswith("'")
    inside = literal[1:-1]
    assert "'" not in inside
    assert "\n" not in inside
    assert '"' not in inside
    shown = json.loads(f'"{inside}"')
    assert shown == "".join(char for char in text if ord(char) < 0x10000)


@pytest.mark.parametrize(("status", "hours_ago", "found"), [("Completed", 1, True), ("CompletedWithWarnings", 1, True), ("Completed", 7, False),
                                                            ("Failed", 1, False), ("InProgress", 1, False)])  # fmt: skip
def test_only_a_completed_backup_that_began_after_the_failure_is_a_proof(status: str, hours_ago: float, found: bool) -> None:
    failure = Failure.of(alert(), None, NOW)
    proof = completed_after(failure, NOW - timedelta(hours=6), FakeAzure(job("j", hours_ago, status)))  # type: ignore[arg-type]
    assert (proof is not None) is found
