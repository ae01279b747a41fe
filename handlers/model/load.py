"""A VM's load, as Azure's platform metrics show it from outside."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from handlers.model.words import Unknown


class Load(Struct, frozen=True):
    """The VM's load in one bucket of Azure's platform metrics, in percent; None where the bucket holds no value."""

    at: datetime
    cpu: float | None = None
    memory_free: float | None = None
    iops: float | None = None
    """The most that was used of what the OS disk, a data disk or the VM's size allows."""


class LoadHistory(Struct, frozen=True):
    """The load while the job ran, bucket by bucket, and while the last good backup ran."""

    buckets: tuple[Load, ...]
    step: timedelta
    good: tuple[Load, ...] | Unknown | None = None
    """None when there is no good backup."""

    def __str__(self) -> str:
        spans = (("CPU", [bucket.cpu for bucket in self.buckets]), ("RAM", [bucket.memory_free for bucket in self.buckets]),
                 ("IOPS", [bucket.iops for bucket in self.buckets]))  # fmt: skip
        return ", ".join(f"{name} {_span(values)}" for name, values in spans if any(value is not None for value in values))


def _span(values: list[float | None]) -> str:
    """`12–97 %`"""
    known = [f"{value:.0f}" for value in sorted(value for value in values if value is not None)]
    return f"{'–'.join(dict.fromkeys((known[0], known[-1])))} %"
