"""Intake: what is answered to whom, and that nothing is accepted before it is queued."""

import base64
import json
from typing import Any

import pytest

from handlers.alert_received import accept_event, receive
from handlers.alerts.caller import ACTION_GROUPS_APP, ACTION_GROUPS_ROLE, is_action_group
from handlers.alerts.handshake import Answer, Request
from handlers.records.storage import StorageDown
from handlers.settings import Settings

SETTINGS = Settings(ticket_url="https://tickets.example.com")
SUBSCRIPTION = "11111111-aaaa-bbbb-cccc-000000000001"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv-01"
ALERT: dict[str, Any] = {
    "schemaId": "azureMonitorCommonAlertSchema",
    "data": {
        "essentials": {
            "alertId": "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/alert-1",
            "monitoringService": "Azure Backup",
            "signalType": "Log",
            "monitorCondition": "Fired",
            "alertRule": "Backup Failure",
        },
        "alertContext": {
            "category": "Jobs",
            "protectedItemId": f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/"
            "protectedItems/VM;iaasvmcontainerv2;rg;vm",
            "extendedInfo": {"jobId": "9a0e2a6b-0000-4000-8000-000000000001"},
        },
    },
}


class Queue:
    """A queue that keeps what it was given, or is down."""

    def __init__(self, down: bool = False) -> None:
        self.down, self.bodies = down, list[bytes]()

    def put(self, body: bytes) -> None:
        if self.down:
            raise StorageDown("ServiceRequestError")
        self.bodies.append(body)


def ask(
    content: bytes,
    queue: Queue | None = None,
    settings: Settings = SETTINGS,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    method: str = "POST",
) -> Answer:
    return receive(Request(method, headers or {}, query or {}, content), settings, queue or Queue())  # type: ignore[arg-type]


def post(
    body: object, queue: Queue | None = None, settings: Settings = SETTINGS, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    answer = ask(body if isinstance(body, bytes) else json.dumps(body).encode(), queue, settings, headers)
    return answer.status, answer.body


def test_an_alert_is_answered_with_its_id_after_it_is_queued() -> None:
    queue = Queue()
    status, body = post(ALERT, queue)
    assert status == 202
    assert body == {"accepted": [ALERT["data"]["essentials"]["alertId"]], "ignored": []}
    assert json.loads(queue.bodies[0]) == ALERT


def test_storage_down_is_503_with_retry_after_and_never_200() -> None:
    answer = ask(json.dumps(ALERT).encode(), Queue(down=True))
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    assert post(body) == (400, {"error": "The body is not JSON."})


def test_a_body_over_one_mebibyte_is_refused() -> None:
    assert post(b'"' + b"x" * 1024 * 1024 + b'"')[0] == 413


def test_an_alert_about_something_else_is_ignored_with_a_reason_and_not_queued() -> None:
    queue = Queue()
    body = {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": {"monitoringService": "CostAlerts"}, "alertContext": {}},
    }
    status, answer = post(body, queue)
    assert status == 202
    assert answer["accepted"] == []
    assert len(answer["ignored"]) == 1
    assert queue.bodies == []


def test_json_that_nobody_recognises_is_accepted_for_a_person() -> None:
    queue = Queue()
    assert post({"hello": "world"}, queue)[1]["accepted"] == ["unreadable"]
    assert len(queue.bodies) == 1


def test_an_alert_from_an_unwatched_subscription_is_ignored() -> None:
    other = Settings(ticket_url="https://t.example.com", watched_subscriptions=("99999999-0000-0000-0000-000000000000",))
    _, answer = post(ALERT, settings=other)
    assert answer["accepted"] == []
    assert "WATCHED_SUBSCRIPTIONS" in answer["ignored"][0]


def test_an_alert_from_a_watched_subscription_is_accepted_in_any_case() -> None:
    settings = Settings(ticket_url="https://t.example.com", watched_subscriptions=(SUBSCRIPTION,))
    assert post(json.loads(json.dumps(ALERT).replace(SUBSCRIPTION, SUBSCRIPTION.upper())), settings=settings)[1]["accepted"]


def test_event_grid_gets_its_validation_code_back() -> None:
    body = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "id": "1", "data": {"validationCode": "abc-123"}}]
    assert post(body, headers={"aeg-event-type": "SubscriptionValidation"}) == (200, {"validationResponse": "abc-123"})


def test_cloud_events_get_their_origin_allowed() -> None:
    answer = ask(b"", headers={"WebHook-Request-Origin": "eventgrid.azure.net"}, method="OPTIONS")
    assert answer.status == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


def principal(app: str = ACTION_GROUPS_APP, role: str = ACTION_GROUPS_ROLE) -> str:
    claims = [{"typ": "appid", "val": app}, {"typ": "roles", "val": role}]
    return base64.b64encode(json.dumps({"claims": claims}).encode()).decode()


@pytest.mark.parametrize("header", ["", "%%%", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"claims": 1}').decode(),
                                    principal(app="someone-else"), principal(role="Reader")])  # fmt: skip
def test_with_entra_only_azure_monitors_action_groups_may_post(header: str) -> None:
    entra = Settings(ticket_url="https://t.example.com", alerts_auth="entra")
    assert post(ALERT, settings=entra, headers={"X-MS-CLIENT-PRINCIPAL": header})[0] == 403
    assert is_action_group({"x-ms-client-principal": principal()})


OLD, NEW = "old-" + "k" * 40, "new-" + "k" * 40
WITH_KEYS = Settings(ticket_url="https://t.example.com", alerts_key=(OLD, NEW))


@pytest.mark.parametrize("key", [OLD, NEW])
def test_either_key_is_taken_in_the_address_or_in_the_header(key: str) -> None:
    content = json.dumps(ALERT).encode()
    assert ask(content, settings=WITH_KEYS, query={"code": key}).status == 202
    assert ask(content, settings=WITH_KEYS, headers={"X-Functions-Key": key}).status == 202


@pytest.mark.parametrize("key", ["", OLD[:-1], OLD + "k", OLD.upper(), f"{OLD},{NEW}", "kÉy", "\udcff"])
@pytest.mark.parametrize(
    ("method", "content"), [("POST", b"{}"), ("POST", b"no JSON"), ("POST", b" " * 2_000_000), ("OPTIONS", b"")]
)
def test_without_a_key_nobody_learns_anything(key: str, method: str, content: bytes) -> None:
    queue = Queue()
    answer = ask(content, queue, WITH_KEYS, {"x-functions-key": key}, {"code": key}, method)
    assert (answer.status, answer.body, dict(answer.headers), queue.bodies) == (401, None, {}, [])


class Event:
    def to_dict(self) -> dict[str, Any]:
        return {"id": "1", "topic": "/subscriptions/s", "subject": "x", "event_type": "Microsoft.Some.Other", "event_time": None,
                "data_version": "1", "data": {}}  # fmt: skip


def test_an_event_that_cannot_be_queued_goes_back_to_event_grid() -> None:
    event = Event()
    operation = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action"
    data = {"operationName": operation, "status": "Failed", "resourceUri": ALERT["data"]["alertContext"]["protectedItemId"]}
    failed = {**event.to_dict(), "event_type": "Microsoft.Resources.ResourceActionFailure", "data": data}
    event.to_dict = lambda: failed  # type: ignore[method-assign]
    queue = Queue()
    accept_event(event, SETTINGS, queue)  # type: ignore[arg-type]
    assert json.loads(queue.bodies[0])["eventType"] == "Microsoft.Resources.ResourceActionFailure"
    with pytest.raises(StorageDown):
        accept_event(event, SETTINGS, Queue(down=True))  # type: ignore[arg-type]
