"""Facts from the vault: other jobs of the item, its last good backup, and its policy. https://learn.microsoft.com/rest/api/backup/"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.jobs import BACKUPS, READ_JOBS, READ_POINTS, filter_time, is_of_item, job_details, list_jobs
from handlers.facts.schedules import runs_a_day, schedule_of
from handlers.model import DiskSelection, Failure, Job, Peers, Reason, ResourceId, SnapshotPolicy, Unknown, parse_time
from handlers.model.recovery import Protection, RecoveryPoint

LOOK_BACK = timedelta(days=7)
GOOD_LOOK_BACK = (timedelta(days=2), timedelta(days=8), timedelta(days=30))
"""How far back the last good backup is looked for, step by step: most items have one a day."""
AN_HOUR = timedelta(hours=1)
READ_ITEM = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read"
READ_POLICY = "Microsoft.RecoveryServices/Vaults/backupPolicies/read"
READ_GRAPH = "Microsoft.ResourceGraph/resources/read"
LIST_JOBS = "Microsoft.RecoveryServices/vaults/backupJobs"
LIST_POINTS = "Microsoft.RecoveryServices/vaults/…/recoveryPoints"
PROTECTED_ITEM = "Microsoft.RecoveryServices/vaults/…/protectedItems"


@fact(READ_JOBS, source=LIST_JOBS)
def recent_backup_jobs(failure: Failure, reads: Reads) -> tuple[Job, ...]:
    """The item's backup jobs of the seven days before the failure and until now, newest first."""
    return _own_jobs(_vault_of(failure), LOOK_BACK, failure, reads)


@fact(READ_JOBS, READ_GRAPH, source=LIST_JOBS)
def last_good(failure: Failure, reads: Reads) -> Job | None:
    """The VM's newest completed backup that started before the failed one; None when no vault of it has one of 30 days."""
    vault = _vault_of(failure)
    for span in GOOD_LOOK_BACK:
        if good := _good_in(vault, span, failure, reads):
            return good
    others = [_good_in(other, GOOD_LOOK_BACK[-1], failure, reads) for other in other_vaults(failure, reads)]
    return max((good for good in others if good), key=lambda good: good.started_at or failure.began_at, default=None)


def _good_in(vault: ResourceId, span: timedelta, failure: Failure, reads: Reads) -> Job | None:
    jobs = _own_jobs(vault, span, failure, reads)
    return next((job for job in jobs if job.completed and job.started_at and job.started_at < failure.began_at), None)


@fact(READ_JOBS, READ_POINTS, source=LIST_POINTS)
def last_good_consistency(failure: Failure, reads: Reads) -> str:
    """How consistent the last good backup is: `AppConsistent`, `FileSystemConsistent` or `CrashConsistent`."""
    good, points = reads.both(lambda: last_good(failure, reads), lambda: recovery_points(failure, reads))
    if good is None or good.started_at is None:
        raise Unread(Reason.NO_DATA)
    until = (good.ended_at or good.started_at) + timedelta(days=1)
    made = [point for point in points if good.started_at <= point.at <= until]
    if not made:
        raise Unread(Reason.NO_DATA)
    return min(made, key=lambda point: point.at).consistency


@fact(READ_POINTS, source=LIST_POINTS)
def recovery_points(failure: Failure, reads: Reads) -> tuple[RecoveryPoint, ...]:
    """The item's recovery points of the 30 days before the failure and until now that can be restored from, newest first.

    https://learn.microsoft.com/rest/api/backup/recovery-points/list
    """
    if failure.item is None:
        raise Unread(Reason.NOT_NAMED)
    vault, (container, name) = _vault_of(failure), _names(failure.item)
    since, until = failure.began_at - GOOD_LOOK_BACK[-1], datetime.now(UTC) + AN_HOUR
    window = f"startDate eq '{filter_time(since)}' and endDate eq '{filter_time(until)}'"

    def read() -> tuple[RecoveryPoint, ...]:
        listed = reads.azure.backup(vault.subscription).recovery_points.list(
            vault.name, vault.group, "Azure", container, name, filter=window
        )
        points = [point for resource in listed if (point := _point(_properties(resource)))]
        return tuple(sorted(points, key=lambda point: point.at, reverse=True))

    return reads.alone(lambda: reads.once(("points", vault.key, name.lower()), read))


def _point(found: Mapping[str, Any]) -> RecoveryPoint | None:
    """None for a point without a time, or one that is valid in no tier."""
    at, told = parse_time(found.get("recoveryPointTime")), found.get("recoveryPointTierDetails") or ()
    tiers = tuple(str(tier.get("type")) for tier in told if str(tier.get("status") or "").lower() == "valid")
    threat = str(found.get("threatStatus") or "")
    known = threat if threat.lower() in ("healthy", "warning", "unhealthy") else ""
    if at is None or (told and not tiers):
        return None
    return RecoveryPoint(at, str(found.get("recoveryPointType") or ""), tiers, known, str(found.get("securityType") or ""))


