"""The VM was changed (a disk, its size, an extension) while its restore point was made.

https://learn.microsoft.com/azure/virtual-machines/restore-point-troubleshooting
"""

from datetime import timedelta

from handlers.model import (
    Activity,
    Asserts,
    Operation,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    event,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("ExtensionOperationInProgress",), r"changes were made to the virtual machine")
MEDIUM = Asserts(("OperationNotAllowed", "UserErrorCrpReportedUserError"))
CHANGES = ("write", "delete", "extensions/write", "extensions/delete", "reapply", "redeploy")
NEAR = timedelta(minutes=15)
"""A project threshold."""


def check(window: Window) -> Opinion:
    changes, log = _changes(window.activity), unread(window.activity)
    during = tuple(entry for entry in changes if window.holds(entry.at))
    near = tuple(entry for entry in changes if window.start - NEAR <= entry.at <= window.end + NEAR)
    fits = any_of(*(window.fits(event(entry.at)) for entry in during)) | window.listed
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "It was changed while the job ran, and not by Azure Backup", log | (claim(bool(during)) & fits), vm_activity=during
        ),
        possible("It was changed within 15 minutes of the job", bool(near), vm_activity=near),
        ruled_out("Nobody changed it while the job ran", window.log_is_whole & (not near), vm_activity=window.activity),
        unknown("The log does not reach back to the job", Reason.PARTIAL, ~log, vm_activity=window.activity),
    )


def _changes(activity: Activity | Unknown) -> tuple[Operation, ...]:
    """What Azure Backup does to the VM itself is part of the job."""
    return () if isinstance(activity, Unknown) else tuple(entry for entry in activity.of(*CHANGES) if not entry.by_backup)
