"""A function host: what the .NET Azure Functions host does for a Python app, on your own machine.

HTTP routes, the Event Grid webhook with its handshakes, queue triggers on Azurite as host.json says with poison queues, timers,
and `POST /admin/functions/NAME`. The functions themselves run in Microsoft's worker library (function_worker.py). Function keys
are not checked, as Core Tools does locally. Known differences: docs/sandbox.md.

`python -m sandbox.function_host --app DIR --port N`; the environment holds the app settings.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.function_worker import Function, InvocationFailed, Worker
from sandbox.http import serving
from sandbox.processes import end, end_with_parent
from sandbox.timers import next_run

log = logging.getLogger("function_host")

LEASE_SECONDS = 600
"""How long a message is out of sight while a function works on it; if the host is killed, so long until it comes again.
SANDBOX_LEASE_SECONDS shortens it. At half of it it is renewed while the function still works, as the real host does
(`UpdateQueueMessageVisibilityCommand` in https://github.com/Azure/azure-webjobs-sdk)."""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
"""What a host keeps of the environment; everything else are the app settings."""
IDLE_SECONDS, LONGEST_IDLE_SECONDS = 0.1, 0.8
"""Between two looks at an empty queue, longer each time. The real host backs off up to maxPollingInterval; here somebody waits."""


@dataclass(frozen=True)
class QueueOptions:
    """host.json, extensions.queues. https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json"""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: int = 0
    encoding: str = "base64"
    lease: int = LEASE_SECONDS

    @classmethod
    def of(cls, host_json: Mapping[str, Any]) -> QueueOptions:
        found = host_json.get("extensions", {}).get("queues", {})
        batch = found.get("batchSize", 16)
        hours, minutes, seconds = (int(part) for part in found.get("visibilityTimeout", "00:00:00").split(":"))
        timeout = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return cls(
            batch_size=batch,
            new_batch_threshold=found.get("newBatchThreshold", batch // 2),
            max_dequeue_count=found.get("maxDequeueCount", 5),
            visibility_timeout=int(os.environ.get("SANDBOX_VISIBILITY_SECONDS") or timeout.total_seconds()),
            encoding=found.get("messageEncoding", "base64"),
            lease=int(os.environ.get("SANDBOX_LEASE_SECONDS") or LEASE_SECONDS),
        )


@dataclass
class Host:
    """One app, its worker, and what is under way."""

    app: Path
    host_json: Mapping[str, Any] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)
    listeners: list[QueueListener] = field(default_factory=list)
    """Of the queue triggers; `running` is how many messages each works on now."""

    def __post_init__(self) -> None:
        self.host_json = json.loads((self.app / "host.json").read_text(encoding="utf-8"))
        self.queues = QueueOptions.of(self.host_json)
        at_once = self.queues.batch_size + self.queues.new_batch_threshold
        os.environ.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", str(max(at_once, 8)))
        self.worker = Worker(self.app)
        prefix = self.host_json.get("extensions", {}).get("http", {}).get("routePrefix", "api")
        self.routes = Map([_rule(function, prefix) for function in self.of_kind("httpTrigger")], strict_slashes=False)

    def of_kind(self, kind: str) -> list[Function]:
        return [function for function in self.worker.functions if function.kind == kind]

    def named(self, name: str) -> Function | None:
        return next((function for function in self.worker.functions if function.name.lower() == name.lower()), None)

    def invoke(self, function: Function, value: tuple[str, Any], metadata: Mapping[str, tuple[str, Any]]) -> Any:
        """Run a function and log one line about it. Raises InvocationFailed."""
        started = time.monotonic()
        try:
            outcome = self.worker.invoke(function, value, metadata)
        except InvocationFailed as error:
            log.error("%s failed after %.0f ms: %s", function.name, 1000 * (time.monotonic() - started), error)
            raise
        log.info("%s succeeded in %.0f ms", function.name, 1000 * (time.monotonic() - started))
        self.wake.set()
        return outcome.returned

    # ---------------------------------------------------------------- HTTP

    def answer(self, request: Request) -> Response:
        path = request.path.lower()
        if path == "/runtime/webhooks/eventgrid":
            return self._event_grid(request)
        if match := re.fullmatch(r"/admin/functions/([\w-]+)", request.path):
            return self._admin(match[1], request)
        if path == "/admin/host/status":
            names = [function.name for function in self.worker.functions]
            return _json(
                {"state": "Running", "functions": names, "messages": sum(listener.running for listener in self.listeners)}
            )
        try:
            name, params = self.routes.bind("localhost").match(request.path, request.method)
        except HTTPException as error:
            return Response("", 404 if error.code == 405 else error.code)
        function = self.named(name)
        assert function is not None
        return self._http(function, request, params)

    def _http(self, function: Function, request: Request, params: Mapping[str, Any]) -> Response:
        from azure_functions_runtime.bindings.datumdef import Datum

        def words(found: Mapping[str, Any]) -> dict[str, Any]:
            return {name: Datum(str(value), "string") for name, value in found.items()}

        value = {
            "method": Datum(request.method, "string"),
            "url": Datum(request.url, "string"),
            "headers": words({name.lower(): found for name, found in request.headers.items()}),
            "params": words(params),
            "query": words(request.args),
            "body": Datum(request.get_data(), "bytes"),
        }
        try:
            returned = self.invoke(function, ("http", value), {})
        except InvocationFailed:
            return Response("", 500)
        return _http_response(returned)

    def _event_grid(self, request: Request) -> Response:
        function = self.named(request.args.get("functionName", ""))
        if function is None or function.kind != "eventGridTrigger":
            return Response("", 404)
        if request.method == "OPTIONS":
            return Response(
                "",
                200,
                {"WebHook-Allowed-Origin": request.headers.get("WebHook-Request-Origin", "*"), "WebHook-Allowed-Rate": "*"},
            )
        body = request.get_json(force=True)
        events = body if isinstance(body, list) else [body]
        if request.headers.get("aeg-event-type") == "SubscriptionValidation":
            return _json({"validationResponse": events[0]["data"]["validationCode"]})
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda event: self._succeeds(function, ("json", json.dumps(event))), events))
        return Response("", 202 if all(done) else 500)

    def _succeeds(self, function: Function, value: tuple[str, Any]) -> bool:
        try:
            self.invoke(function, value, {})
        except InvocationFailed:
            return False
        return True

    def _admin(self, name: str, request: Request) -> Response:
        function = self.named(name)
        if function is None or request.method != "POST":
            return Response("", 404)
        given = (request.get_json(silent=True) or {}).get("input", "")
        text = given if isinstance(given, str) else json.dumps(given)
        metadata = _queue_metadata("by-hand", "", 1, datetime.now(UTC)) if function.kind == "queueTrigger" else {}
        value = {"timerTrigger": ("json", _timer_value(past_due=False)), "eventGridTrigger": ("json", text)}.get(
            function.kind, ("string", text)
        )
        threading.Thread(target=lambda: _quietly(lambda: self.invoke(function, value, metadata)), daemon=True).start()
        return Response("", 202)

    # ---------------------------------------------------------------- queues and timers

    def start(self) -> list[threading.Thread]:
        """Start listening on queues and timers; the threads end after `stopping` is set."""
        listening = [function for function in self.of_kind("queueTrigger") if not is_disabled(function.name)]
        self.listeners = [QueueListener(self, function) for function in listening]
        loops: list[Callable[[], None]] = [listener.run for listener in self.listeners]
        loops += [lambda function=function: self._tick(function) for function in self.of_kind("timerTrigger")]  # type: ignore[misc]
        threads = [threading.Thread(target=loop, daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        return threads

    def _tick(self, function: Function) -> None:
        """Run a timer when it is due, never twice at once."""
        schedule = setting(str(function.trigger["schedule"]))
        if function.trigger.get("runOnStartup"):
            _quietly(lambda: self.invoke(function, ("json", _timer_value(past_due=False)), {}))
        while True:
            due = next_run(schedule, datetime.now(UTC))
            if self.stopping.wait((due - datetime.now(UTC)).total_seconds()):
                return
            _quietly(lambda: self.invoke(function, ("json", _timer_value(past_due=False)), {}))


class InWork:
    """A message that a function works on. Each renewal of its lease gives it another pop receipt."""

    def __init__(self, message: Any, renew_at: float) -> None:
        self.message, self.renew_at = message, renew_at
        self._has_ended, self._lock = False, threading.Lock()

    def renew(self, queue: Any, lease: int) -> None:
        with self._lock:
            if not self._has_ended:
                self.renew_at = time.monotonic() + lease / 2
                self.message = queue.update_message(self.message, visibility_timeout=lease)

    def ended(self) -> Any:
        """The message, whose lease is renewed no more."""
        with self._lock:
            self._has_ended = True
            return self.message


class QueueListener:
    """Reads one queue for one function."""

    def __init__(self, host: Host, function: Function) -> None:
        from azure.storage.queue import QueueClient

        self.host, self.function = host, function
        connection = os.environ[str(function.trigger.get("connection") or "AzureWebJobsStorage")]
        self.name = setting(str(function.trigger["queueName"]))
        self.queue = QueueClient.from_connection_string(connection, self.name)
        self.poison = QueueClient.from_connection_string(connection, f"{self.name}-poison")
        self.at_once = host.queues.batch_size + host.queues.new_batch_threshold
        self.in_work: set[InWork] = set()

    @property
    def running(self) -> int:
        return len(self.in_work)

    def run(self) -> None:
        _create(self.queue)
        threading.Thread(target=self._renew_leases, name=f"{self.name} leases", daemon=True).start()
        idle = IDLE_SECONDS
        with ThreadPoolExecutor(self.at_once, thread_name_prefix=self.name) as pool:
            while not self.host.stopping.is_set():
                if self.running <= self.host.queues.new_batch_threshold and self._start_batch(pool):
                    idle = IDLE_SECONDS
                    continue
                woken = self.host.wake.wait(idle)
                self.host.wake.clear()
                idle = IDLE_SECONDS if woken else min(2 * idle, LONGEST_IDLE_SECONDS)

    def _start_batch(self, pool: ThreadPoolExecutor) -> bool:
        from azure.core.exceptions import AzureError

        try:
            count, lease = self.host.queues.batch_size, self.host.queues.lease
            found = list(self.queue.receive_messages(max_messages=min(count, 32), visibility_timeout=lease))
        except AzureError as error:
            log.warning("queue %s cannot be read: %s", self.name, type(error).__name__)
            self.host.stopping.wait(1)
            return False
        for message in found:
            work = InWork(message, time.monotonic() + lease / 2)
            self.in_work.add(work)
            pool.submit(self._work, work)
        return bool(found)

    def _renew_leases(self) -> None:
        lease = self.host.queues.lease
        while not self.host.stopping.wait(min(1.0, lease / 8)):
            for work in [work for work in list(self.in_work) if work.renew_at < time.monotonic()]:
                _quietly(partial(work.renew, self.queue, lease))

    def _work(self, work: InWork) -> None:
        message = work.message
        try:
            body = base64.b64decode(message.content).decode() if self.host.queues.encoding == "base64" else message.content
            metadata = _queue_metadata(message.id, message.pop_receipt, message.dequeue_count, message.inserted_on)
            self.host.invoke(self.function, ("string", body), metadata)
        except Exception as error:
            if not isinstance(error, InvocationFailed):
                log.exception("message of %s cannot be handed over", self.name)
            _quietly(lambda: self._put_back(work.ended()))
        else:
            _quietly(lambda: self.queue.delete_message(work.ended()))
        finally:
            self.in_work.discard(work)
            self.host.wake.set()

    def _put_back(self, message: Any) -> None:
        """Visible again after the time-out, or to the poison queue. A poison queue has none: there it stays until its lease ends."""
        if self.name.endswith("-poison"):
            return
        if message.dequeue_count < self.host.queues.max_dequeue_count:
            self.queue.update_message(message, visibility_timeout=self.host.queues.visibility_timeout)
            return
        _create(self.poison)
        self.poison.send_message(message.content)
        self.queue.delete_message(message)


def is_disabled(name: str) -> bool:
    """https://learn.microsoft.com/azure/azure-functions/disable-function"""
    return os.environ.get(f"AzureWebJobs.{name}.Disabled", "").lower() in ("1", "true")


def setting(text: str) -> str:
    """`%NAME%` is an app setting."""
    return re.sub(r"%([^%]+)%", lambda match: os.environ.get(match[1], ""), text)


def _rule(function: Function, prefix: str) -> Rule:
    """`items/{id:int}` -> `/api/items/<int:id>`."""
    route = str(function.trigger.get("route") or function.name)
    path = re.sub(r"\{(\w+)(?::(\w+))?\??\}", lambda m: f"<{'int:' if m[2] == 'int' else ''}{m[1]}>", route)
    methods = [str(method) for method in function.trigger.get("methods") or ("GET", "POST")]
    return Rule("/" + "/".join(filter(None, (prefix, path))), endpoint=function.name, methods=methods)


def _http_response(returned: tuple[str, Any] | None) -> Response:
    if returned is None:
        return Response("", 204)
    kind, value = returned
    if kind != "http":
        return Response(str(value), 200)
    headers = {name: datum.value for name, datum in value["headers"].items()}
    body = value["body"].value if value.get("body") is not None else b""
    return Response(body, int(value["status_code"].value), headers)


def _queue_metadata(message_id: str, receipt: str, count: int, inserted: datetime | None) -> dict[str, tuple[str, Any]]:
    when = json.dumps((inserted or datetime.now(UTC)).isoformat())
    return {
        "Id": ("string", message_id),
        "PopReceipt": ("string", receipt),
        "DequeueCount": ("json", str(count)),
        "InsertionTime": ("json", when),
        "ExpirationTime": ("json", when),
        "NextVisibleTime": ("json", when),
    }


def _timer_value(*, past_due: bool) -> str:
    return json.dumps({"IsPastDue": past_due, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": None})


def _quietly(act: Callable[[], Any]) -> None:
    """Do it; a failure is in the log already, and the loop that asked goes on."""
    try:
        act()
    except InvocationFailed:
        pass
    except Exception as error:  # noqa: BLE001 - storage may be down for a moment
        log.warning("%s", type(error).__name__)


def _create(queue: Any) -> None:
    from azure.core.exceptions import AzureError

    try:
        queue.create_queue()
    except AzureError:
        pass


def _json(body: Any) -> Response:
    return Response(json.dumps(body), 200, mimetype="application/json")


# ------------------------------------------------------------------------------------------------ as a process


@dataclass(frozen=True)
class RunningHost:
    """A host in a process of its own."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def running_host(app: Path, settings: Mapping[str, str], *, port: int = 0, quiet: bool = True) -> Iterator[RunningHost]:
    """Start the host as a process with these app settings; wait until it listens; end it by its id."""
    command = [sys.executable, "-m", "sandbox.function_host", "--app", str(app), "--port", str(port)]
    root = str(Path(__file__).parent.parent)
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    environment = {**kept, **settings, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE if quiet else None, text=True,
        preexec_fn=end_with_parent,
    )  # fmt: skip
    try:
        line = process.stdout.readline() if process.stdout else ""
        if "listening on" not in line:
            said = process.stderr.read() if process.stderr else ""
            raise SystemExit(f"The function host did not start: {said.strip()[-1500:]}")
        if process.stderr:
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
        yield RunningHost(line.rpartition(" ")[2].strip(), process)
    finally:
        end(process)


def _drain(stream: Any) -> None:
    for _ in stream:
        pass


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Run a Python function app as the Azure Functions host would.")
    parser.add_argument("--app", type=Path, default=Path())
    parser.add_argument("--port", type=int, default=7071)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("azure", "urllib3", "azure_functions_runtime"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    host = Host(options.app.resolve())
    with serving(host.answer, options.port) as url:
        host.start()
        signal.signal(signal.SIGTERM, lambda *_: host.stopping.set())
        signal.signal(signal.SIGINT, lambda *_: host.stopping.set())
        print(f"function host listening on {url}", flush=True)
        host.stopping.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
