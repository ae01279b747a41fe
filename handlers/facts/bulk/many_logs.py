"""One query of Log Analytics for many VMs, instead of one for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers.azure.arm import Azure
from handlers.azure.shared_reads import Shared
from handlers.facts.queries import query
from handlers.model import ResourceId, parse_time

VMS_A_QUERY = 50
"""A heartbeat a minute is a row: an answer holds at most 500,000, and all of it is in memory.
https://learn.microsoft.com/azure/azure-monitor/service-limits#log-analytics-workspaces"""
TIME_COLUMNS = ("minute", "TimeGenerated", "time")


class ManyLogs:
    """The rows about some VMs, some dozens of them in one query. Shared by threads."""

    def __init__(self, azure: Azure, vms: Sequence[ResourceId]) -> None:
        self._azure, self._vms = azure, [vm.id for vm in vms]
        self._place = {vm.key: number for number, vm in enumerate(vms)}
        self._answers = Shared(failures_seconds=math.inf)

    def rows(self, name: str, vm: ResourceId, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """The rows of a query about one of the VMs. All are asked for since the day's begin: their windows differ by hours."""
        first = self._place[vm.key] // VMS_A_QUERY * VMS_A_QUERY
        day = since.replace(hour=0, minute=0, second=0, microsecond=0)

        def read() -> dict[str, list[dict[str, Any]]]:
            text = query(name, start=day, end=until, vms=self._vms[first : first + VMS_A_QUERY])
            return _by_vm(self._azure.query_logs(text, (day, until)))

        rows = self._answers.get(f"{name} {first} {day:%Y-%m-%d}", read, seconds=math.inf).get(vm.key, [])
        return [row for row in rows if (at := _time_of(row)) is None or at >= since]


def _by_vm(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    by_vm: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_vm.setdefault(str(row.get("vm")).lower(), []).append(row)
    return by_vm


def _time_of(row: dict[str, Any]) -> datetime | None:
    return next((parse_time(row[name]) for name in TIME_COLUMNS if name in row), None)
