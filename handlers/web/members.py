"""A storm's members as the page lists them: filtered, sorted, a hundred at a time. Works without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from handlers.runbook.templates import cause_title

COLUMNS = ("name", "status", "code", "cause", "last_good_at", "owner")
A_PAGE = 100
LONGEST_FILTER = 100


class Wanted(Struct, frozen=True):
    """`filter`: a text that a member's line must hold; `sort`: a column, with `-` before it the other way round."""

    filter: str = ""
    sort: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        sort, page = query.get("sort", ""), query.get("page", "")
        known = sort.removeprefix("-") in COLUMNS
        number = int(page) if page.isascii() and page.isdecimal() and len(page) < 4 else 1
        return cls(query.get("filter", "")[:LONGEST_FILTER], sort if known else "", max(number, 1))


def listed(members: Sequence[Mapping[str, Any]], wanted: Wanted, words: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The rows of one page, how many there are, and where the other pages and orders are."""
    language = words["page"]["language"]
    rows = [{**member, "cause": cause_title(language, member["cause"]) if member["cause"] else ""} for member in members]
    fitting = [row for row in rows if wanted.filter.lower() in " ".join(str(row[name] or "") for name in COLUMNS).lower()]
    column = wanted.sort.removeprefix("-")
    if column:
        fitting.sort(key=lambda row: str(row[column] or "").lower(), reverse=wanted.sort.startswith("-"))
    first = (wanted.page - 1) * A_PAGE
    return {
        "rows": fitting[first : first + A_PAGE], "fitting": len(fitting), "all": len(rows), "filter": wanted.filter, "sort": wanted.sort,
        "first": min(first + 1, len(fitting)), "last": min(first + A_PAGE, len(fitting)),
        "columns": [(name, words["page"][f"column_{name}"], _order(name, wanted)) for name in COLUMNS],
        "before": _query(wanted, page=wanted.page - 1) if wanted.page > 1 else "",
        "after": _query(wanted, page=wanted.page + 1) if first + A_PAGE < len(fitting) else "",
    }  # fmt: skip


def _order(name: str, wanted: Wanted) -> dict[str, str]:
    """How a column is sorted now, and where a click on it leads."""
    now = {name: "ascending", f"-{name}": "descending"}.get(wanted.sort, "none")
    return {"now": now, "query": _query(wanted, sort=f"-{name}" if now == "ascending" else name)}


def _query(wanted: Wanted, sort: str = "", page: int = 1) -> str:
    return urlencode({"filter": wanted.filter, "sort": sort or wanted.sort, "page": page})
