"""Facts are read side by side, each at most once; what cannot be read says why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ODataV4Format,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from handlers import facts
from handlers.azure.arm import NoWorkspace
from handlers.facts import Reads, Unread, gather, why_unread
from handlers.model import Alert, Failure, Reason, ResourceId, Unknown

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
VM = ResourceId.parse("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-01")
FAILURE = Failure(Alert("azure_backup"), None, NOW, vm=VM, item_name="vm-01")


class Answer:
    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status_code, self.headers, self.reason = status, headers, "x"

    def body(self) -> bytes:
        return b""


def http_error(status: int, message: str = "x", **headers: str) -> HttpResponseError:
    error = HttpResponseError(message)
    error.status_code, error.message, error.response = status, message, Answer(status, headers)  # type: ignore[assignment]
    return error


def not_found(code: str) -> ResourceNotFoundError:
    error = ResourceNotFoundError("gone")
    error.status_code = 404
    error.error = ODataV4Format({"code": code, "message": "gone"})
    return error


class FakeAzure:
    """Answers every read with one body, or with an exception; counts."""

    has_workspace = False

    def __init__(self, answer: Any = None, seconds: float = 0) -> None:
        self.answer, self.seconds, self.paths = answer, seconds, list[str]()

    def get(self, path: str, api_version: str, **query: str) -> Any:
        self.paths.append(path)
        time.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(path) if isinstance(self.answer, Callable) else self.answer  # type: ignore[arg-type]

    def list_all(self, path: str, api_version: str, **query: str) -> list[Any]:
        found: list[Any] = self.get(path, api_version, **query)
        return found


def read(names: list[str], azure: FakeAzure, failure: Failure = FAILURE) -> dict[str, Any]:
    readings = gather(names, failure, azure, message="m", now=NOW)  # type: ignore[arg-type]
    return {name: reading.value for name, reading in readings.items()}


VM_BODY = {
    "name": "vm-01",
    "location": "westeurope",
    "properties": {"provisioningState": "Succeeded", "storageProfile": {"osDisk": {"osType": "Linux", "name": "os", "diskSizeGB": 30}}, "instanceView": {
        "statuses": [{"code": "PowerState/running"}],
        "vmAgent": {"vmAgentVersion": "2.13.1.1", "statuses": [{"code": "ProvisioningState/succeeded", "displayStatus": "Ready"}]}}},
}  # fmt: skip


def test_many_facts_of_one_vm_are_one_read() -> None:
    azure = FakeAzure(VM_BODY)
    values = read(
        ["vm", "agent", "power_state", "extensions", "extensions_allowed", "agent_provisioned", "disk_keys", "vm_presence"], azure
    )
    assert len(azure.paths) == 1
    assert values["power_state"] == "running"
    assert values["agent"].ready
    assert values["disk_keys"] == ()


def test_facts_are_read_side_by_side() -> None:
    started = time.monotonic()
    read(["vm", "vm_availability", "restore_point_group_locks", "lock_changes"], FakeAzure([], seconds=0.1))
    assert time.monotonic() - started < 0.35


def test_what_the_failure_carries_is_not_read() -> None:
    azure = FakeAzure()
    assert read(["failed_at", "now", "message", "job"], azure) == {
        "failed_at": NOW,
        "now": NOW,
        "message": "m",
        "job": Unknown(Reason.NOT_NAMED),
    }
    assert azure.paths == []


def test_a_refusal_names_the_missing_action() -> None:
    said = "The client 'x' does not have authorization to perform action 'Microsoft.Authorization/locks/read' over scope '/subscriptions/s'"
    assert read(["restore_point_group_locks"], FakeAzure(http_error(403, said)))["restore_point_group_locks"] == Unknown(
        Reason.FORBIDDEN, "Microsoft.Authorization/locks/read"
    )


def test_a_refusal_that_names_nothing_names_what_the_fact_needs() -> None:
    assert read(["power_state"], FakeAzure(http_error(403)))["power_state"].detail.startswith(
        "Microsoft.Compute/virtualMachines/read"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (http_error(429, **{"Retry-After": "1200"}), Unknown(Reason.THROTTLED, "Retry-After 1200 s")),
        (http_error(500), Unknown(Reason.FAILED, "HTTP 500")),
        (ResourceNotFoundError("x", response=Answer(404, {})), Unknown(Reason.NOT_FOUND)),  # type: ignore[arg-type]
        (ServiceRequestError("refused"), Unknown(Reason.FAILED, "ServiceRequestError")),
        (ServiceResponseError("Read timed out."), Unknown(Reason.TIMED_OUT)),
        (NoWorkspace(), Unknown(Reason.NO_WORKSPACE)),
        (Unread(Reason.NO_DATA), Unknown(Reason.NO_DATA)),
        (KeyError("properties"), Unknown(Reason.FAILED, "KeyError")),
    ],
)
def test_every_way_to_fail_becomes_a_reason(error: Exception, expected: Unknown) -> None:
    assert why_unread(error) == expected


def test_a_missing_vm_is_a_finding_and_its_facts_are_unknown() -> None:
    values = read(["vm_presence", "agent"], FakeAzure(not_found("ResourceNotFound")))
    assert values == {"vm_presence": "missing", "agent": Unknown(Reason.NOT_FOUND)}


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "InvalidSubscriptionId", ""])
def test_any_other_404_does_not_say_that_the_vm_is_gone(code: str) -> None:
    assert read(["vm_presence"], FakeAzure(not_found(code))) == {"vm_presence": Unknown(Reason.NOT_FOUND, code)}


def test_a_vm_that_the_alert_does_not_name_cannot_be_read() -> None:
    assert read(["agent"], FakeAzure(), Failure(Alert("x"), None, NOW))["agent"] == Unknown(Reason.NOT_NAMED)


def test_what_is_not_read_in_time_is_unknown_and_the_rest_goes_out() -> None:
    started = time.monotonic()
    readings = gather(["agent", "now"], FAILURE, FakeAzure(VM_BODY, seconds=1), message="", now=NOW, deadline=0.2)  # type: ignore[arg-type]
    assert readings["agent"].value == Unknown(Reason.TIMED_OUT, "0.2 s")
    assert readings["now"].value == NOW
    assert time.monotonic() - started < 0.8


def test_two_threads_that_ask_for_the_same_read_share_it() -> None:
    azure = FakeAzure(VM_BODY, seconds=0.05)
    reads = Reads(azure)  # type: ignore[arg-type]
    threads = [threading.Thread(target=lambda: reads.get("/X", "1")) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(azure.paths) == 1


def test_a_failed_read_fails_for_everybody_who_shares_it() -> None:
    reads = Reads(FakeAzure(http_error(500)))  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(HttpResponseError):
            reads.get("/x", "1")


def test_every_fact_names_the_permissions_it_needs() -> None:
    for name, fact in facts.all_facts().items():
        assert fact.needs, name
        assert all(need.endswith(("/read", "/Read")) for need in fact.needs), f"{name} may only read"
