"""The VM's model was in a failed state, or stuck in a change, when the job ran.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout
"""

from datetime import timedelta
from typing import Any

from handlers.model import (
    Asserts,
    Opinion,
    Reason,
    VirtualMachine,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
)

STRONG = Asserts(("UserErrorVmProvisioningStateFailed", "UserErrorVmNotInDesirableState", "OSProvisioningClientError"))
MEDIUM = Asserts(("VMRestorePointInternalError", "VmNotInDesirableState"))
SYMPTOM_OF = ("other_extension_failed", "backup_extension_failed")
STUCK = timedelta(minutes=30)
"""A project threshold."""
CHANGING = ("updating", "creating")


def check(window: Window, vm: VirtualMachine) -> Opinion:
    at, failed, well = vm.status_at, vm.status.startswith("failed"), vm.status == "succeeded"
    fits = window.fits(state(at))
    stuck = at is not None and vm.status in CHANGING and at < window.start - STUCK
    shown: dict[str, Any] = {"vm": vm, "vm_activity": window.activity}
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed("It failed before the job ended", claim(failed and at is not None and at <= window.end) & fits, **shown),
        confirmed("It has been changing since more than 30 minutes before the job", claim(stuck) & fits, **shown),
        possible("It failed, after the job or already when backups succeeded", failed, **shown),
        possible("It is well since after the job began", well and at is not None and at > window.start, **shown),
        ruled_out("It is well since before the job", well and at is not None and at <= window.start, **shown),
        unknown("Azure does not say since when, or it is changing", Reason.NO_DATA, **shown),
    )
