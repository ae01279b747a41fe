"""`make docs`: write infra/workbook/workbook.json from the queries beside it, so that they cannot differ; a test compares.

https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-overview, the form that Microsoft.Insights/workbooks takes as `serializedData`.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "infra" / "workbook"
QUERIES = FOLDER / "queries"
CHOICES = FOLDER / "choices"
"""A query for each parameter that filters: it lists what can be chosen."""
PAGE = FOLDER / "workbook.json"
DAY = 24 * 3600 * 1000
WORKSPACE = "microsoft.operationalinsights/workspaces"
ABOUT = """## Backup Runbooks
What the app logged and what the vaults logged. Times are UTC; each part says what its query counts. The queries lie in `infra/workbook/queries`."""


@dataclass(frozen=True, slots=True)
class Part:
    """One query on the page. `days` fixes its time range; 0: the reader's choice. `links` are columns that hold resource ids.

    A column `Ticket` leads to what the column `Url` beside it holds.
    """

    query: str
    title: str
    width: int = 50
    days: int = 0
    shown_as: str = "table"
    links: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return (QUERIES / f"{self.query}.kql").read_text(encoding="utf-8")


PARTS = (
    Part("overview", "", 100, days=90, shown_as="tiles"),
    Part("incidents_per_day", "Incidents by day", shown_as="barchart"),
    Part("tickets_per_day", "Posts by day", shown_as="barchart"),
    Part("causes_per_day", "Confirmed causes by day", shown_as="barchart"),
    Part("success_rate", "Backup jobs that worked, per cent", shown_as="timechart"),
    Part("open_incidents", "Open now (of the last 90 days, as far as the workspace keeps them)", 100, days=90),
    Part("failures_by_code", "Incidents by error code"),
    Part("failures_by_cause", "Incidents by confirmed cause"),
    Part("failures_by_vault", "Incidents by vault"),
    Part("failed_jobs", "Failed jobs as the vaults log them, by VM", links=("Vault",)),
    Part("time_to_ticket", "From alert to ticket, seconds"),
    Part("time_to_recover", "From ticket to recovery, hours"),
    Part("storms", "Storms", 100),
    Part("canary", "The daily test alert"),
    Part("sweep", "What the sweep found"),
    Part("tickets_not_posted", "Tickets not posted, alerts set aside", 100),
)


def workbook() -> dict[str, Any]:
    return {
        "version": "Notebook/1.0",
        "items": [_text(ABOUT), _parameters(), *map(_query, PARTS)],
        "fallbackResourceIds": [],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def page() -> str:
    return json.dumps(workbook(), indent=2, ensure_ascii=False) + "\n"


def _text(markdown: str) -> dict[str, Any]:
    return {"type": 1, "content": {"json": markdown}, "name": "about"}


def _parameters() -> dict[str, Any]:
    content = {
        "version": "KqlParameterItem/1.0",
        "parameters": [_time_range(), *(_choice(path) for path in sorted(CHOICES.glob("*.kql")))],
        "style": "pills",
        "queryType": 0,
        "resourceType": WORKSPACE,
    }
    return {"type": 9, "content": content, "name": "parameters"}


def _choice(path: Path) -> dict[str, Any]:
    """Several of a list, or all of it, which a query sees as `'*'`.

    https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-dropdowns
    """
    return _parameter(path.stem) | {
        "label": path.stem,
        "type": 2,
        "multiSelect": True,
        "quote": "'",
        "delimiter": ",",
        "query": path.read_text(encoding="utf-8"),
        "queryType": 0,
        "resourceType": WORKSPACE,
        "timeContext": {"durationMs": 90 * DAY},
        "typeSettings": {"additionalResourceOptions": ["value::all"], "selectAllValue": "*", "showDefault": False},
        "defaultValue": "value::all",
    }


def _parameter(name: str) -> dict[str, Any]:
    id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, f"backup-runbooks/workbook/{name}"))
    return {"id": id_, "version": "KqlParameterItem/1.0", "name": name}


def _time_range() -> dict[str, Any]:
    choices = [{"durationMs": days * DAY} for days in (1, 7, 30, 90)]
    return _parameter("TimeRange") | {
        "label": "Time range",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": 30 * DAY},
        "typeSettings": {"selectableValues": choices, "allowCustom": True},
    }


def _query(part: Part) -> dict[str, Any]:
    content: dict[str, Any] = {
        "version": "KqlItem/1.0",
        "query": part.text,
        "size": 0,
        "title": part.title,
        "noDataMessage": "Nothing in this time range.",
        "queryType": 0,
        "resourceType": WORKSPACE,
        "visualization": part.shown_as,
    }
    if part.shown_as == "tiles":
        content["tileSettings"] = {
            "titleContent": {"columnMatch": "Tile"},
            "leftContent": {"columnMatch": "Value", "formatter": 12},
        }
    if formatters := _formatters(part):
        content["gridSettings"] = {"formatters": formatters}
    content |= {"timeContext": {"durationMs": part.days * DAY}} if part.days else {"timeContextFromParameter": "TimeRange"}
    return {"type": 3, "content": content, "customWidth": str(part.width), "name": part.query}


def _formatters(part: Part) -> list[dict[str, Any]]:
    """https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-link-actions"""
    resources = [{"columnMatch": name, "formatter": 13, "formatOptions": {"linkTarget": "Resource"}} for name in part.links]
    if "Ticket, Url" not in part.text:
        return resources
    to_ticket = {"columnMatch": "Ticket", "formatter": 7, "formatOptions": {"linkColumn": "Url", "linkTarget": "Url"}}
    return [*resources, to_ticket, {"columnMatch": "Url", "formatter": 5}]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
