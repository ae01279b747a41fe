"""The VM had too little processor time or memory left while its snapshot was taken.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionfailedtimeoutvmnetworkunresponsive---snapshot-operation-failed-due-to-inadequate-vm-resources
"""

from datetime import timedelta

from handlers.causes._load import good_was_read, in_window, longest, then, whole
from handlers.model import (
    Asserts,
    Load,
    LoadHistory,
    Opinion,
    Reason,
    Unknown,
    Window,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(
    ("ExtensionFailedOutOfMemoryError", "ExtensionFailedTimeoutVMNetworkUnresponsive"),
    r"inadequate vm resources|not enough memory",
)
MEDIUM = Asserts(("ExtensionFailedVssWriterInBadState", "VMRestorePointClientError"))
WHERE_POINTED = ("vm_load",)
CPU, FREE, LONG = 90, 10, timedelta(minutes=10)
EASY_CPU, EASY_FREE = 80, 20
"""Project thresholds; Microsoft's page names processor load above 90 % only."""


def check(window: Window, vm_load: LoadHistory | Unknown) -> Opinion:
    buckets = in_window(vm_load, window)
    loaded = unread(vm_load) | _is_loaded(buckets, vm_load)
    lighter = good_was_read(vm_load) & (not _is_loaded(then(vm_load), vm_load))
    easy = all((bucket.cpu or 0) < EASY_CPU and (bucket.memory_free or 0) > EASY_FREE for bucket in buckets)
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "Processor over 90 % for 10 minutes, or memory below 10 %, and the error says so or the last good backup had more",
            loaded & (window.states | lighter),
            vm_load=vm_load,
        ),
        possible("So loaded, but no good backup to compare with, or it was as loaded", loaded, vm_load=vm_load),
        ruled_out(
            "Processor below 80 % and memory above 20 % in every minute",
            whole(vm_load, window, lambda bucket: bucket.cpu, lambda bucket: bucket.memory_free) & easy,
            vm_load=vm_load,
        ),
        unknown("In between, or Azure has no value for some minutes", Reason.NO_DATA, ~unread(vm_load), vm_load=vm_load),
    )


def _is_loaded(buckets: tuple[Load, ...], load: LoadHistory | Unknown) -> bool:
    if isinstance(load, Unknown):
        return False
    busy = longest(buckets, load.step, lambda bucket: bucket.cpu is not None and bucket.cpu > CPU) >= LONG
    return busy or any(bucket.memory_free is not None and bucket.memory_free < FREE for bucket in buckets)
