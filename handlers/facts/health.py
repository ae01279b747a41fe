"""Facts from Resource Health and the activity log.

https://learn.microsoft.com/rest/api/resourcehealth/availability-statuses/get-by-resource and …/events/list-by-subscription-id
https://learn.microsoft.com/rest/api/monitor/activity-logs/list (kept for 90 days)
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.compute import READ_VM, read_vm
from handlers.model import Failure, PowerOperation, Reason, ServiceIssue, parse_time

HEALTH_API, ACTIVITY_API = "2022-10-01", "2015-04-01"
POWER = {"start", "restart", "poweroff", "deallocate", "redeploy", "reapply"}
MARGIN = timedelta(hours=1)


@fact(
    READ_VM,
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.ResourceHealth/events/read",
    source="Microsoft.ResourceHealth/events, availabilityStatuses",
)
def service_issues(failure: Failure, reads: Reads) -> tuple[ServiceIssue, ...]:
    """Azure's own problems that touched the VM or its region when the job failed."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    vm_id, subscription = failure.vm.id, failure.vm.subscription
    events_path = f"/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events"
    current, events = reads.both(
        lambda: reads.get(f"{vm_id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", HEALTH_API),
        lambda: reads.of_all(f"events {subscription.lower()}", lambda: reads.azure.list_all(events_path, HEALTH_API)),
    )
    region = str(read_vm(failure, reads).get("location", "")).replace(" ", "").lower()
    found = [_availability(current)] + [_event(event, region, failure.failed_at) for event in events]
    return tuple(issue for issue in found if issue)


def _availability(body: dict[str, Any]) -> ServiceIssue | None:
    """The VM's own health, when the platform and not a user made it unavailable."""
    properties = body.get("properties") or {}
    state, kind = str(properties.get("availabilityState") or ""), str(properties.get("reasonType") or "")
    if state.lower() not in ("unavailable", "degraded") or kind.lower() in ("userinitiated", "customer initiated"):
        return None
    title = str(properties.get("title") or properties.get("summary") or state)
    return ServiceIssue(title, state, parse_time(properties.get("occurredTime") or properties.get("occuredTime")))


def _event(body: dict[str, Any], region: str, failed_at: datetime) -> ServiceIssue | None:
    properties = body.get("properties") or {}
    began, ended = parse_time(properties.get("impactStartTime")), parse_time(properties.get("impactMitigationTime"))
    during = began is not None and began - MARGIN <= failed_at and (ended is None or ended + MARGIN >= failed_at)
    if str(properties.get("eventType", "")).lower() != "serviceissue" or not during or not _touches(properties, region):
        return None
    return ServiceIssue(
        str(properties.get("title") or ""), str(properties.get("status") or ""), began, str(body.get("name") or "")
    )


def _touches(properties: dict[str, Any], region: str) -> bool:
    """Whether the event touches the VM's region with a service that backup of a VM needs."""
    services = ("virtual machines", "azure backup", "backup", "storage", "site recovery")
    for impact in properties.get("impact") or ():
        regions = [str(r.get("impactedRegion", "")).replace(" ", "").lower() for r in impact.get("impactedRegions") or ()]
        named = str(impact.get("impactedService", "")).lower()
        if (region in regions or "global" in regions) and any(service in named for service in services):
            return True
    return False


@fact("Microsoft.Insights/eventtypes/values/Read", source="Microsoft.Insights/eventtypes/management")
def power_operations(failure: Failure, reads: Reads) -> tuple[PowerOperation, ...]:
    """What Azure was told to do with the VM's power from 24 hours before the failure until now, newest first."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    since, until = failure.failed_at - timedelta(hours=24), datetime.now(UTC)
    path = f"/subscriptions/{failure.vm.subscription}/providers/microsoft.insights/eventtypes/management/values"
    resource = failure.vm.id.replace("'", "''")
    query = f"eventTimestamp ge '{since:%Y-%m-%dT%H:%M:%SZ}' and eventTimestamp le '{until:%Y-%m-%dT%H:%M:%SZ}' and resourceUri eq '{resource}'"
    found = [_power(entry) for entry in reads.list_all(path, ACTIVITY_API, filter=query)]
    return tuple(sorted((operation for operation in found if operation), key=lambda operation: operation.at, reverse=True))


def _power(entry: dict[str, Any]) -> PowerOperation | None:
    name = str((entry.get("operationName") or {}).get("value") or "")
    verb = name.lower().removeprefix("microsoft.compute/virtualmachines/").removesuffix("/action")
    at = parse_time(entry.get("eventTimestamp"))
    if verb not in POWER or at is None:
        return None
    return PowerOperation(verb, at, str(entry.get("caller") or ""), str((entry.get("status") or {}).get("value") or ""))
