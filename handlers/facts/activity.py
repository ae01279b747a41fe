"""The activity log: what was done to resources through Azure, and when. It is kept for 90 days.

https://learn.microsoft.com/rest/api/monitor/activity-logs/list
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.backup import last_good
from handlers.facts.compute import READ_VM
from handlers.facts.disks import attached_disks
from handlers.facts.jobs import READ_JOBS
from handlers.facts.restore_points import READ_COLLECTION, collections_of
from handlers.model import Activity, Failure, Operation, Reason, ResourceId, Unknown, parse_time
from handlers.model.facts import BACKUP_SERVICE_APP

API = "2015-04-01"
READ_ACTIVITY = "Microsoft.Insights/eventtypes/values/Read"
SOURCE = "Microsoft.Insights/eventtypes/management"
LONGEST_SAS = timedelta(days=60)
"""How long access to a disk restore point may last: https://learn.microsoft.com/rest/api/compute/disk-restore-point/grant-access"""
KEPT_SECONDS = 120.0
"""In a storm: what was done a moment ago must show."""
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
"""The claim that holds who did it: https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema"""
DENIED = ("policies/deny", "requestdisallowedbypolicy")
"""Azure Policy's own entry, and the error of what it denied: https://learn.microsoft.com/azure/governance/policy/how-to/get-compliance-data"""
A_DAY, A_WEEK, TWO_WEEKS = timedelta(days=1), timedelta(days=7), timedelta(days=14)
AUTHORIZATION = "Microsoft.Authorization"
AUTHORIZATIONS = ("locks/", "roleassignments/", "policyassignments/", "policies/deny")
"""What of it is told; audits by policies are many."""


@fact(READ_ACTIVITY, READ_JOBS, source=SOURCE)
def vm_activity(failure: Failure, reads: Reads) -> Activity:
    """What was done to the VM, its disks' attachments and its extensions since the last good backup, and at least for a day."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    vm, since = failure.vm, since_good(failure, reads)
    group = vm.group_id.lower()
    entries = of_group(vm.subscription, vm.group, since, reads)
    return Activity(since, tuple(entry for entry in entries if _is_of(entry, vm.key) or entry.resource == group))


@fact(READ_ACTIVITY, READ_JOBS, READ_VM, source=SOURCE)
def disk_activity(failure: Failure, reads: Reads) -> Activity:
    """What was done to the VM's disks since then. The log of the VM's own group is read for both."""
    since = since_good(failure, reads)
    ids = {disk.id.lower() for disk in attached_disks(failure, reads) if disk.id}
    groups = {(parsed.subscription, parsed.group.lower()) for found in ids if (parsed := ResourceId.parse(found))}
    logs = reads.each(sorted(groups), lambda group: of_group(*group, since, reads))
    return Activity(since, tuple(entry for entries in logs for entry in entries if entry.resource in ids))


def since_good(failure: Failure, reads: Reads) -> datetime:
    """A day before the last good backup, and at most a week before the failed one."""
    good = reads.or_unknown(lambda: last_good(failure, reads))
    began = good.started_at if good and not isinstance(good, Unknown) else None
    return max(min(began or failure.began_at, failure.began_at) - A_DAY, failure.began_at - A_WEEK)


@fact(READ_ACTIVITY, READ_COLLECTION, source=SOURCE)
def restore_point_activity(failure: Failure, reads: Reads) -> Activity:
    """What was done in 60 days in the resource groups that hold the VM's restore points."""
    since = failure.began_at - LONGEST_SAS
    groups = {
        (parsed.subscription, parsed.group) for found in collections_of(failure, reads) if (parsed := ResourceId.parse(found))
    }
    if not groups:
        raise Unread(Reason.NO_DATA)
    found = reads.each(sorted(groups), lambda group: of_group(*group, since, reads))
    return Activity(since, tuple(entry for entries in found for entry in entries))


@fact(READ_ACTIVITY, READ_JOBS, source=SOURCE)
def lock_changes(failure: Failure, reads: Reads) -> Activity:
    """The locks that were made or deleted in the subscription since the job began."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    since, entries = failure.began_at, authorizations(failure.vm.subscription, failure, reads)
    return Activity(since, tuple(entry for entry in entries if entry.operation.startswith("locks/") and entry.at >= since))


@fact(READ_ACTIVITY, READ_JOBS, source=SOURCE)
def authorization_activity(failure: Failure, reads: Reads) -> Activity:
    """The locks, role assignments and policies that were made or deleted in the subscription since the last good backup."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    entries = authorizations(failure.vm.subscription, failure, reads)
    told = tuple(entry for entry in entries if entry.operation.startswith(AUTHORIZATIONS))
    return Activity(since_authorizations(failure, reads), told)


