"""Alert processing rules that take the action groups from alerts: who muted an alert in Azure does not want it from the sweep either.

https://learn.microsoft.com/rest/api/monitor/alertsmanagement/alert-processing-rules/list-by-subscription (2021-08-08) and
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-processing-rules
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handlers.azure.arm import Azure, NotRead
from handlers.facts import why_unread
from handlers.facts.schedules import WEEKDAYS, zone_of
from handlers.model import Job, ResourceId

log = logging.getLogger(__name__)

READ_RULES = "Microsoft.AlertsManagement/actionRules/read"
API = "2021-08-08"
KEPT_SECONDS = 900
MUTES = "removeallactiongroups"
A_DAY = timedelta(days=1)
type Rule = Mapping[str, Any]


def is_muted(job: Job, vault: ResourceId, azure: Azure) -> bool:
    """Whether a rule of the vault's subscription mutes what Azure Backup says of a failed job. Unread: no."""
    ended = job.ended_at or job.started_at
    return ended is not None and any(mutes(rule, vault, ended) for rule in _rules_of(vault.subscription, azure))


def mutes(rule: Rule, vault: ResourceId, at: datetime) -> bool:
    """Whether a rule mutes Azure Backup's own alert of a failed job in a vault at a time. What the rule says that is not known here mutes nothing."""
    actions = [str(action.get("actionType")).lower() for action in rule.get("actions") or ()]
    if not rule.get("enabled", True) or MUTES not in actions:
        return False
    scopes = [str(scope).lower().rstrip("/") for scope in rule.get("scopes") or ()]
    return (
        any(vault.key == scope or vault.key.startswith(f"{scope}/") for scope in scopes)
        and all(_holds(condition, vault) for condition in rule.get("conditions") or ())
        and _is_open(rule.get("schedule") or {}, at)
    )


# ---------------------------------------------------------------- what it is about


def _holds(condition: Mapping[str, Any], vault: ResourceId) -> bool:
    """The alert of a failed job is one of severity 1 of the vault. https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts"""
    known = {
        "monitorservice": "azure backup",
        "severity": "sev1",
        "monitorcondition": "fired",
        "targetresource": vault.key,
        "targetresourcegroup": vault.group_id.lower(),
        "targetresourcetype": "microsoft.recoveryservices/vaults",
    }
    value, values = known.get(str(condition.get("field")).lower()), [str(text).lower() for text in condition.get("values") or ()]
    if value is None:
        return False
    holds = {
        "equals": value in values,
        "notequals": value not in values,
        "contains": any(part in value for part in values),
        "doesnotcontain": not any(part in value for part in values),
    }
    return holds.get(str(condition.get("operator")).lower(), False)


# ---------------------------------------------------------------- when


def _is_open(schedule: Mapping[str, Any], at: datetime) -> bool:
    """Times are a clock's on the wall in the schedule's zone, which is named as Windows does."""
    zone = zone_of(str(schedule.get("timeZone") or "UTC"))
    if not zone:
        return False
    wall, recurrences = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), schedule.get("recurrences")
    try:
        since, until = (_moment(schedule.get(name)) for name in ("effectiveFrom", "effectiveUntil"))
        is_within = (since is None or since <= wall) and (until is None or wall < until)
        return is_within and (not recurrences or any(_recurs(recurrence, wall) for recurrence in recurrences))
    except ValueError:
        return False


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None


def _recurs(recurrence: Mapping[str, Any], wall: datetime) -> bool:
    """A recurrence without times is the whole day; one that ends before it starts ends on the next day."""
    return any(start <= wall < end for start, end in _around(recurrence, wall))


def _around(recurrence: Mapping[str, Any], wall: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows that began on the day and on the one before."""
    starts, ends = (time.fromisoformat(recurrence.get(name) or "00:00") for name in ("startTime", "endTime"))
    for day in (wall.date(), wall.date() - A_DAY):
        if _is_on(recurrence, day.weekday(), day.day):
            yield datetime.combine(day, starts), datetime.combine(day if starts < ends else day + A_DAY, ends)


def _is_on(recurrence: Mapping[str, Any], weekday: int, day_of_month: int) -> bool:
    days = [str(day).lower() for day in recurrence.get("daysOfWeek") or ()]
    kinds = {
        "daily": True,
        "weekly": WEEKDAYS[weekday] in days,
        "monthly": day_of_month in (recurrence.get("daysOfMonth") or ()),
    }
    return kinds.get(str(recurrence.get("recurrenceType")).lower(), False)


# ---------------------------------------------------------------- reading them


def _rules_of(subscription: str, azure: Azure) -> tuple[Rule, ...]:
    """The rules of a subscription; read every quarter of an hour for all that ask; none when they cannot be read."""
    from azure.core.exceptions import AzureError

    path = f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/actionRules"

    def read() -> tuple[Rule, ...]:
        try:
            return tuple(body.get("properties") or {} for body in azure.list_all(path, API))
        except (AzureError, NotRead, ValueError) as error:
            log.info("alert processing rules unread: %s", why_unread(error, (READ_RULES,)).why)
            return ()

    return azure.shared.get(f"alert rules {subscription.lower()}", read, seconds=KEPT_SECONDS)
