"""The function host does what the real host does with an app: routes, queues, poison, Event Grid, timers, admin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import BinaryBase64EncodePolicy, QueueClient

from sandbox.function_host import InWork, running_host
from sandbox.timers import next_run
from tests.conftest import wait_until

APP = """
import json, os, pathlib
import azure.functions as func
app = func.FunctionApp()
SEEN = pathlib.Path(os.environ["SEEN"])

def note(**what):
    with SEEN.open("a") as file:
        file.write(json.dumps(what) + "\\n")

@app.route("items/{id:int}", methods=["GET", "POST"])
def items(req: func.HttpRequest) -> func.HttpResponse:
    body = json.dumps([dict(req.route_params), dict(req.params), req.get_body().decode(), req.headers.get("x-test")])
    return func.HttpResponse(body, status_code=201, headers={"x-answer": "yes"})

@app.route("broken")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("broken")

@app.queue_trigger("message", "work", "AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    note(queue=body, count=message.dequeue_count)
    if body.startswith("bad"):
        raise ValueError(body)

@app.queue_trigger("message", "%RETURNING_QUEUE%", "AzureWebJobsStorage")
def returning(message: func.QueueMessage):
    note(returning=message.get_body().decode())
    return "done"

@app.event_grid_trigger("event")
def events(event: func.EventGridEvent) -> None:
    note(event=event.to_dict()["id"])
    if event.to_dict()["id"] == "bad":
        raise ValueError("bad")

@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
def tick(timer: func.TimerRequest) -> None:
    note(tick=timer.past_due)
"""


class App:
    def __init__(self, url: str, storage: str, seen: Path) -> None:
        self.url, self.storage, self.seen_file = url, storage, seen

    def send(self, queue: str, *bodies: str) -> None:
        client = QueueClient.from_connection_string(self.storage, queue, message_encode_policy=BinaryBase64EncodePolicy())
        for body in bodies:
            client.send_message(body.encode())

    def count(self, queue: str) -> int:
        """How many messages lie in a queue; a poison queue is made with its first."""
        try:
            return QueueClient.from_connection_string(self.storage, queue).get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    def seen(self, key: str) -> list[object]:
        lines = self.seen_file.read_text().splitlines() if self.seen_file.exists() else []
        return [json.loads(line)[key] for line in lines if key in json.loads(line)]

    def until(self, key: str, count: int) -> list[object]:
        wait_until(lambda: len(self.seen(key)) >= count)
        return self.seen(key)


@pytest.fixture(scope="module")
def app(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "function_app.py").write_text(APP)
    queues = {"batchSize": 4, "newBatchThreshold": 2, "maxDequeueCount": 3, "visibilityTimeout": "00:00:00"}
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "extensions": {"queues": queues}}))
    settings = {"AzureWebJobsStorage": azurite, "SEEN": str(folder / "seen"), "RETURNING_QUEUE": "returning"}
    with running_host(folder, settings) as host:
        yield App(host.url, azurite, folder / "seen")


def test_a_route_gets_its_parameters_query_body_and_headers(app: App) -> None:
    answer = requests.post(f"{app.url}/api/items/7?a=b", data="hi", headers={"x-test": "1"}, timeout=10)
    assert (answer.status_code, answer.headers["x-answer"]) == (201, "yes")
    assert answer.json() == [{"id": "7"}, {"a": "b"}, "hi", "1"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/items/x", 404), ("DELETE", "/api/items/7", 404), ("GET", "/nothing", 404),
                                                        ("GET", "/api/broken", 500)])  # fmt: skip
def test_what_no_route_matches_is_404_and_what_raises_is_500(app: App, method: str, path: str, status: int) -> None:
    assert requests.request(method, app.url + path, timeout=10).status_code == status


def test_a_message_that_fails_as_often_as_host_json_says_goes_to_the_poison_queue(app: App) -> None:
    app.send("work", "good", "bad")
    assert wait_until(lambda: app.count("work-poison") == 1)
    assert wait_until(lambda: app.count("work") == 0)
    assert app.seen("queue").count("good") == 1
    assert app.seen("queue").count("bad") == 3


def test_a_function_that_returns_a_value_without_a_binding_has_failed(app: App) -> None:
    app.send("returning", "x")
    assert wait_until(lambda: app.count("returning-poison") == 1)
    assert len(app.seen("returning")) == 3


def envelope(name: str) -> dict[str, object]:
    return {
        "id": name,
        "topic": "t",
        "subject": "s",
        "eventType": "x",
        "eventTime": "2026-11-22T19:30:00Z",
        "data": {},
        "dataVersion": "1",
    }


def test_event_grid_gets_its_handshake_and_202_only_if_all_events_succeed(app: App) -> None:
    url = f"{app.url}/runtime/webhooks/eventgrid?functionName=events"
    handshake = requests.post(
        url,
        json=[{**envelope("h"), "data": {"validationCode": "c0de"}}],
        headers={"aeg-event-type": "SubscriptionValidation"},
        timeout=10,
    )
    assert (handshake.status_code, handshake.json()) == (200, {"validationResponse": "c0de"})
    assert requests.post(url, json=[envelope("one"), envelope("two")], timeout=10).status_code == 202
    assert requests.post(url, json=[envelope("three"), envelope("bad")], timeout=10).status_code == 500
    assert {"one", "two", "three", "bad"} <= set(map(str, app.seen("event")))


def test_a_timer_runs_when_it_is_due_and_by_hand(app: App) -> None:
    assert len(app.until("tick", 2)) >= 2
    assert requests.post(f"{app.url}/admin/functions/tick", json={}, timeout=10).status_code == 202
    assert requests.post(f"{app.url}/admin/functions/nothing", json={}, timeout=10).status_code == 404


def test_a_queue_function_can_be_run_by_hand(app: App) -> None:
    requests.post(f"{app.url}/admin/functions/work", json={"input": "by hand"}, timeout=10)
    assert wait_until(lambda: "by hand" in app.seen("queue"))


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("0 */15 * * * *", "2026-11-22T19:45:00+00:00"),
        ("30 30 19 * * *", "2026-11-22T19:30:30+00:00"),
        ("0 0 6 * * 1-5", "2026-11-23T06:00:00+00:00"),
        ("0 0 0 1 1 *", "2027-01-01T00:00:00+00:00"),
        ("00:05:00", "2026-11-22T19:35:00+00:00"),
    ],
)
def test_ncrontab_has_six_fields_seconds_first(schedule: str, due: str) -> None:
    assert next_run(schedule, datetime(2026, 11, 22, 19, 30, tzinfo=UTC)).isoformat() == due


@pytest.mark.parametrize("schedule", ["* * * * *", "61 * * * * *", "0 0 0 31 2 *"])
def test_a_schedule_that_cannot_be_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"fields|within|never"):
        next_run(schedule, datetime(2026, 11, 22, tzinfo=UTC))


class FakeQueue:
    """Gives a message another pop receipt with each update, as the real one does."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, int]] = []

    def update_message(self, message: str, *, visibility_timeout: int) -> str:
        self.updates.append((message, visibility_timeout))
        return f"receipt {len(self.updates)}"


def test_the_lease_of_a_message_is_renewed_while_the_function_works_and_not_after() -> None:
    queue, work = FakeQueue(), InWork("receipt 0", renew_at=0.0)
    work.renew(queue, 600)
    work.renew(queue, 600)
    assert work.renew_at > 0
    assert work.ended() == "receipt 2", "what deletes the message needs its newest receipt"
    work.renew(queue, 600)
    assert queue.updates == [("receipt 0", 600), ("receipt 1", 600)]