@fact(READ_ACTIVITY, READ_JOBS, source=SOURCE)
def vault_activity(failure: Failure, reads: Reads) -> Activity:
    """What was done to the vault itself, its backup policies and the protected item since the last good backup, and at least for a day.

    The operations are those of the provider's list: https://learn.microsoft.com/azure/role-based-access-control/permissions/management-and-governance#microsoftrecoveryservices
    Where vault and VM share a resource group, this is the read of `vm_activity`.
    """
    vault, item = failure.vault, failure.item
    if vault is None:
        raise Unread(Reason.NOT_NAMED)
    since, policies = since_good(failure, reads), f"{vault.key}/backuppolicies"
    entries = of_group(vault.subscription, vault.group, since, reads)
    own = (e for e in entries if e.resource == vault.key or _is_of(e, policies) or (item and _is_of(e, item.key)))
    return Activity(since, tuple(own))


def since_authorizations(failure: Failure, reads: Reads) -> datetime:
    """The beginning of the day of the last good backup, and at most two weeks before the failed one; many that failed share it."""
    good = reads.or_unknown(lambda: last_good(failure, reads))
    began = good.started_at if good and not isinstance(good, Unknown) else None
    since = max(min(began or failure.began_at - TWO_WEEKS, failure.began_at), failure.began_at - TWO_WEEKS)
    return since.replace(hour=0, minute=0, second=0, microsecond=0)


def authorizations(subscription: str, failure: Failure, reads: Reads) -> tuple[Operation, ...]:
    """What was done to locks, role assignments and policies: one read for all that ask."""
    return of_provider(subscription, AUTHORIZATION, since_authorizations(failure, reads), reads)


def of_group(subscription: str, group: str, since: datetime, reads: Reads) -> tuple[Operation, ...]:
    return _entries(subscription, f"resourceGroupName eq '{_quoted(group)}'", since, reads)


def of_provider(subscription: str, provider: str, since: datetime, reads: Reads) -> tuple[Operation, ...]:
    return _entries(subscription, f"resourceProvider eq '{provider}'", since, reads)


def _entries(subscription: str, which: str, since: datetime, reads: Reads) -> tuple[Operation, ...]:
    """The entries since then, newest first; they are read since a little earlier, which many that failed share."""
    hour, until = reads.since(since), datetime.now(UTC)
    path = f"/subscriptions/{subscription}/providers/microsoft.insights/eventtypes/management/values"
    query = f"eventTimestamp ge '{hour:%Y-%m-%dT%H:%M:%SZ}' and eventTimestamp le '{until:%Y-%m-%dT%H:%M:%SZ}' and {which}"

    def read() -> tuple[Operation, ...]:
        return tuple(filter(None, map(_operation, reads.azure.list_all(path, API, filter=query))))

    entries = reads.of_all(f"activity {subscription} {which} {hour:%Y-%m-%dT%H}".lower(), read, seconds=KEPT_SECONDS)
    return tuple(sorted((entry for entry in entries if entry.at >= since), key=lambda entry: entry.at, reverse=True))


def _operation(entry: dict[str, Any]) -> Operation | None:
    name, at = str((entry.get("operationName") or {}).get("value") or "").lower(), parse_time(entry.get("eventTimestamp"))
    if at is None:
        return None
    caller, claims = str(entry.get("caller") or ""), entry.get("claims") or {}
    resource, status = str(entry.get("resourceId") or ""), str((entry.get("status") or {}).get("value") or "")
    denied = _denied(name, status, entry.get("properties"))
    return Operation(
        _verb(name), at, resource.lower(), caller, status,
        BACKUP_SERVICE_APP in (caller.lower(), str(claims.get("appid") or "").lower()), resource,
        str(claims.get(OBJECT_ID) or ""), denied is not None, denied or "",
    )  # fmt: skip


def _denied(name: str, status: str, properties: object) -> str | None:
    """The policy assignment that denied an operation, where the entry names it; None when none did."""
    if status.lower() != "failed" and DENIED[0] not in name:
        return None
    said = json.dumps(properties or {}).replace("\\", "")
    if not any(word in f"{name} {said}".lower() for word in DENIED):
        return None
    found = re.search(r'"policyAssignmentId"\s*:\s*"([^"]{1,300})"', said)
    return found[1] if found else ""


def _verb(name: str) -> str:
    """`microsoft.compute/virtualmachines/restart/action` -> `restart`; `microsoft.authorization/locks/delete` -> `locks/delete`."""
    path = name.removesuffix("/action").partition("/")[2]
    return path.removeprefix("virtualmachines/")


def _is_of(entry: Operation, key: str) -> bool:
    return entry.resource == key or entry.resource.startswith(f"{key}/")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
