"""The simulated Azure as an HTTP server on loopback: routes, faults, latency, and the record of every call.

`GET /_sandbox/calls` lists the calls, `GET /_sandbox/counts` counts them, `DELETE /_sandbox/calls` forgets them,
`POST /_sandbox/faults` adds a fault, `POST /_sandbox/throttle` with `{"on": true}` fills the token buckets and puts them to use.
No token is checked, and none may arrive: over plain http it would be given away.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from sandbox.azure import answers, arm, effective, graph, kql, logs
from sandbox.azure.answers import Answer, error
from sandbox.azure.bucket import ReadBuckets, left_header
from sandbox.azure.counts import CallCounts
from sandbox.azure.estate import Estate
from sandbox.azure.faults import Fault, FaultError, fault_of
from sandbox.azure.world import FullWorld
from sandbox.http import serving
from sandbox.scenario import Scenario

PAGE_SIZE = 50


@dataclass(frozen=True)
class Call:
    """One request as it was answered. Times are seconds since the server started."""

    method: str
    path: str
    """With its query, unquoted."""
    status: int
    """0 is a dropped connection."""
    started: float
    ended: float
    client_request_id: str


class SimulatedAzure:
    """Answers requests from the worlds of scenarios, most in a subscription of their own."""

    def __init__(
        self, scenarios: Sequence[Scenario], *, latency: float = 0.0, page_size: int = PAGE_SIZE, throttled: bool = False
    ) -> None:
        self.latency, self.page_size = latency, page_size
        self.buckets = ReadBuckets() if throttled else None
        self.quota = graph.Quota() if throttled else None
        now = datetime.now(UTC)
        every = [FullWorld(scenario, now) for scenario in scenarios]
        self.worlds = {world.subscription: world for world in every}
        together = {name: [world for world in every if world.subscription == name] for name in self.worlds}
        self._estates = {name: Estate(worlds) for name, worlds in together.items() if len(worlds) > 1}
        self.faults: list[Fault] = []
        for scenario in scenarios:
            self.faults += [fault_of(given, scenario.subscription) for given in scenario.data.get("faults") or ()]
        self._calls: list[Call] = []
        self.counts = CallCounts()
        self._began, self._lock = time.monotonic(), threading.Lock()

    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def reset_calls(self) -> None:
        self.counts.reset()
        with self._lock:
            self._calls.clear()

    def add_fault(self, given: Mapping[str, Any]) -> None:
        """Newest first: what is added at run time comes before a scenario's own."""
        self.faults.insert(0, fault_of(given))

    def respond(self, request: Request) -> Response:
        """Answer, count, and obey the faults."""
        if request.path.startswith("/_sandbox/"):
            return _response(self._control(request))
        started = time.monotonic() - self._began
        path, query, body = request.path, unquote(request.query_string.decode()), request.get_data(as_text=True)
        fault = next((f for f in list(self.faults) if f.strikes(request.method, path, query, body)), None)
        if delay := self.latency + (fault.delay if fault else 0.0):
            time.sleep(delay)
        if fault and fault.drop:
            self._record(request, 0, started)
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("dropped, as a fault says")
        answer = (
            _failed(fault, request.method, path)
            if fault and fault.status
            else self._answer(request, body, partial=bool(fault and fault.partial))
        )
        self._record(request, answer.status, started)
        return _response(answer, request.headers.get("x-ms-client-request-id", ""))

    def _record(self, request: Request, status: int, started: float) -> None:
        path = unquote(request.full_path.rstrip("?"))
        mark, ended = request.headers.get("x-ms-client-request-id", ""), time.monotonic() - self._began
        self.counts.add(request.path, status)
        with self._lock:
            self._calls.append(Call(request.method, path, status, started, ended, mark))

    def _answer(self, request: Request, body: str, *, partial: bool = False) -> Answer:
        if "Authorization" in request.headers:
            return error(400, "TokenOverPlainHttp", "A token was sent over plain http, where anybody could read it.")
        workspace = re.fullmatch(r"(?i)/v1/workspaces/([^/]+)/query", request.path)
        if workspace:
            return self._query(request.method, workspace[1], body, partial=partial)
        if request.path.lower() == graph.PATH and request.method == "POST":
            return self._graph(body)
        if effective.is_asked(request.method, request.path):
            world = self._resources(request.path.split("/")[2], request.path.lower())
            return effective.answer(request.path, world.resources if world else {})
        if request.method != "GET":
            return error(405, "MethodNotAllowed", "The simulated Azure can be read, not changed.")
        return self._read(request)

    def _read(self, request: Request) -> Answer:
        query = {name.lower(): value for name, value in request.args.items()}
        if not query.get("api-version"):
            message = "The api-version query parameter (?api-version=) is required for all requests."
            return error(400, "MissingApiVersionParameter", message)
        path = re.sub(r"/{2,}", "/", request.path).rstrip("/")
        read = arm.Request(path, query, request.host_url.rstrip("/"), datetime.now(UTC), self.page_size)
        subscription = re.match(r"(?i)/subscriptions/([^/]+)(?:/|$)", path)
        if subscription:
            return self._within_limits(subscription[1], read)
        if path.lower() == "/subscriptions":
            return answers.ok({"value": [{"subscriptionId": found, "displayName": found} for found in self.worlds]})
        if re.fullmatch(r"(?i)/providers/microsoft\.authorization/roledefinitions/[^/]+", path):
            found = [arm.answer(read, world) for world in self.worlds.values()]
            return min(found, key=lambda answer: answer.status)
        return error(404, "InvalidResourceType", f"The resource type could not be found at '{path}'.")

    def _within_limits(self, subscription: str, read: arm.Request) -> Answer:
        """The answer below a subscription, if its token bucket holds a read; the header says how many are left."""
        taken = self.buckets.take(subscription) if self.buckets else None
        if taken and not taken.passes:
            found = answers.reads_used_up(subscription, taken.retry_after)
        elif resources := self._resources(subscription, read.key):
            found = arm.answer(read, resources)
        else:
            found = error(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        return Answer(found.status, found.body, {**found.headers, left_header(read.key): str(taken.left)}) if taken else found

    def _resources(self, subscription: str, key: str) -> arm.Resources | None:
        """What a path (in lower case) below a subscription is answered from."""
        return self._estates.get(subscription.lower()) or self.worlds.get(subscription.lower())

    def _graph(self, body: str) -> Answer:
        """Azure Resource Graph, if its quota holds one more query; the headers say how many are left."""
        passes, headers = self.quota.take() if self.quota else (True, {})
        if not passes:
            return Answer(
                429,
                error(429, "RateLimiting", "Please provide below info when asking for support").body,
                {**headers, "Retry-After": "5"},
            )
        asked = json.loads(body)
        subscriptions = [str(named).lower() for named in asked.get("subscriptions") or ()]
        found = graph.answer(asked, lambda table: self._rows(table, subscriptions), datetime.now(UTC))
        return Answer(found.status, found.body, {**found.headers, **headers})

    def _rows(self, table: str, subscriptions: Sequence[str]) -> Iterator[Any]:
        """The rows of a table in some subscriptions."""
        for subscription in subscriptions:
            if world := self._resources(subscription, f"/subscriptions/{subscription}/"):
                match table:
                    case graph.CHANGES:
                        yield from world.changes
                    case graph.GROUPS:
                        yield from graph.groups_of(world.resources.values(), world.group_tags)
                    case _:
                        yield from graph.rows_of(table, world.resources.values(), self.faults)

    def _query(self, method: str, workspace: str, body: str, *, partial: bool = False) -> Answer:
        """The workspace of one scenario holds its rows; any other workspace holds everybody's."""
        try:
            asked = json.loads(body) if method == "POST" else None
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return error(400, "BadArgumentError", "The request had some invalid properties")
        every: list[FullWorld | Estate] = [*self.worlds.values(), *self._estates.values()]
        own = [world for world in every if world.workspace_id == workspace.lower()]
        rows: dict[str, list[kql.Row]] = {}
        for world in own or every:
            for table, found in world.logs.items():
                rows.setdefault(table, []).extend(found)
        return logs.answer(asked["query"], str(asked.get("timespan") or ""), rows, datetime.now(UTC), partial=partial)

    def _control(self, request: Request) -> Answer:
        if request.path == "/_sandbox/calls" and request.method == "GET":
            return answers.ok({"calls": [asdict(call) for call in self.calls()]})
        if request.path == "/_sandbox/counts" and request.method == "GET":
            return answers.ok(self.counts.as_json())
        if request.path == "/_sandbox/throttle" and request.method == "POST":
            on = request.get_json(force=True)["on"]
            self.buckets, self.quota = (ReadBuckets(), graph.Quota()) if on else (None, None)
            return answers.ok({"on": self.buckets is not None})
        if request.path == "/_sandbox/calls" and request.method == "DELETE":
            self.reset_calls()
            return answers.ok({"calls": []})
        if request.path == "/_sandbox/faults" and request.method == "POST":
            try:
                self.add_fault(request.get_json(force=True))
            except (FaultError, AttributeError, TypeError) as problem:
                return error(400, "BadFault", str(problem))
            return answers.ok({"faults": len(self.faults)})
        return error(404, "NotFound", "There is /_sandbox/calls (GET, DELETE), counts (GET), faults and throttle (POST).")


def _failed(fault: Fault, method: str, path: str) -> Answer:
    """The error that a fault's status stands for, as the service at the path says it."""
    seconds = 1 if fault.retry_after is None else fault.retry_after
    logs_api = path.lower().startswith("/v1/workspaces/")
    if fault.status == 403 and logs_api:
        message = "The provided credentials have insufficient access to perform the requested operation"
        found = error(403, fault.code or "InsufficientAccessError", message)
    elif fault.status == 403:
        found = answers.refused(method, path)
    elif fault.status == 429:
        found = answers.throttled(method, path, seconds)
    elif fault.status == 400 and logs_api:
        found = logs.unresolved("AddonAzureBackupJobs")
    elif fault.status == 404 and not fault.code:
        group = re.match(r"(?i)/subscriptions/[^/]+/resourceGroups/([^/]+)", path)
        found = answers.resource_missing(path, group[1] if group else "")
    else:
        found = answers.broken(fault.status, fault.code)
    headers = dict(found.headers) | ({"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {})
    return Answer(found.status, found.body, headers)


def _response(answer: Answer, client_request_id: str = "") -> Response:
    headers = {"x-ms-request-id": str(uuid.uuid4()), **answer.headers}
    if client_request_id:
        headers["x-ms-client-request-id"] = client_request_id
    return Response(json.dumps(answer.body), answer.status, headers, mimetype="application/json")


@dataclass(frozen=True)
class RunningAzure:
    """A simulated Azure that is being served at `url`."""

    url: str
    azure: SimulatedAzure

    def calls(self) -> list[Call]:
        return self.azure.calls()

    def reset_calls(self) -> None:
        self.azure.reset_calls()

    def add_fault(self, **fault: Any) -> None:
        """`add_fault(match="GET */locks*", status=403)`; the fields are those of `Fault`."""
        self.azure.add_fault(fault)


@contextmanager
def running_azure(
    scenarios: Sequence[Scenario],
    *,
    latency: float = 0.0,
    port: int = 0,
    page_size: int = PAGE_SIZE,
    throttled: bool = False,
) -> Iterator[RunningAzure]:
    """Serve scenarios on 127.0.0.1; port 0 is any free one. `latency` is seconds per call; `throttled`: with token buckets."""
    azure = SimulatedAzure(scenarios, latency=latency, page_size=page_size, throttled=throttled)
    with serving(azure.respond, port) as url:
        yield RunningAzure(url, azure)
