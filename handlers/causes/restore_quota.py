"""The subscription's quota of the region has no room for the restored VM or its disks.

https://learn.microsoft.com/azure/quotas/per-vm-quota-requests: a VM counts in its family's cores and in all cores of the region.
"""

from handlers.causes import explained, surely_then, then
from handlers.model import (
    Asserts,
    Opinion,
    Reason,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)
from handlers.model.restore import TargetSize, Usage

OPERATION = "restore"
STRONG = Asserts(
    ("UserErrorCoreCountSubscriptionQuotaReached", "UserErrorHostedServiceSubscriptionQuotaReached"),
    r"quota (is )?(exceeded|reached)",
)
MEDIUM = Asserts(("UserErrorInvalidManagedDiskOperation",))
ALL_CORES = "cores"


def check(attempt: Window, compute_usage: tuple[Usage, ...], target_size: TargetSize | Unknown) -> Opinion:
    size = None if isinstance(target_size, Unknown) else target_size
    named = tuple(usage for usage in compute_usage if usage.name.lower() in (ALL_CORES, size.family.lower() if size else ""))
    cores = (size.cores if size else None) or 1
    full = tuple(usage for usage in named if usage.lacks(cores))
    disks = tuple(usage for usage in compute_usage if usage.name.lower().endswith("diskcount") and usage.lacks(1))
    known = unread(target_size) | bool(size and size.cores and len(named) > 1)
    return decide(
        confirmed(
            "The cores of the VM did not fit the quota when the restore ran",
            claim(bool(full)) & then(attempt) & explained(attempt),
            compute_usage=full,
        ),
        possible("A quota of cores or disks is used up now", bool(full or disks), compute_usage=full + disks),
        ruled_out("There was room for the cores when the restore ran", known & surely_then(attempt), compute_usage=named),
        unknown("There is room for the cores now", Reason.READ_LATE, known, compute_usage=named),
    )
