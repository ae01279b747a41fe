"""Azure Resource Manager's answers to GET, from the resources of a world.

Paths in any case, double slashes allowed, any api-version. Lists are paged with `nextLink`.
https://learn.microsoft.com/rest/api/azure/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

from sandbox.azure import metrics, resource_list
from sandbox.azure.answers import (
    Answer,
    error,
    group_missing,
    is_list,
    ok,
    parent_missing,
    resource_missing,
    type_and_name,
)
from sandbox.azure.world import EXTENSION_TYPE, ITEM_TYPE
from sandbox.world import Body

EXPANDED = {"instanceview": "instanceView", "restorepoints": "restorePoints"}
"""Properties that only `$expand` shows."""
USAGES = "microsoft.recoveryservices/vaults/usages"
JOBS = "microsoft.recoveryservices/vaults/backupjobs"
LOCKS, ASSIGNMENTS = "microsoft.authorization/locks", "microsoft.authorization/roleassignments"
ACTIVITY = "/providers/microsoft.insights/eventtypes/management/values"
VIEWLESS = ("extendedInfo", "errorDetails")
"""What a job shows in its details only, not in a list."""


class Resources(Protocol):
    """What is answered from: a scenario's world, or another set of resources."""

    @property
    def resources(self) -> dict[str, Body]:
        """By id in lower case."""
        ...

    @property
    def activity(self) -> list[Body]: ...

    @property
    def changes(self) -> list[Body]:
        """Records of the table resourcechanges."""
        ...

    @property
    def usages(self) -> list[Body]:
        """Compute's quotas of the region."""
        ...

    @property
    def sizes(self) -> list[Body]:
        """What Compute offers in the region."""
        ...

    def resource(self, key: str, now: datetime) -> Body | None: ...

    def has_group(self, group: str) -> bool: ...

    def group_tags(self, group: str) -> Mapping[str, str]: ...

    def of_type(self, kind: str) -> list[Body]: ...


class BadFilter(ValueError):
    """A `$filter` that the service refuses."""


@dataclass(frozen=True)
class Request:
    """One GET: `path` as sent with single slashes, `key` the same in lower case, query names in lower case."""

    path: str
    query: Mapping[str, str]
    base_url: str
    now: datetime
    page_size: int = 50

    @property
    def key(self) -> str:
        return self.path.lower()

    @property
    def filter(self) -> str:
        return self.query.get("$filter", "")


def answer(request: Request, world: Resources) -> Answer:
    """The resource or list at a path, or the 404 that tells what of it is missing."""
    try:
        for ending, handler in _SPECIAL.items():
            if re.search(ending, request.key):
                return handler(request, world)
        body = world.resource(request.key, request.now)
        if body is not None:
            return ok(_expanded(body, request.query.get("$expand", "")))
        if missing := _missing(request, world):
            return missing
        page = _page(_listed(request, world), request)
        page.body["value"] = [_expanded(body, request.query.get("$expand", "")) for body in page.body["value"]]
        return page
    except BadFilter as problem:
        return error(400, "BadRequest", str(problem))


def _missing(request: Request, world: Resources) -> Answer | None:
    """What is not there: the group, the parent, or the resource itself. None for a list that may be empty."""
    group = re.match(r"(?i)/subscriptions/[^/]+/resourceGroups/([^/]+)", request.path)
    if group and not world.has_group(group[1]):
        return group_missing(group[1])
    parent = _parent(request.path)
    if parent and not any(key == parent.lower() or key.startswith(parent.lower() + "/") for key in world.resources):
        return parent_missing(parent.rpartition("/")[2])
    return None if is_list(request.path) else resource_missing(request.path, group[1] if group else "")


def _parent(path: str) -> str:
    """The resource that a child, a list of children or an extension resource belongs to; empty for a top-level one."""
    scope, _, rest = path.rpartition("/providers/")
    parts = rest.split("/")
    if len(parts) > 3:
        return f"{scope}/providers/{'/'.join(parts[: len(parts) - (2 if len(parts) % 2 else 1)])}"
    return scope if "/providers/" in scope.lower() else ""


def _listed(request: Request, world: Resources) -> list[Body]:
    kind = type_and_name(request.path)[0]
    parent = _parent(request.path) or request.path.rpartition("/providers/")[0]
    return _below(parent, kind, world)


def _below(parent: str, kind: str, world: Resources) -> list[Body]:
    """The resources of a type whose ids begin with the parent's."""
    start = f"{parent.lower()}/"
    return [body for body in world.of_type(kind) if body["id"].lower().startswith(start)]


