"""Platform metrics of the VM and of storage accounts: collected by Azure for every resource, without an agent, and kept for 93 days.

https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-compute-virtualmachines-metrics
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.backup import READ_GRAPH, last_good
from handlers.facts.compute import READ_VM
from handlers.facts.jobs import READ_JOBS
from handlers.facts.storage_accounts import storage_accounts
from handlers.model import Failure, Load, LoadHistory, Reason, StorageAccount, Unknown, UsedCapacity, parse_time

READ_METRICS = "Microsoft.Insights/metrics/read"
CPU, MEMORY = "Percentage CPU", "Available Memory Percentage"
NEEDED_IOPS = ("OS Disk IOPS Consumed Percentage", "VM Uncached IOPS Consumed Percentage")
"""Sizes without premium storage have neither; then nothing is known of the limits."""
IOPS = (*NEEDED_IOPS, "Data Disk IOPS Consumed Percentage", "VM Cached IOPS Consumed Percentage")
STEPS = (
    (timedelta(hours=3), timedelta(minutes=1), "PT1M"),
    (timedelta(hours=15), timedelta(minutes=5), "PT5M"),
    (timedelta.max, timedelta(minutes=15), "PT15M"),
)
"""How long a job lasts at most, by the bucket in which its load is read: an answer holds at most 180 of them, or a few hundred."""
HEAVY = 90
"""Percent of the processor, of the memory or of a limit, from which the last good backup's load is read too."""
AN_HOUR = timedelta(hours=1)
TIB = 2**40


@fact(READ_VM, READ_METRICS, READ_JOBS, source="Microsoft.Insights/metrics")
def vm_load(failure: Failure, reads: Reads) -> LoadHistory:
    """The load while the job ran; where it was heavy, while the last good backup ran too."""
    step, interval = _step_of(failure.failed_at - failure.began_at)
    buckets = _load(failure, failure.began_at, failure.failed_at, interval, reads)
    if not any(map(_is_heavy, buckets)):
        return LoadHistory(buckets, step)
    return LoadHistory(buckets, step, reads.or_unknown(lambda: _good_load(failure, interval, reads)))


def _good_load(failure: Failure, interval: str, reads: Reads) -> tuple[Load, ...] | None:
    good = last_good(failure, reads)
    if good is None or good.started_at is None:
        return None
    return _load(failure, good.started_at, good.ended_at or good.started_at + AN_HOUR, interval, reads)


def _load(failure: Failure, since: datetime, until: datetime, interval: str, reads: Reads) -> tuple[Load, ...]:
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    vm, begin = failure.vm.id, since.replace(second=0, microsecond=0)
    found = reads.alone(lambda: reads.azure.metrics(vm, (CPU, MEMORY, *IOPS), begin, until, interval))
    values = {name: _values(metric) for metric in found if (name := _name_of(metric))}
    times = sorted({at for of_metric in values.values() for at in of_metric})
    return tuple(_bucket(at, values) for at in times)


def _bucket(at: datetime, values: Mapping[str, Mapping[datetime, Mapping[str, Any]]]) -> Load:
    def of(name: str, kind: str) -> float | None:
        value = values.get(name, {}).get(at, {}).get(kind)
        return float(value) if isinstance(value, int | float) else None

    limits = [used for name in IOPS if (used := of(name, "maximum")) is not None]
    whole = all(of(name, "maximum") is not None for name in NEEDED_IOPS)
    return Load(at, of(CPU, "average"), of(MEMORY, "average"), max(limits) if whole else None)


def _values(metric: Mapping[str, Any]) -> dict[datetime, Mapping[str, Any]]:
    """A metric's values by time; none of one that Azure could not read."""
    if str(metric.get("errorCode") or "Success").lower() != "success":
        return {}
    rows = [row for series in metric.get("timeseries") or () for row in series.get("data") or ()]
    return {at: row for row in rows if (at := parse_time(row.get("timeStamp")))}


def _name_of(metric: Mapping[str, Any]) -> str:
    return str((metric.get("name") or {}).get("value") or "")


def _is_heavy(load: Load) -> bool:
    free = load.memory_free is not None and load.memory_free < 100 - HEAVY
    return free or any(used is not None and used > HEAVY for used in (load.cpu, load.iops))


def _step_of(span: timedelta) -> tuple[timedelta, str]:
    return next((step, interval) for longest, step, interval in STEPS if span <= longest)


@fact(READ_VM, READ_METRICS, READ_GRAPH, source="Microsoft.Insights/metrics: UsedCapacity")
def used_capacity(failure: Failure, reads: Reads) -> tuple[UsedCapacity, ...]:
    """What the storage accounts of unmanaged disks held, hour by hour, in the hours of the job.

    https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-storage-storageaccounts-metrics
    """
    known = [account for account in storage_accounts(failure, reads) if account.id]
    if not known:
        raise Unread(Reason.NO_DATA)
    found = reads.each(known, lambda account: reads.or_unknown(lambda: _held(account, failure, reads)))
    if unread := next((held for held in found if isinstance(held, Unknown)), None):
        raise Unread(unread.why, unread.detail)
    return tuple(_all(held for held in found if not isinstance(held, Unknown)))


def _held(account: StorageAccount, failure: Failure, reads: Reads) -> tuple[UsedCapacity, ...]:
    begin = failure.began_at.replace(minute=0, second=0, microsecond=0)
    span = f"{begin:%Y-%m-%dT%H} {failure.failed_at:%Y-%m-%dT%H}"
    found = reads.of_all(
        f"capacity {account.id} {span}".lower(),
        lambda: reads.azure.metrics(account.id, ("UsedCapacity",), begin, failure.failed_at, "PT1H"),
    )
    values = [(at, row.get("average")) for metric in found for at, row in _values(metric).items()]
    return tuple(UsedCapacity(account.name, at, round(held / TIB, 2)) for at, held in values if isinstance(held, int | float))


def _all[T](lists: Iterable[Iterable[T]]) -> Iterable[T]:
    return (item for found in lists for item in found)
