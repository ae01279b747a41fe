"""Facts from Log Analytics: what the VM itself sends there. https://learn.microsoft.com/azure/azure-monitor/reference/tables/heartbeat

A heartbeat proves the operating system and its network, not the guest agent: no table holds the agent's state.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.jobs import kql_text
from handlers.model import Failure, GuestEvents, Heartbeats, Reason, parse_time

QUERY = "Microsoft.OperationalInsights/workspaces/query/read"
BACKUP_PROCESS = "IaaSBcdrExtension"


@fact(QUERY, source="Log Analytics: Heartbeat")
def heartbeats(failure: Failure, reads: Reads) -> Heartbeats:
    """Heartbeats from half an hour before the job until now, and their longest gap."""
    began = (failure.job and failure.job.started_at) or failure.failed_at
    since, now = began - timedelta(minutes=30), datetime.now(UTC)
    rows = _rows("Heartbeat", "", "TimeGenerated", since - timedelta(days=1), failure, reads)
    times = sorted(time for row in rows if (time := parse_time(row.get("TimeGenerated"))))
    if not times:
        raise Unread(Reason.NO_DATA)
    inside = [time for time in times if time >= since]
    edges = [since, *inside, now]
    gap = max(later - earlier for earlier, later in pairwise(edges))
    return Heartbeats(len(inside), int(gap.total_seconds() // 60), times[-1])


@fact(QUERY, source="Log Analytics: InsightsMetrics")
def os_disk_free_percent(failure: Failure, reads: Reads) -> float:
    """The newest free share of the volume `C:` or `/`, in percent."""
    rows = _rows(
        "InsightsMetrics",
        "\n| where Namespace == 'LogicalDisk' and Name == 'FreeSpacePercentage'",
        "TimeGenerated, Val, Tags",
        failure.failed_at - timedelta(hours=24),
        failure,
        reads,
    )
    roots = [row for row in rows if any(f'"{root}"' in str(row.get("Tags")) for root in ("C:", "/"))]
    if not roots:
        raise Unread(Reason.NO_DATA)
    newest = max(roots, key=lambda row: str(row.get("TimeGenerated")))
    return round(float(newest["Val"]), 1)


@fact(QUERY, source="Log Analytics: Event")
def extension_crashes(failure: Failure, reads: Reads) -> GuestEvents:
    """Application Error 1000 of the backup extension's process around the job."""
    return _events("Application", failure, reads, lambda row: str(row.get("EventID")) == "1000")


@fact(QUERY, source="Log Analytics: Event")
def blocked_executables(failure: Failure, reads: Reads) -> GuestEvents:
    """AppLocker and code-integrity events that name the backup extension's process."""
    return _events("AppLocker", failure, reads, lambda row: str(row.get("EventID")) in ("8004", "8007", "3077"))


def _events(log_name: str, failure: Failure, reads: Reads, wanted: Any) -> GuestEvents:
    columns = "TimeGenerated, EventLog, EventID, RenderedDescription"
    since = failure.failed_at - timedelta(hours=24)
    rows = [
        row for row in _rows("Event", "", columns, since, failure, reads) if log_name.lower() in str(row.get("EventLog")).lower()
    ]
    matches = [row for row in rows if wanted(row) and BACKUP_PROCESS.lower() in str(row.get("RenderedDescription")).lower()]
    return GuestEvents(bool(rows), tuple(f"{row.get('TimeGenerated')} {row.get('EventID')}" for row in matches[:20]))


def _rows(table: str, where: str, columns: str, since: datetime, failure: Failure, reads: Reads) -> list[dict[str, Any]]:
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    query = f"{table}\n| where _ResourceId =~ {kql_text(failure.vm.id)}{where}\n| project {columns}\n| take 5000"
    return reads.once(("log", query), lambda: reads.azure.query_logs(query, (since, datetime.now(UTC))))
