"""A simulated Azure over real HTTP: Azure Resource Manager and the Log Analytics query API, as far as this project reads them.

The real SDK clients talk to it. Its state are the worlds of the scenarios, side by side; every call is counted; faults can be
injected from a scenario's file or at run time. `python -m sandbox.simulated_azure` serves it alone.
"""

from __future__ import annotations

import argparse
import copy
import fnmatch
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from werkzeug.wrappers import Request, Response

from sandbox.http import serving
from sandbox.scenario import Scenario, load_scenarios
from sandbox.world import Body, World

PAGE = 50
IDENTITY = "5f1b7d4e-0000-4000-8000-00000000c0de"
EXPANDED = {"instanceview": "instanceView", "restorepoints": "restorePoints"}


@dataclass
class Call:
    """One request as it was answered. Times are seconds since the server started."""

    method: str
    path: str
    status: int
    started: float
    ended: float


@dataclass
class Fault:
    """`match` is a glob over `METHOD path`; `times` how often it strikes (0: always), `after` how many calls it lets pass first."""

    match: str
    status: int = 0
    retry_after: int = 0
    delay: float = 0.0
    drop: bool = False
    times: int = 0
    after: int = 0
    code: str = ""
    seen: int = 0

    def strikes(self, call: str) -> bool:
        if not fnmatch.fnmatchcase(call.lower(), self.match.lower()):
            return False
        self.seen += 1
        return self.seen > self.after and (not self.times or self.seen <= self.after + self.times)


class SimulatedAzure:
    """Answers requests from the worlds of scenarios."""

    def __init__(self, scenarios: Sequence[Scenario], latency: float = 0.0, now: datetime | None = None) -> None:
        self.latency = latency
        self.calls: list[Call] = []
        self._began, self._lock = time.monotonic(), threading.Lock()
        moment = now or datetime.now(UTC)
        self.worlds = {scenario.subscription: scenario.world(moment) for scenario in scenarios}
        self.logs = {name: _log_tables(world) for name, world in self.worlds.items()}
        self.faults = [
            Fault(**{**fault, "match": _scoped(fault["match"], world)})
            for world in self.worlds.values()
            for fault in world.data.get("faults") or ()
        ]

    def add_fault(self, **fault: Any) -> None:
        self.faults.append(Fault(**fault))

    def answer(self, request: Request) -> Response:
        started = time.monotonic()
        if request.path.startswith("/_sandbox/"):
            return self._control(request)
        call = f"{request.method} {unquote(request.full_path.rstrip('?'))}"
        with self._lock:
            fault = next((fault for fault in self.faults if fault.strikes(call)), None)
        time.sleep(self.latency + (fault.delay if fault else 0))
        if fault and fault.drop:
            request.environ["werkzeug.socket"].close()
        response = _fault_response(fault, request) if fault and fault.status else self._route(request)
        with self._lock:
            ended = time.monotonic() - self._began
            self.calls.append(
                Call(request.method, unquote(request.full_path.rstrip("?")), response.status_code, started - self._began, ended)
            )
        return response

    def _control(self, request: Request) -> Response:
        if request.path == "/_sandbox/calls" and request.method == "DELETE":
            self.calls.clear()
        elif request.path == "/_sandbox/faults" and request.method == "POST":
            self.add_fault(**request.get_json())
        return _json({"calls": [asdict(call) for call in self.calls]})

    def _route(self, request: Request) -> Response:
        if "Authorization" in request.headers:
            return _error(400, "TokenOverHttp", "A token was sent over plain http.")
        if request.method == "POST" and (match := re.fullmatch(r"/v1/workspaces/([^/]+)/query", request.path)):
            return self._query(request.get_json())
        if request.method != "GET":
            return _error(405, "MethodNotAllowed", "The simulated Azure is read-only.")
        if not request.args.get("api-version"):
            return _error(
                400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."
            )
        path = re.sub(r"/{2,}", "/", request.path).rstrip("/").lower()
        match = re.match(r"/subscriptions/([^/]+)", path)
        world = self.worlds.get(match[1]) if match else None
        if world is None:
            return _error(404, "SubscriptionNotFound", f"The subscription '{match[1] if match else ''}' could not be found.")
        return _arm(path, request.args, world, request)

    def _query(self, body: Mapping[str, Any]) -> Response:
        """Understood: the table in the first line, `where` with =~, ==, has joined by `and`, one `project` of plain columns."""
        query = str(body.get("query", ""))
        table = query.strip().split("\n")[0].split("|")[0].strip()
        rows = [row for logs in self.logs.values() for row in logs.get(table) or ()]
        known = {name for logs in self.logs.values() for name in logs} | {
            "AddonAzureBackupJobs",
            "Heartbeat",
            "Event",
            "InsightsMetrics",
        }
        if table not in known:
            return _error(400, "BadArgumentError", f"'where' operator: Failed to resolve table expression named '{table}'")
        for name, operator, wanted in re.findall(
            r"(?:where|and)\s+(?:tolower\()?(\w+)\)?\s*(=~|==|has)\s*'((?:[^'\\]|\\.)*)'", query
        ):
            rows = [
                row for row in rows if _holds(row.get(name), operator, json.loads(f'"{wanted}"') if "\\" in wanted else wanted)
            ]
        project = re.findall(r"\|\s*project\s+([^\n|]+)", query)
        columns = (
            [column.strip() for column in project[-1].split(",")] if project else sorted({key for row in rows for key in row})
        )
        cells = [[self._cell(row.get(column)) for column in columns] for row in rows]
        shown = [
            {"name": column, "type": "datetime" if column.startswith(("Time", "JobStart")) else "dynamic"} for column in columns
        ]
        return _json({"tables": [{"name": "PrimaryResult", "columns": shown, "rows": cells}]})

    def _cell(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"(now|[+-](\d+d)?(\d+h)?(\d+m)?)", value):
            from sandbox.scenario import moment

            return moment(value, next(iter(self.worlds.values())).now).isoformat().replace("+00:00", "Z")
        return value


