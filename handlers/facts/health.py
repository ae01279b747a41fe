"""Facts from Resource Health and Service Health.

https://learn.microsoft.com/rest/api/resourcehealth/availability-statuses/list and …/events/list-by-subscription-id
"""

from __future__ import annotations

from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.compute import READ_VM, read_vm
from handlers.model import Availability, Failure, Reason, ServiceIssue, Unknown, parse_time

API = "2022-10-01"
READ_STATUSES = "Microsoft.ResourceHealth/availabilityStatuses/read"


@fact(READ_STATUSES, source="Microsoft.ResourceHealth/availabilityStatuses")
def vm_availability(failure: Failure, reads: Reads) -> tuple[Availability, ...]:
    """The VM's states as Resource Health remembers them, newest first."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    entries = reads.list_all(f"{failure.vm.id}/providers/Microsoft.ResourceHealth/availabilityStatuses", API)
    found = [status for entry in entries if (status := _availability(entry.get("properties") or {}))]
    return tuple(sorted(found, key=lambda status: status.since, reverse=True))


def _availability(properties: dict[str, Any]) -> Availability | None:
    """Azure spells the time in two ways."""
    since = parse_time(properties.get("occurredTime") or properties.get("occuredTime"))
    if since is None:
        return None
    title = str(properties.get("title") or properties.get("summary") or "")
    return Availability(str(properties.get("availabilityState") or ""), since, str(properties.get("reasonType") or ""), title)


@fact(
    READ_VM,
    "Microsoft.ResourceHealth/events/read",
    "Microsoft.ResourceHealth/impactedResources/read",
    source="Microsoft.ResourceHealth/events",
)
def service_issues(failure: Failure, reads: Reads) -> tuple[ServiceIssue, ...]:
    """The service problems that Azure published for the VM's region and the time of the job."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    subscription = failure.vm.subscription
    path = f"/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events"
    events = reads.of_all(f"events {subscription.lower()}", lambda: reads.azure.list_all(path, API))
    region = str(read_vm(failure, reads).get("location", "")).replace(" ", "").lower()
    touching = [event for event in events if _touches(event.get("properties") or {}, region) and _overlaps(event, failure)]
    return reads.each(touching, lambda event: _issue(event, path, failure, reads))


def _overlaps(event: dict[str, Any], failure: Failure) -> bool:
    properties = event.get("properties") or {}
    began, ended = parse_time(properties.get("impactStartTime")), parse_time(properties.get("impactMitigationTime"))
    in_time = began is not None and began <= failure.failed_at and (ended is None or ended >= failure.began_at)
    return in_time and str(properties.get("eventType", "")).lower() == "serviceissue"


def _issue(event: dict[str, Any], path: str, failure: Failure, reads: Reads) -> ServiceIssue:
    properties, name = event.get("properties") or {}, str(event.get("name") or "")
    impacted = reads.or_unknown(lambda: reads.list_all(f"{path}/{name}/impactedResources", API))
    named = None if isinstance(impacted, Unknown) else any(_is_ours(resource, failure) for resource in impacted)
    return ServiceIssue(
        str(properties.get("title") or ""), str(properties.get("status") or ""), parse_time(properties.get("impactStartTime")), name,
        parse_time(properties.get("impactMitigationTime")), named,
    )  # fmt: skip


def _is_ours(resource: dict[str, Any], failure: Failure) -> bool:
    target = str((resource.get("properties") or {}).get("targetResourceId") or "").lower().rstrip("/")
    return target in {known.key for known in (failure.vm, failure.vault) if known}


def _touches(properties: dict[str, Any], region: str) -> bool:
    """Whether the event touches the VM's region with a service that backup of a VM needs."""
    services = ("virtual machines", "azure backup", "backup", "storage", "site recovery")
    for impact in properties.get("impact") or ():
        regions = [str(r.get("impactedRegion", "")).replace(" ", "").lower() for r in impact.get("impactedRegions") or ()]
        named = str(impact.get("impactedService", "")).lower()
        if (region in regions or "global" in regions) and any(service in named for service in services):
            return True
    return False
