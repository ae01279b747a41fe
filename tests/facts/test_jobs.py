"""Finding the failed job: by id, else the item's nearest failed one, else from the log; text from alerts cannot break a query."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.diagnosis.catalogue import classify
from handlers.facts.jobs import completed_after, find_job
from handlers.facts.queries import graph_query, query
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
    bound, _, rest = query("job", job=text).partition(";\n")
    assert rest == query("job")
    literal = bound.removeprefix("let job = ")
    assert literal in graph_query("items_of_vms", vms=[text])
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


ROW = {"JobUniqueId": "j1", "JobStatus": "Failed", "JobFailureCode": "UserErrorVmNotFoundV2", "JobStartDateTime": NOW,
       "JobDurationInSecs": 60, "BackupItemUniqueId": "weu;123;iaasvmcontainerv2;rg-a;vm-twin"}  # fmt: skip


def failed(message: str, title: str = "") -> Resource:
    return job("j1", 1, errorDetails=[{"errorCode": 0, "errorTitle": title, "errorString": message}])


def test_a_job_that_names_no_code_gets_the_one_of_the_log() -> None:
    found = find(FakeAzure(failed("Falha no backup."), rows=[ROW]), job_id="j1")
    assert found.job.error_code == "UserErrorVmNotFoundV2"


@pytest.mark.parametrize(("message", "title"), [("UserErrorGuestAgentStatusUnavailable", ""), ("x", "BackUpOperationFailed")])
def test_the_log_is_not_asked_where_the_job_names_its_code(message: str, title: str) -> None:
    azure = FakeAzure(failed(message, title), rows=[ROW])
    assert find(azure, job_id="j1").job.error_code == ""
    assert azure.queries == []


def test_job_failure_is_no_code() -> None:
    found = find_job(Alert("metric", fired_at=NOW, job_id="j1", vault_id=VAULT, error_code="JobFailure"),
                     FakeAzure(failed("x", "JobFailure"), rows=[ROW]))  # type: ignore[arg-type] # fmt: skip
    error = classify(Alert("metric", error_code="JobFailure"), found.job)
    assert (error.code, error.matched_by) == ("UserErrorVmNotFoundV2", "log")
    assert classify(Alert("metric", error_code="JobFailure"), None).code == ""


def test_an_item_is_found_in_the_log_by_the_whole_name_of_its_container() -> None:
    azure = FakeAzure(error=http_error(403), rows=[])
    find(azure)
    (asked,) = azure.queries
    assert asked.startswith("let container = ';iaasvmcontainerv2;rg-a;vm-twin';\n")
    assert "endswith container" in asked


def test_what_an_alert_does_not_name_comes_from_its_job() -> None:
    """An alert rule whose dimensions name only the job and its vault."""
    bare = Alert("log_search", fired_at=NOW, job_id="j1", vault_id=VAULT)
    found = find_job(bare, FakeAzure(failed("x")))  # type: ignore[arg-type]
    failure = Failure.of(bare, found.job, NOW)
    assert failure.vm
    assert failure.item
    assert failure.vm.id == VM
    assert failure.item.id.endswith(
        "/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-a;vm-twin/protectedItems/VM;iaasvmcontainerv2;rg-a;vm-twin"
    )
    assert failure.item_name == "vm-twin"
