"""Azure Resource Graph: rows made of the same resources that Azure Resource Manager answers from.

https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources. Each type lies in one table; types that no
table holds (locks, restore points) have no rows, a VM's row has no instance view. What a fault of 403 hides is left out silently.
https://learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.azure import kql
from sandbox.azure.answers import Answer, error, ok
from sandbox.azure.faults import Fault
from sandbox.world import Body

PATH = "/providers/microsoft.resourcegraph/resources"
BACKUP_TABLE, VAULTS = "recoveryservicesresources", "microsoft.recoveryservices/vaults"
TYPES = frozenset({
    "microsoft.compute/virtualmachines", "microsoft.compute/virtualmachines/extensions", "microsoft.compute/disks",
    "microsoft.compute/diskencryptionsets", "microsoft.compute/restorepointcollections", "microsoft.keyvault/vaults",
    "microsoft.network/networkinterfaces", "microsoft.network/networksecuritygroups", "microsoft.network/routetables",
    "microsoft.network/virtualnetworks", "microsoft.network/natgateways", "microsoft.storage/storageaccounts",
    "microsoft.classicstorage/storageaccounts",
})  # fmt: skip
"""Of the table `resources`. Subnets lie in the rows of their networks."""
GROUPS, CHANGES = "resourcecontainers", "resourcechanges"
TABLES = ("resources", BACKUP_TABLE, GROUPS, CHANGES)
HIDDEN = ("instanceView", "restorePoints")
MOST_ROWS = 1000
QUERIES, SECONDS = 15, 5
REMAINING, RESETS = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"


class Quota:
    """So many queries in so many seconds, of one caller: https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests"""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._began, self._used = now(), 0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether a query may pass, and the headers that say how many more may."""
        with self._lock:
            if self._now() - self._began >= SECONDS:
                self._began, self._used = self._now(), 0
            passes = self._used < QUERIES
            self._used += passes
            resets = max(1, math.ceil(SECONDS - (self._now() - self._began)))
            return passes, {REMAINING: str(QUERIES - self._used), RESETS: f"00:00:{resets:02}"}


def answer(asked: Mapping[str, Any], rows: Callable[[str], Iterable[Body]], now: datetime) -> Answer:
    """One page of a query's rows; `rows` gives those of a table."""
    options = asked.get("options") or {}
    try:
        query = kql.Query(str(asked.get("query")), now)
        if query.table.lower() not in TABLES:
            raise kql.NotUnderstood(query.table)
        kept, _ = query.run(list(rows(query.table.lower())))
    except kql.NotUnderstood as problem:
        return error(400, "BadRequest", f"Query is invalid: {problem}")
    top, skip = min(int(options.get("$top") or 100), MOST_ROWS), int(options.get("$skipToken") or 0)
    page = kept[skip : skip + top]
    more: Body = {"$skipToken": str(skip + top)} if skip + top < len(kept) else {}
    return ok({"totalRecords": len(kept), "count": len(page), "data": page, "resultTruncated": "false", **more})


def rows_of(table: str, bodies: Iterable[Body], faults: Sequence[Fault] = ()) -> Iterator[Body]:
    """The rows of a table that the caller may see."""
    hiding = [fault for fault in faults if fault.status == 403]
    for body in bodies:
        if table_of(body) == table and not any(fault.matches("GET", body["id"]) for fault in hiding):
            yield row_of(body)


def groups_of(bodies: Iterable[Body], tags: Callable[[str], Mapping[str, str]]) -> Iterator[Body]:
    """The rows of resource groups: of those that hold something."""
    ids = {"/".join(body["id"].split("/")[:5]) for body in bodies if "/resourcegroups/" in body["id"].lower()}
    for group in {one.lower(): one for one in sorted(ids)}.values():
        name = group.rpartition("/")[2]
        yield {"id": group, "name": name, "type": "microsoft.resources/subscriptions/resourcegroups", "tags": dict(tags(name))}


def table_of(body: Body) -> str:
    kind = str(body.get("type", "")).lower()
    return BACKUP_TABLE if kind.startswith(VAULTS) else "resources" if kind in TYPES else ""


def row_of(body: Body) -> Body:
    """A resource as a row: its type in lower case, its group and subscription in columns."""
    parts = body["id"].split("/")
    properties = {name: value for name, value in body["properties"].items() if name not in HIDDEN}
    if view := body["properties"].get("instanceView"):
        properties["extended"] = {"instanceView": _extended(view)}
    row = {name: value for name, value in body.items() if name not in ("properties", "resources", "type")}
    return {
        **row,
        "type": body["type"].lower(),
        "subscriptionId": parts[2],
        "resourceGroup": parts[4].lower(),
        "properties": properties,
    }


def _extended(view: Body) -> Body:
    """https://learn.microsoft.com/azure/governance/resource-graph/samples/samples-by-category (VM power state)"""
    codes = [status for status in view.get("statuses") or () if str(status.get("code")).startswith("PowerState/")]
    power = {"powerState": {name: codes[0].get(name) for name in ("code", "level", "displayStatus")}} if codes else {}
    return {**power, **{name: view[name] for name in ("osName", "osVersion") if view.get(name)}}