def _expanded(body: Body, expand: str) -> Body:
    hidden = set(EXPANDED.values()) - {EXPANDED.get(expand.lower())}
    return {**body, "properties": {name: value for name, value in body["properties"].items() if name not in hidden}}


def _page(found: list[Body], request: Request) -> Answer:
    """One page of a list. The token is the number of elements before it."""
    given = request.query.get("$skiptoken", "0")
    skip = int(given) if given.isdigit() else 0
    body: Body = {"value": found[skip : skip + request.page_size]}
    if len(found) > skip + request.page_size:
        kept = "&".join(f"{quote(k)}={quote(v)}" for k, v in request.query.items() if k != "$skiptoken")
        body["nextLink"] = f"{request.base_url}{quote(request.path)}?{kept}&$skipToken={skip + request.page_size}"
    return ok(body)


# ---------------------------------------------------------------------------------------------- one service each


def _locks(request: Request, world: Resources) -> Answer:
    """Locks at, above and below the scope; with `$filter=atScope()` those at or above it.

    https://learn.microsoft.com/powershell/module/az.resources/get-azresourcelock#-atscope
    """
    scope = request.key.rpartition("/providers/")[0]
    below = "atscope()" not in request.filter.lower()
    found = [lock for lock in world.of_type(LOCKS)
             if _covers(_scope_of(lock), scope) or (below and _covers(scope, _scope_of(lock)))]  # fmt: skip
    return _page(found, request)