def _log_tables(world: World) -> dict[str, list[Body]]:
    """The scenario's log rows, with `{vm}` filled in."""
    tables: Mapping[str, list[Body]] = world.data.get("logs") or {}

    def filled(value: Any) -> Any:
        return value.replace("{vm}", world.vm_id) if isinstance(value, str) else value

    return {table: [{name: filled(value) for name, value in row.items()} for row in rows] for table, rows in tables.items()}


def _scoped(match: str, world: World) -> str:
    """A fault in a scenario's file strikes its own subscription only."""
    method, _, path = match.partition(" ")
    path = path.replace("{subscription}", world.subscription)
    return f"{method} *{world.subscription}*{path.lstrip('*')}" if world.subscription not in path else f"{method} {path}"


def _holds(value: Any, operator: str, wanted: str) -> bool:
    said = str(value if value is not None else "")
    if operator == "==":
        return said == wanted
    return said.lower() == wanted.lower() if operator == "=~" else wanted.lower() in said.lower()


# ---------------------------------------------------------------------------------------------- Azure Resource Manager


def _arm(path: str, query: Mapping[str, str], world: World, request: Request) -> Response:
    if path.endswith("/providers/microsoft.insights/eventtypes/management/values"):
        return _json({"value": _activity(query.get("$filter", ""), world)})
    if body := world.resources.get(path):
        return _json(_expanded(body, query.get("$expand", "")))
    kind = _list_type(path)
    if kind is None:
        return _not_found(path, request.path, world)
    found = _listed(path, kind, query, world)
    if found is None:
        return _not_found(path, request.path, world)
    return _page(found, query, request)


def _list_type(path: str) -> str | None:
    """The resource type that a list path names; None for the path of a single resource."""
    _, marker, rest = path.rpartition("/providers/")
    parts = rest.split("/")
    return "/".join([parts[0], *parts[1::2]]) if marker and len(parts) % 2 == 0 else None


def _listed(path: str, kind: str, query: Mapping[str, str], world: World) -> list[Body] | None:
    scope = path.rpartition("/providers/")[0]
    of_kind = [body for body in world.resources.values() if body["type"].lower() == kind]
    if kind == "microsoft.authorization/locks":
        below = [body for body in of_kind if _scope_of(body).startswith(scope)]
        return (
            [body for body in of_kind if scope.startswith(_scope_of(body))]
            if "atscope()" in query.get("$filter", "").lower()
            else below
        )
    if kind == "microsoft.authorization/roleassignments":
        return [body for body in of_kind if scope.startswith(_scope_of(body))]
    parent = path.rpartition("/")[0] if path.count("/providers/") == 1 and _has_parent(path) else scope
    if _has_parent(path) and parent not in world.resources and "/protectioncontainers/" not in parent:
        return None
    found = [body for body in of_kind if body["id"].lower().startswith(f"{parent}/")]
    if kind.endswith("/backupjobs"):
        found = _filtered_jobs(found, query.get("$filter", ""))
    return [_expanded(body, query.get("$expand", "")) for body in found]


def _has_parent(path: str) -> bool:
    """Whether a list path lists children of one resource: `…/vaults/{name}/backupJobs`."""
    return len(path.rpartition("/providers/")[2].split("/")) > 2


def _scope_of(body: Body) -> str:
    return str(body["id"]).lower().rpartition("/providers/microsoft.authorization/")[0]


