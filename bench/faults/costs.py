"""What a fault cost: reads from Azure, diagnoses, tries at the ticket system, row writes and queue messages, for each piece of work.

An acknowledged alert is a piece of work, and so is what a kill cut off, for that begins again. So a bound holds whenever the kill comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import unquote

from sandbox.azure import RunningAzure

_LINE = re.compile(r'"(?P<verb>[A-Z]+) /devstoreaccount1/(?P<rest>\S*) HTTP[^"]*" (?P<status>\d+)')


@dataclass(frozen=True)
class Costs:
    """For each piece of work."""

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
        return [f"{getattr(self, name):.2f} {name} an alert, not {getattr(bounds, name):g}" for name in names
                if getattr(self, name) > getattr(bounds, name)]  # fmt: skip


@dataclass(frozen=True)
class Work:
    """What there was to do."""

    alerts: int
    """Acknowledged alerts."""
    diagnoses_cut_off: int = 0
    """Alerts without an incident when a host was killed or storage stopped: at most so many diagnoses were begun in vain."""
    messages_cut_off: int = 0
    """Queue messages that were out of sight then: at most so many were being worked on."""


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


def costs_of(azure: RunningAzure, tries: int, storage: StorageCalls, work: Work) -> Costs:
    diagnosed = max(1, work.alerts + work.diagnoses_cut_off)
    handled = max(1, work.alerts + work.messages_cut_off)
    return Costs(
        len(azure.calls()) / diagnosed, diagnoses(azure) / diagnosed,
        tries / handled, storage.row_writes / handled, storage.messages / handled,
    )  # fmt: skip
