"""An attached disk is not provisioned: Azure cannot make a restore point of it.

https://learn.microsoft.com/azure/virtual-machines/restore-point-troubleshooting
"""

from handlers.model import (
    Asserts,
    Claim,
    Disk,
    Opinion,
    Reason,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    undecided,
    unknown,
)

STRONG = Asserts(message=r"disk\(?s?\)? .{0,40}(not|n't) been allocated")
MEDIUM = Asserts(("UserErrorUnsupportedDiskConfiguration", "OperationNotAllowed"))


def check(window: Window, disks: tuple[Disk, ...]) -> Opinion:
    counted = tuple(disk for disk in disks if disk.excluded is not True)
    broken = tuple(disk for disk in counted if _is_broken(disk))
    silent = any_of(*(undecided(disk.unread) for disk in counted if disk.unread))
    since = all(_is_well(disk) and disk.status_at is not None and disk.status_at <= window.start for disk in counted)
    return decide(
        confirmed(
            "A disk was not provisioned when the job ran",
            any_of(*(_explained(disk, window) for disk in broken)) | silent,
            disks=broken or counted,
        ),
        possible("A disk is not provisioned, since when is not known", bool(broken), disks=broken),
        ruled_out("Every disk is provisioned since before the job", ~silent & since, disks=counted),
        unknown("Azure does not say since when every disk is provisioned", Reason.NO_DATA, ~silent, disks=counted),
    )


def _explained(disk: Disk, window: Window) -> Claim:
    seen = state(disk.status_at if disk.status not in ("", "succeeded") else None)
    return window.at(seen) & (window.fits(seen) | window.listed)


def _is_broken(disk: Disk) -> bool:
    return disk.status not in ("", "succeeded") or disk.provisioning.lower() not in ("", "succeeded")


def _is_well(disk: Disk) -> bool:
    """An unmanaged or ephemeral disk has no resource that could say more than the VM does."""
    return disk.status == "succeeded" and (disk.provisioning.lower() == "succeeded" or not disk.id or disk.ephemeral)