def _expanded(body: Body, expand: str) -> Body:
    """What only `$expand` shows is left out without it."""
    shown = copy.copy(body)
    shown["properties"] = {
        k: v for k, v in body["properties"].items() if k not in EXPANDED.values() or k == EXPANDED.get(expand.lower())
    }
    return shown


def _filtered_jobs(jobs: list[Body], query: str) -> list[Body]:
    wanted = {name.lower(): value for name, value in re.findall(r"(\w+) eq '([^']*)'", query)}
    found = []
    for job in jobs:
        properties = job["properties"]
        started = datetime.fromisoformat(properties["startTime"][:26] + "+00:00")
        fits = all(str(properties.get(name, "")).lower() == wanted[name.lower()].lower()
                   for name in ("operation", "status", "backupManagementType") if name.lower() in wanted)  # fmt: skip
        times = {
            name: datetime.strptime(wanted[name], "%Y-%m-%d %I:%M:%S %p").replace(tzinfo=UTC)
            for name in ("starttime", "endtime")
            if name in wanted
        }
        if fits and times.get("starttime", started) <= started <= times.get("endtime", started):
            listed = {k: v for k, v in properties.items() if k not in ("extendedInfo", "errorDetails")}
            found.append({**job, "properties": listed})
    return sorted(found, key=lambda job: str(job["properties"]["startTime"]), reverse=True)


def _activity(query: str, world: World) -> list[Body]:
    resource = re.search(r"resourceUri eq '((?:[^']|'')*)'", query)
    wanted = resource[1].replace("''", "'").lower() if resource else ""
    since = re.search(r"eventTimestamp ge '([^']+)'", query)
    return [entry for entry in world.activity
            if entry["resourceId"].lower().startswith(wanted) and (not since or entry["eventTimestamp"] >= since[1])]  # fmt: skip


def _page(found: list[Body], query: Mapping[str, str], request: Request) -> Response:
    skip = int(query.get("$skiptoken") or query.get("$skipToken") or 0)
    body: Body = {"value": found[skip : skip + PAGE]}
    if len(found) > skip + PAGE:
        kept = "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items() if k.lower() != "$skiptoken")
        body["nextLink"] = f"{request.host_url.rstrip('/')}{quote(request.path)}?{kept}&$skipToken={skip + PAGE}"
    return _json(body)


def _not_found(path: str, shown: str, world: World) -> Response:
    group = re.match(r"/subscriptions/[^/]+/resourcegroups/([^/]+)", path)
    if group and not any(key.startswith(group[0] + "/") for key in world.resources):
        return _error(404, "ResourceGroupNotFound", f"Resource group '{group[1]}' could not be found.")
    kind, _, name = shown.rpartition("/")
    return _error(404, "ResourceNotFound", f"The Resource '{kind.rpartition('/providers/')[2]}/{name}' under resource group "
                  f"'{group[1] if group else ''}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix")  # fmt: skip


def _fault_response(fault: Fault, request: Request) -> Response:
    if fault.status == 403:
        action, scope = _action(request), request.path.rpartition("/providers/")[0] or request.path
        return _error(403, "AuthorizationFailed", f"The client '{IDENTITY}' with object id '{IDENTITY}' does not have authorization to "
                      f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
                      "refresh your credentials.")  # fmt: skip
    if fault.status == 404:
        return _error(404, fault.code or "ResourceNotFound", "The Resource was not found.")
    if fault.status == 429:
        body = {
            "code": "OperationNotAllowed",
            "message": "The server rejected the request because too many requests have been received.",
        }
        return Response(json.dumps(body), 429, {"Retry-After": str(fault.retry_after or 1)}, mimetype="application/json")
    return _error(fault.status, fault.code or "InternalServerError", "The simulated Azure was told to fail.")


def _action(request: Request) -> str:
    parts = request.path.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2], "read"])


def _error(status: int, code: str, message: str) -> Response:
    return Response(json.dumps({"error": {"code": code, "message": message}}), status, mimetype="application/json")


def _json(body: Any) -> Response:
    return Response(json.dumps(body), 200, mimetype="application/json")


@dataclass
class RunningAzure:
    """A simulated Azure that is being served."""

    url: str
    azure: SimulatedAzure

    @property
    def calls(self) -> list[Call]:
        return list(self.azure.calls)


@contextmanager
def running_azure(scenarios: Sequence[Scenario], *, latency: float = 0.0, port: int = 0) -> Iterator[RunningAzure]:
    azure = SimulatedAzure(scenarios, latency)
    with serving(azure.answer, port) as url:
        yield RunningAzure(url, azure)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the simulated Azure alone.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds per call")
    options = parser.parse_args()
    with running_azure(load_scenarios(), latency=options.latency, port=options.port) as azure:
        print(f"simulated Azure on {azure.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
