"""The Log Analytics query API, for rows that scenarios give.

https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
This is no KQL engine. Understood of a query: the table that its first line names; in every `where`, the clauses joined
by `and` that compare one column (bare or in `tolower(…)`, `tostring(…)`) with one string by `==`, `=~`, `!=`, `!~`,
`has`, `contains`, `startswith`; of the last `project`, plain columns and renamings `a=b`; `take`/`limit`; and the
request's `timespan`. Everything else (other clauses, `summarize`, `join`, `extend`, `sort` …) is passed over.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.azure.answers import Answer, error, ok

Row = Mapping[str, Any]
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

_CLAUSE = re.compile(
    r"(?s)\s*(?:(?:tolower|tostring|toupper)\(\s*)?(?P<column>\w+)\s*\)?\s*"
    r"(?P<operator>==|=~|!=|!~|has|contains|startswith)\s*(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*"
)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "=~": lambda said, wanted: said.lower() == wanted.lower(),
    "!~": lambda said, wanted: said.lower() != wanted.lower(),
    "has": lambda said, wanted: _has_term(said, wanted),
    "contains": lambda said, wanted: wanted.lower() in said.lower(),
    "startswith": lambda said, wanted: said.lower().startswith(wanted.lower()),
}


def answer(query: str, timespan: str, rows_by_table: Mapping[str, Sequence[Row]], now: datetime) -> Answer:
    """`{"tables": [{"name": "PrimaryResult", "columns": [{"name", "type"}], "rows": [[…]]}]}`, or a 400."""
    stages = _split(query.strip(), "|")
    table = stages[0].strip() if stages else ""
    if not re.fullmatch(r"\w+", table):
        parsed = f"Query could not be parsed at '{table[:40]}'"
        return _bad_query("SyntaxError", "A syntax error occurred.", "SYN0002", parsed)
    if table not in rows_by_table and table not in TABLES:
        return unresolved(table)
    rows = [row for row in rows_by_table.get(table, ()) if _inside(row, timespan, now)]
    columns: list[tuple[str, str]] | None = None
    for stage in stages[1:]:
        verb, _, rest = stage.strip().partition(" ")
        if verb == "where":
            rows = [row for row in rows if all(_holds(clause, row) for clause in _split(rest, " and "))]
        elif verb == "project":
            columns = [_column(part) for part in _split(rest, ",")]
        elif verb in ("take", "limit") and rest.strip().isdigit():
            rows = rows[: int(rest)]
    return ok({"tables": [_table(rows, columns)]})


def unresolved(table: str) -> Answer:
    """https://learn.microsoft.com/python/api/overview/azure/monitor-query-readme#troubleshooting"""
    message = f"'where' operator: Failed to resolve table or column expression named '{table}'"
    return _bad_query("SemanticError", "A semantic error occurred.", "SEM0100", message)


def _bad_query(code: str, message: str, inner_code: str, inner_message: str) -> Answer:
    inner = {"code": code, "message": message, "innererror": {"code": inner_code, "message": inner_message}}
    return error(400, "BadArgumentError", "The request had some invalid properties", innererror=inner)


def _table(rows: Sequence[Row], columns: Sequence[tuple[str, str]] | None) -> dict[str, Any]:
    """`columns` are (shown name, name in the row)."""
    shown = columns or [(name, name) for name in dict.fromkeys(name for row in rows for name in row)]
    described = [{"name": name, "type": _type([row.get(source) for row in rows], source)} for name, source in shown]
    cells = [[_cell(row.get(source)) for _, source in shown] for row in rows]
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


def _column(part: str) -> tuple[str, str]:
    name, assigned, source = part.partition("=")
    return name.strip(), (source if assigned else name).strip()


def _holds(clause: str, row: Row) -> bool:
    """Whether a row satisfies a clause; one that is not understood is satisfied."""
    match = _CLAUSE.fullmatch(clause)
    if not match:
        return True
    value = row.get(match["column"])
    return _COMPARE[match["operator"]]("" if value is None else str(value), _unescaped(match["text"][1:-1]))


def _has_term(said: str, wanted: str) -> bool:
    """KQL's `has`: the text, not in the middle of a word."""
    before = r"(?<![0-9A-Za-z])" if wanted[:1].isalnum() else ""
    behind = r"(?![0-9A-Za-z])" if wanted[-1:].isalnum() else ""
    return re.search(f"(?i){before}{re.escape(wanted)}{behind}", said) is not None


def _unescaped(text: str) -> str:
    """A KQL string literal's text. https://learn.microsoft.com/kusto/query/scalar-data-types/string"""

    def plain(match: re.Match[str]) -> str:
        return chr(int(match[1], 16)) if match[1] else {"n": "\n", "t": "\t", "r": "\r"}.get(match[2], match[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", plain, text)


def _split(text: str, separator: str) -> list[str]:
    """Split outside of string literals and parentheses."""
    parts, start, depth, quote, at = [], 0, 0, "", 0
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0 and text.startswith(separator, at):
            parts.append(text[start:at])
            at = start = at + len(separator)
            continue
        at += 1
    return [*parts, text[start:]]


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