@fact(READ_ITEM, source=PROTECTED_ITEM)
def protection(failure: Failure, reads: Reads) -> Protection:
    """Whether the item is still backed up, and its newest recovery point. https://learn.microsoft.com/rest/api/backup/protected-items/get"""
    found = protected_item(failure, reads)
    return Protection(
        str(found.get("protectionState") or ""),
        parse_time(found.get("lastRecoveryPoint")),
        bool(found.get("isScheduledForDeferredDelete")),
    )


@fact(READ_ITEM, source=PROTECTED_ITEM)
def disk_selection(failure: Failure, reads: Reads) -> DiskSelection:
    """Which data disks are backed up. https://learn.microsoft.com/azure/backup/selective-disk-backup-restore"""
    properties = protected_item(failure, reads).get("extendedProperties") or {}
    listed = properties.get("diskExclusionProperties") or {}
    return DiskSelection(bool(listed.get("isInclusionList")), tuple(sorted(map(int, listed.get("diskLunList") or ()))))


@fact(READ_JOBS, source=LIST_JOBS)
def running_backup(failure: Failure, reads: Reads) -> Job | None:
    """The item's backup that has begun since the failed one and still runs; None when there is none."""
    jobs = _own_jobs(_vault_of(failure), GOOD_LOOK_BACK[0], failure, reads)
    return next((job for job in jobs if job.running and job.started_at and job.started_at > failure.began_at), None)


@fact(READ_JOBS, source=LIST_JOBS)
def other_operations(failure: Failure, reads: Reads) -> tuple[Job, ...]:
    """The item's jobs that are no backups (a restore, a change of its protection) and ran while the failed one ran."""
    jobs = [job for job in _jobs(_vault_of(failure), GOOD_LOOK_BACK[0], failure, reads) if is_of_item(job, failure)]
    return tuple(job for job in jobs if job.operation.lower() != BACKUPS.lower() and _overlaps(job, failure))


@fact(READ_JOBS, READ_GRAPH, source=LIST_JOBS)
def overlapping_backup_jobs(failure: Failure, reads: Reads) -> tuple[Job, ...]:
    """The VM's other jobs, in whatever vault that can be read, that ran while the failed one ran; each with its tasks."""
    failed = _vault_of(failure)
    others = reads.or_unknown(lambda: other_vaults(failure, reads))
    vaults = [failed, *(() if isinstance(others, Unknown) else others)]
    found = _each_overlapping(vaults, failure, reads)
    if isinstance(found[0], Unknown):
        raise Unread(found[0].why, found[0].detail)
    return tuple(job for jobs in found if not isinstance(jobs, Unknown) for job in jobs)


@fact(READ_JOBS, READ_GRAPH, source="Microsoft.ResourceGraph/resources")
def unread_vaults(failure: Failure, reads: Reads) -> tuple[str, ...]:
    """The vaults that protect or keep the VM too, and whose jobs could not be read."""
    vaults = other_vaults(failure, reads)
    found = _each_overlapping(vaults, failure, reads)
    return tuple(vault.name for vault, jobs in zip(vaults, found, strict=True) if isinstance(jobs, Unknown))


def _each_overlapping(vaults: Sequence[ResourceId], failure: Failure, reads: Reads) -> tuple[tuple[Job, ...] | Unknown, ...]:
    """The jobs of each vault, or why they could not be read. That a job is there and not read in bulk is no unread vault."""
    found = reads.each(vaults, lambda vault: reads.or_unknown(lambda: _overlapping_in(vault, failure, reads)))
    if any(isinstance(jobs, Unknown) and jobs.why is Reason.NOT_SAMPLED for jobs in found):
        raise Unread(Reason.NOT_SAMPLED)
    return found


@fact(READ_JOBS, source=LIST_JOBS)
def peers(failure: Failure, reads: Reads) -> Peers:
    """The vault's other items whose backups ran within an hour of the failed one."""
    vault, span = _vault_of(failure), GOOD_LOOK_BACK[0]
    first, last = failure.began_at - AN_HOUR, failure.failed_at + AN_HOUR
    jobs = [job for job in _backups(vault, span, failure, reads) if not is_of_item(job, failure) and job.ended_at]
    near = [job for job in jobs if job.started_at and job.started_at <= last and (job.ended_at or last) >= first]
    return Peers(sum(job.completed for job in near), sum(job.status.lower() == "failed" for job in near))


