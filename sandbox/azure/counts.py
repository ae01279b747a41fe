"""How often the simulated Azure was asked for what: counters, for runs whose calls are too many to list."""

from __future__ import annotations

import re
import threading
from collections import Counter
from typing import Any

from sandbox.azure.answers import is_list, type_and_name

LOG_QUERY = "log query"


def kind_of(path: str) -> str:
    """`microsoft.compute/virtualmachines`, and for a list ` list` behind it; `log query` for Log Analytics."""
    plain = re.sub(r"/{2,}", "/", path).rstrip("/").lower()
    if plain.startswith("/v1/workspaces/"):
        return LOG_QUERY
    return type_and_name(plain)[0] + (" list" if is_list(plain) else "")


class CallCounts:
    """Calls by kind, by status, and reads of Azure Resource Manager by subscription. Shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._kinds: Counter[str] = Counter()
            self._statuses: Counter[int] = Counter()
            self._subscriptions: Counter[str] = Counter()

    def add(self, path: str, status: int) -> None:
        kind = kind_of(path)
        subscription = re.match(r"(?i)/+subscriptions/+([^/]+)", path)
        with self._lock:
            self._kinds[kind] += 1
            self._statuses[status] += 1
            if subscription:
                self._subscriptions[subscription[1].lower()] += 1

    def as_json(self) -> dict[str, Any]:
        """`{"reads": {kind: n}, "subscriptions": {id: n}, "statuses": {"200": n}, "log_queries": n}`; refused calls count too."""
        with self._lock:
            reads = {kind: count for kind, count in self._kinds.most_common() if kind != LOG_QUERY}
            statuses = {str(status): count for status, count in self._statuses.items()}
            return {"reads": reads, "subscriptions": dict(self._subscriptions), "statuses": statuses,
                    "log_queries": self._kinds[LOG_QUERY]}  # fmt: skip