def _assignments(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest"""
    scope = request.key.rpartition("/providers/")[0]
    principal = re.search(r"(?:principalid eq|assignedto\()\s*'([^']+)'", request.filter.lower())
    below = not request.filter
    found = []
    for assignment in world.of_type(ASSIGNMENTS):
        at = _scope_of(assignment)
        if principal and str(assignment["properties"]["principalId"]).lower() != principal[1]:
            continue
        if _covers(at, scope) or ((below or principal) and _covers(scope, at)):
            found.append(assignment)
    return _page(found, request)


def _definition(request: Request, world: Resources) -> Answer:
    """A role definition is the same at every scope, and without one."""
    name = request.key.rpartition("/")[2]
    found = [role for role in world.of_type("microsoft.authorization/roledefinitions") if role["name"].lower() == name]
    message = f"The specified role definition with ID '{name.replace('-', '')}' does not exist."
    return ok(found[0]) if found else error(404, "RoleDefinitionDoesNotExist", message)


def _scope_of(body: Body) -> str:
    return str(body["id"]).lower().rpartition("/providers/microsoft.authorization/")[0]


def _covers(scope: str, inner: str) -> bool:
    """Whether a scope is the other, or holds it."""
    return inner == scope or inner.startswith(f"{scope}/")


def _instance_view(request: Request, world: Resources) -> Answer:
    vm_path = request.path.rpartition("/")[0]
    body = world.resource(vm_path.lower(), request.now)
    if body is None:
        return _missing(Request(vm_path, {}, "", request.now), world) or resource_missing(vm_path, "")
    return ok(body["properties"].get("instanceView") or {})


def _extensions(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/rest/api/compute/virtual-machine-extensions/list is not paged."""
    vm = request.key.rpartition("/")[0]
    if vm not in world.resources:
        return _missing(request, world) or parent_missing(vm.rpartition("/")[2])
    return ok({"value": _below(vm, EXTENSION_TYPE, world)})


def _group(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/rest/api/resources/resource-groups/get"""
    name = request.path.rpartition("/")[2]
    if not world.has_group(name):
        return group_missing(name)
    tags = world.group_tags(name)
    kind = "Microsoft.Resources/resourceGroups"
    return ok(
        {
            "id": request.path,
            "name": name,
            "type": kind,
            "properties": {"provisioningState": "Succeeded"},
            **({"tags": tags} if tags else {}),
        }
    )


def _protected_items(request: Request, world: Resources) -> Answer:
    if missing := _missing(request, world):
        return missing
    return _page(_below(request.key.rpartition("/")[0], ITEM_TYPE, world), request)


def _jobs(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/rest/api/backup/backup-jobs/list; the newest first, without errors and tasks."""
    if missing := _missing(request, world):
        return missing
    vault = request.key.rpartition("/")[0]
    jobs = [job for job in _below(vault, JOBS, world) if _fits(job, request.filter)]
    jobs.sort(key=lambda job: str(job["properties"]["startTime"]), reverse=True)
    shown = [{**job, "properties": {k: v for k, v in job["properties"].items() if k not in VIEWLESS}} for job in jobs]
    return _page(shown, request)


def _fits(job: Body, query: str) -> bool:
    """`startTime` and `endTime` are the bounds of the time in which a job started."""
    wanted = {name.lower(): value for name, value in re.findall(r"(\w+)\s+eq\s+'([^']*)'", query)}
    properties = job["properties"]
    started = moment_of(properties["startTime"])
    since, until = (_filter_time(wanted[name]) if name in wanted else started for name in ("starttime", "endtime"))
    same = {"operation": properties["operation"], "status": properties["status"], "jobid": job["name"],
            "backupmanagementtype": properties["backupManagementType"]}  # fmt: skip
    return since <= started <= until and all(str(v).lower() == wanted.get(k, str(v)).lower() for k, v in same.items())


def _filter_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        raise BadFilter(f"'{text}' is not a time of the form yyyy-MM-dd hh:mm:ss AM, in UTC.") from None


def moment_of(text: str) -> datetime:
    """An Azure time: seven digits of a second are more than Python reads."""
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _usages(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/rest/api/recoveryservices/usages/list-by-vaults: the counts have no ids."""
    if missing := _missing(request, world):
        return missing
    counts = _below(request.key.rpartition("/")[0], USAGES, world)
    return ok(
        {"value": [{"unit": "Count", "limit": -1, "name": {"value": count["name"]}, **count["properties"]} for count in counts]}
    )


def _metrics(request: Request, world: Resources) -> Answer:
    resource = request.path[: -len(metrics.BELOW)]
    if resource.lower() not in world.resources:
        return resource_missing(resource, "")
    return metrics.answer(request.query, world.resources.get(request.key), request.now)


def _activity(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/rest/api/monitor/activity-logs/list; `eventTimestamp ge` is required; az sends times without quotes."""
    query = request.filter
    bounds = dict(re.findall(r"(?i)eventTimestamp (ge|le) '?([^'\s]+)'?", query))
    if "ge" not in bounds:
        raise BadFilter("The $filter must start with eventTimestamp ge '<time>'.")
    since, until = (moment_of(bounds[name]) if name in bounds else request.now for name in ("ge", "le"))
    found = [entry for entry in world.activity if since <= moment_of(entry["eventTimestamp"]) <= until]
    for name, field in (("resourceUri", "resourceId"), ("resourceId", "resourceId"), ("resourceGroupName", "resourceGroupName")):
        if match := re.search(rf"(?i)\b{name} eq '((?:[^']|'')*)'", query):
            wanted = match[1].replace("''", "'").lower()
            found = [entry for entry in found if str(entry[field]).lower() == wanted]
    if match := re.search(r"(?i)\bresourceProvider eq '([^']*)'", query):
        found = [entry for entry in found if str(entry["resourceProviderName"]["value"]).lower() == match[1].lower()]
    return _page(sorted(found, key=lambda entry: str(entry["eventTimestamp"]), reverse=True), request)


def _sizes(request: Request, world: Resources) -> Answer:
    """https://learn.microsoft.com/rest/api/compute/resource-skus/list: `location eq` is the only filter."""
    wanted = re.fullmatch(r"(?i)\s*location eq '([^']+)'\s*", request.filter)
    if request.filter and not wanted:
        raise BadFilter("Only 'location eq' is supported.")
    sizes = [size for size in world.sizes if not wanted or wanted[1].lower() in map(str.lower, size["locations"])]
    return _page(sizes, request)


_SPECIAL: dict[str, Callable[[Request, Resources], Answer]] = {
    f"{ACTIVITY}$": _activity,
    r"/providers/microsoft\.insights/metrics$": _metrics,
    r"^/subscriptions/[^/]+/resourcegroups/[^/]+$": _group,
    r"^/subscriptions/[^/]+/resources$": lambda request, world: resource_list.answer(request.filter, world.resources.values()),
    r"/providers/microsoft\.authorization/locks$": _locks,
    r"/providers/microsoft\.authorization/roleassignments$": _assignments,
    r"/providers/microsoft\.authorization/roledefinitions/[^/]+$": _definition,
    r"/providers/microsoft\.compute/locations/[^/]+/usages$": lambda request, world: _page(world.usages, request),
    r"/providers/microsoft\.compute/skus$": _sizes,
    r"/providers/microsoft\.compute/virtualmachines/[^/]+/instanceview$": _instance_view,
    r"/providers/microsoft\.compute/virtualmachines/[^/]+/extensions$": _extensions,
    r"/providers/microsoft\.recoveryservices/vaults/[^/]+/backupprotecteditems$": _protected_items,
    r"/providers/microsoft\.recoveryservices/vaults/[^/]+/backupjobs$": _jobs,
    r"/providers/microsoft\.recoveryservices/vaults/[^/]+/usages$": _usages,
}
"""Paths that are more than a lookup, by how they end."""
