"""What a fault cost: reads from Azure, diagnoses, tries at the ticket system, row writes and queue messages, for each alert."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import unquote

from sandbox.azure import RunningAzure

_LINE = re.compile(r'"(?P<verb>[A-Z]+) /devstoreaccount1/(?P<rest>\S*) HTTP[^"]*" (?P<status>\d+)')


@dataclass(frozen=True)
class Costs:
    """For each acknowledged alert."""

    reads: float
    """Calls to Azure Resource Manager and Log Analytics."""
    diagnoses: float
    """How often the VM's state was read, which every diagnosis does once."""
    tries: float
    """Posts at the ticket system."""
    row_writes: float
    """Calls that write the table; a transaction is one."""
    messages: float
    """Messages sent to the queue, the alert's own among them."""

    def over(self, bounds: Costs) -> list[str]:
        """What is beyond its bound, in words."""
        names = [item.name for item in fields(self)]
        return [f"{getattr(self, name):.1f} {name} an alert, not {getattr(bounds, name):g}" for name in names
                if getattr(self, name) > getattr(bounds, name)]  # fmt: skip


@dataclass(frozen=True)
class StorageCalls:
    """What Azurite's access log says."""

    row_writes: int
    messages: int
    filters: tuple[str, ...]
    """The filters of table queries."""

    @classmethod
    def of(cls, access_log: Path) -> StorageCalls:
        writes, messages, filters = 0, 0, []
        for match in _LINE.finditer(access_log.read_text(encoding="utf-8", errors="replace")):
            verb, rest = match["verb"], unquote(match["rest"])
            writes += rest.startswith("$batch") or (verb in ("POST", "PUT", "PATCH", "MERGE") and rest.startswith("incidents("))
            writes += verb == "POST" and rest == "incidents"
            messages += verb == "POST" and rest.startswith("alerts/messages")
            if rest.startswith("incidents()") and "$filter=" in rest:
                filters.append(rest.split("$filter=", 1)[1].split("&")[0])
        return cls(writes, messages, tuple(filters))

    @property
    def scans(self) -> set[str]:
        """Filters that name another column than the keys: such a query goes through a whole partition."""
        return {
            text for text in self.filters if set(re.findall(r"(\w+) (?:eq|ne|gt|ge|lt|le) ", text)) - {"PartitionKey", "RowKey"}
        }


def diagnoses(azure: RunningAzure) -> int:
    return sum("instanceview" in call.path.lower() for call in azure.calls())


def costs_of(azure: RunningAzure, tries: int, storage: StorageCalls, alerts: Iterable[object]) -> Costs:
    count = max(1, len(list(alerts)))
    parts = (len(azure.calls()), diagnoses(azure), tries, storage.row_writes, storage.messages)
    return Costs(*(part / count for part in parts))