def other_vaults(failure: Failure, reads: Reads) -> tuple[ResourceId, ...]:
    """The other vaults that hold an item of the VM. Azure leaves out what the app may not see: the failed item must be there."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    failed = _vault_of(failure)
    rows = reads.items_of(failure.vm.key, sorted({failed.subscription.lower(), failure.vm.subscription.lower()}))
    ids = [re.split("/backupFabrics/", str(row.get("id") or ""), flags=re.IGNORECASE)[0] for row in rows]
    vaults = {parsed.key: parsed for found in ids if (parsed := ResourceId.parse(found))}
    if failed.key not in vaults:
        raise Unread(Reason.PARTIAL)
    return tuple(vault for key, vault in sorted(vaults.items()) if key != failed.key)


def _overlapping_in(vault: ResourceId, failure: Failure, reads: Reads) -> tuple[Job, ...]:
    own = vault.key == (failure.vault.key if failure.vault else "")
    found = [job for job in _own_jobs(vault, GOOD_LOOK_BACK[0], failure, reads) if _overlaps(job, failure)]
    details = reads.each(
        found,
        lambda job: reads.alone(lambda: reads.once(("job", vault.key, job.id), lambda: job_details(vault, job.id, reads.azure))),
    )
    return tuple(job if own else replace(job, vault_id=vault.id) for job in details)


def _overlaps(job: Job, failure: Failure) -> bool:
    """Whether another job ran before the failed one began or ended, and had not ended before it began."""
    failed = failure.job
    if (failed and job.id.lower() == failed.id.lower()) or job.id.lower() == failure.alert.job_id.lower() != "":
        return False
    began = job.started_at is not None and job.started_at <= failure.failed_at
    return began and (job.running or (job.ended_at is not None and job.ended_at >= failure.began_at))


def _own_jobs(vault: ResourceId, span: timedelta, failure: Failure, reads: Reads) -> tuple[Job, ...]:
    """The VM's backups in a vault, from so long before the failed one until now, newest first."""
    return tuple(job for job in _backups(vault, span, failure, reads) if is_of_item(job, failure))


def _backups(vault: ResourceId, span: timedelta, failure: Failure, reads: Reads) -> list[Job]:
    return [job for job in _jobs(vault, span, failure, reads) if job.operation.lower() == BACKUPS.lower()]


def _jobs(vault: ResourceId, span: timedelta, failure: Failure, reads: Reads) -> list[Job]:
    """The vault's jobs of any operation since the full hour before; the list may reach further back, so that many share it."""
    until, hour = datetime.now(UTC) + AN_HOUR, (failure.began_at - span).replace(minute=0, second=0, microsecond=0)
    since = reads.since(hour)
    jobs = reads.of_all(
        f"jobs {vault.key} {since:%Y-%m-%dT%H}", lambda: list_jobs(vault, since, until, reads.azure, operation="")
    )
    return [job for job in jobs if job.started_at is None or job.started_at >= hour]


@fact(READ_ITEM, READ_POLICY, source="Microsoft.RecoveryServices/vaults/backupPolicies")
def snapshot_policy(failure: Failure, reads: Reads) -> SnapshotPolicy:
    """The policy of the protected item: its type, how often it runs and how long instant-restore snapshots are kept."""
    vault = _vault_of(failure)
    name = str(protected_item(failure, reads).get("policyId") or "").rpartition("/")[2]
    if not name:
        raise Unread(Reason.NO_DATA)
    found = reads.of_all(f"policy {vault.key} {name}".lower(), lambda: _policy(vault, name, reads))
    kind = str(found.get("policyType") or "")
    if kind not in ("V1", "V2"):
        raise Unread(Reason.NO_DATA)
    days = found.get("instantRpRetentionRangeInDays")
    plan = found.get("schedulePolicy") or {}
    return SnapshotPolicy(
        name, kind, days if isinstance(days, int) else None, runs_a_day(plan), str(found.get("snapshotConsistencyType") or ""),
        schedule_of(plan, str(found.get("timeZone") or "UTC")),
    )  # fmt: skip


def _policy(vault: ResourceId, name: str, reads: Reads) -> Mapping[str, Any]:
    return _properties(reads.azure.backup(vault.subscription).protection_policies.get(vault.name, vault.group, name))


def protected_item(failure: Failure, reads: Reads) -> Mapping[str, Any]:
    """The item's properties as the vault shows them."""
    if failure.item is None:
        raise Unread(Reason.NOT_NAMED)
    return reads.item(_vault_of(failure), *_names(failure.item))


def _vault_of(failure: Failure) -> ResourceId:
    if failure.vault is None:
        raise Unread(Reason.NOT_NAMED)
    return failure.vault


def _properties(resource: Any) -> Mapping[str, Any]:
    """VM protected items come back as the bare base class: only mapping access sees all fields."""
    found: Mapping[str, Any] = resource.properties or {}
    return found


def _names(item: ResourceId) -> tuple[str, str]:
    match = re.search(r"(?i)/protectionContainers/([^/]+)/protectedItems/([^/]+)", item.id)
    if not match:
        raise Unread(Reason.NOT_NAMED)
    return match[1], match[2]
