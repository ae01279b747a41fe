"""The Log Analytics query API, for rows that scenarios give.

https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
sandbox/azure/kql.py understands a little of the language; besides it the request's `timespan` counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.azure.answers import Answer, error, ok
from sandbox.azure.kql import NotUnderstood, Query, Row

TABLES = {
    "AddonAzureBackupAlerts",
    "AddonAzureBackupJobs",
    "AddonAzureBackupPolicy",
    "AddonAzureBackupProtectedInstance",
    "AddonAzureBackupStorage",
    "AzureActivity",
    "AzureDiagnostics",
    "CoreAzureBackup",
    "Event",
    "Heartbeat",
    "InsightsMetrics",
    "Perf",
    "Syslog",
}
"""Tables that every workspace resolves, rows or not."""

PARTIAL = {"code": "PartialError", "message": "There were some errors when processing your query."}
"""https://learn.microsoft.com/azure/azure-monitor/logs/api/errors#partial-results"""


def answer(
    query: str, timespan: str, rows_by_table: Mapping[str, Sequence[Row]], now: datetime, *, partial: bool = False
) -> Answer:
    """`{"tables": [{"name": "PrimaryResult", "columns": [{"name", "type"}], "rows": [[…]]}]}`, or a 400."""
    try:
        read = Query(query, now)
        if read.table not in rows_by_table and read.table not in TABLES:
            return unresolved(read.table)
        rows, columns = read.run([row for row in rows_by_table.get(read.table, ()) if _inside(row, timespan, now)])
    except NotUnderstood as problem:
        parsed = f"Query could not be parsed at '{problem}'"
        return _bad_query("SyntaxError", "A syntax error occurred.", "SYN0002", parsed)
    body: dict[str, Any] = {"tables": [_table(rows, columns)]}
    return ok(body | {"error": PARTIAL}) if partial else ok(body)


def unresolved(table: str) -> Answer:
    """https://learn.microsoft.com/python/api/overview/azure/monitor-query-readme#troubleshooting"""
    message = f"'where' operator: Failed to resolve table or column expression named '{table}'"
    return _bad_query("SemanticError", "A semantic error occurred.", "SEM0100", message)


def _bad_query(code: str, message: str, inner_code: str, inner_message: str) -> Answer:
    inner = {"code": code, "message": message, "innererror": {"code": inner_code, "message": inner_message}}
    return error(400, "BadArgumentError", "The request had some invalid properties", innererror=inner)


def _table(rows: Sequence[Row], columns: Sequence[str] | None) -> dict[str, Any]:
    shown = columns or list(dict.fromkeys(name for row in rows for name in row))
    described = [{"name": name, "type": _type([row.get(name) for row in rows], name)} for name in shown]
    cells = [[_cell(row.get(name)) for name in shown] for row in rows]
    return {"name": "PrimaryResult", "columns": described, "rows": cells}


def _type(values: Sequence[Any], name: str) -> str:
    found = next((value for value in values if value is not None), None)
    if isinstance(found, datetime) or (found is None and name.startswith("Time")):
        return "datetime"
    for kind, said in ((bool, "bool"), (int, "long"), (float, "real"), (dict, "dynamic"), (list, "dynamic")):
        if isinstance(found, kind):
            return said
    return "string"


def _cell(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _inside(row: Row, timespan: str, now: datetime) -> bool:
    """Whether a row's TimeGenerated is in the request's timespan: `start/end`, or a duration until now."""
    time = row.get("TimeGenerated")
    if not timespan or not isinstance(time, datetime):
        return True
    start, _, end = timespan.partition("/")
    if not end:
        return now - _duration(start) <= time
    return _time(start, now) <= time <= _time(end, now)


def _time(text: str, now: datetime) -> datetime:
    if text.startswith("P"):
        return now - _duration(text)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", text)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups()) if match else (0.0, 0.0, 0.0, 0.0)
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
