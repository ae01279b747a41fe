"""A disk, or the VM's size, had reached its limit of operations per second, and writes could not be held for the snapshot.

https://learn.microsoft.com/azure/virtual-machines/disks-metrics#storage-io-utilization-metrics
"""

from handlers.causes import matching
from handlers.causes._load import good_was_read, in_window, then, whole
from handlers.model import (
    Asserts,
    GuestEvents,
    LoadHistory,
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

STRONG = Asserts(message=r"timed out while holding writes")
MEDIUM = Asserts(
    (
        "ExtensionFailedTimeoutVMNetworkUnresponsive",
        "ExtensionFailedVssWriterInBadState",
        "UserErrorFsFreezeTimeout",
        "UserErrorFsFreezeFailed",
    )
)
WHERE_POINTED = ("vm_load",)
FULL, EASY = 95, 70
"""Percent of the limit. Project thresholds."""
NOT_HELD = (8, 9, 12298)
"""volsnap and VSS: writes could not be held while the shadow copy was made."""


def check(window: Window, vm_load: LoadHistory | Unknown, guest_events: GuestEvents | Unknown) -> Opinion:
    buckets, of_good = in_window(vm_load, window), then(vm_load)
    used = max((bucket.iops for bucket in buckets if bucket.iops is not None), default=0)
    full = unread(vm_load) | (used >= FULL)
    lighter = good_was_read(vm_load) & all((bucket.iops or 0) < FULL for bucket in of_good)
    not_held = tuple(entry for entry in matching(guest_events, NOT_HELD) if window.holds(entry.at))
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "95 % of a limit was used, and the guest, the error or the last good backup's lower load says that it matters",
            full & (claim(bool(not_held)) | window.states | lighter),
            vm_load=vm_load,
            guest_events=not_held,
        ),
        possible("95 % of a limit was used, and nothing else tells", full, vm_load=vm_load),
        ruled_out(
            "Less than 70 % of every limit was used in every minute",
            whole(vm_load, window, lambda bucket: bucket.iops) & (used < EASY),
            vm_load=vm_load,
        ),
        possible("The guest could not hold its writes, which has other causes too", bool(not_held), guest_events=not_held),
        unknown("In between, or Azure has no value for some minutes", Reason.NO_DATA, ~unread(vm_load), vm_load=vm_load),
    )
