"""The VMSnapshot extension could not be installed, updated, loaded or run.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#step-4-check-azure-backup-extension-health
"""

from collections.abc import Callable
from datetime import datetime

from handlers.causes import backup_ones, reporting, state_of
from handlers.model import (
    Agent,
    Asserts,
    Claim,
    Extension,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

STRONG = Asserts(
    (
        "ExtensionOperationFailed",
        "ExtensionOperationFailedForManagedDisks",
        "ExtensionInstallationFailure",
        "ExtensionCommandExecFailure",
        "WorkloadExtensionNotPresent",
        "UserErrorWorkloadExtensionNotInstalled",
        "WorkloadExtensionNotReachable",
    ),
    r"vmsnapshot extension operation failed|FailedSafeFreezeBinaryNotFound",
)
MEDIUM = Asserts(("UserErrorCrpReportedUserError", "InternalDiskRestorePointError", "UserErrorVmProvisioningStateFailed"))
IN_THE_GUEST = (
    r"\bVSS\b|COM\+|MSDTC|freeze|\bmount|(pre|post)-?script|scripts? (failed|returned|execution)|certificate|BitLocker|memory"
    r"|redistributable|network"
)
"""Words that name another cause in the guest, for which removing the extension helps nothing."""
UNCLEAR = ("unresponsive", "notready", "unavailable")


def check(window: Window, agent: Agent | Unknown | None, extensions: tuple[Extension, ...] | Unknown) -> Opinion:
    own = () if isinstance(extensions, Unknown) else backup_ones(extensions)
    failed = tuple(found for found in own if state_of(found) == "failed")
    unclear = tuple(found for found in own if found.changing or state_of(found) in UNCLEAR)
    named = reporting(failed, IN_THE_GUEST)
    good_then = any(state_of(found) == "succeeded" and window.holds(found.at) for found in own)
    silent = unread(extensions)
    return decide(
        ruled_out("The job needed no extension, or its snapshot was taken", window.not_used, job=window.job),
        possible("The message names a cause in the guest, which comes first", window.says(IN_THE_GUEST), message=window.message),
        possible("Its own status names a cause in the guest, which comes first", bool(named), extensions=named),
        confirmed(
            "It failed, and had when the job ran",
            silent | any_of(*(_explained(found, window) for found in failed)),
            extensions=failed,
        ),
        possible("It failed, at another time or a time that is not known", bool(failed), extensions=failed),
        possible("It is changing or does not answer", bool(unclear), extensions=unclear),
        unknown(
            "The agent does not report: what it shows may be old",
            Reason.AGENT_NOT_READY,
            ~window.ready(agent),
            agent=agent,
            extensions=own,
        ),
        unknown(
            "It is not listed, as before a first backup and often with managed disks",
            Reason.NO_DATA,
            ~silent & (not own),
            extensions=own,
        ),
        ruled_out("It succeeded in the window", good_then, extensions=own),
        unknown("It is well now, and may not have been then", Reason.READ_LATE, ~silent, extensions=own),
    )


def _explained(failed: Extension, window: Window) -> Claim:
    if failed.at is not None:
        return claim(window.holds(failed.at)) & window.fits(state(failed.at))
    return window.explains(True, state(newer=window.good_app, persists=window.persists("extensions", _still(failed.handler))))


def _still(handler: str) -> Callable[[tuple[Extension, ...], datetime], Claim]:
    """Whether an earlier reading showed it failed too."""
    return lambda extensions, _: claim(any(found.handler == handler and state_of(found) == "failed" for found in extensions))
