"""What the causes of the disk family have in common: which disks count, and since when what is read of them is so."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from handlers.causes import model_of_vm
from handlers.model import (
    FALSE,
    Activity,
    Claim,
    Disk,
    DiskSelection,
    Seen,
    Unknown,
    Window,
    any_of,
    claim,
    configuration,
    undecided,
    unread,
)


def model_of_disks(window: Window, disk_activity: Activity | Unknown) -> Seen:
    """What the VM's model and its disks say holds since the last write to one of them."""
    of_vm = model_of_vm(window).changes
    if not isinstance(of_vm, Activity):
        return configuration(changes=of_vm)
    if isinstance(disk_activity, Unknown):
        return configuration(changes=disk_activity)
    written = tuple(entry for entry in disk_activity.of("disks/write", "disks/delete") if not entry.by_backup)
    return configuration(changes=Activity(max(of_vm.since, disk_activity.since), (*of_vm.operations, *written)))


def backed_up(
    disks: Iterable[Disk], chosen: DiskSelection | Unknown, is_so: Callable[[Disk], bool]
) -> tuple[tuple[Disk, ...], Claim]:
    """The disks of which it is so and that are not excluded; and the claim that there are some.

    It is undecided while a disk, or the vault's list of excluded disks, could not be read and might make it true.
    """
    counted = tuple(disk for disk in disks if disk.excluded is not True)
    found = tuple(disk for disk in counted if is_so(disk))
    unsure = any_of(*(undecided(disk.unread) for disk in counted if disk.unread), unread(chosen) if found else FALSE)
    return found, claim(any(disk.excluded is False for disk in found)) | unsure


def nowhere(disks: Iterable[Disk], is_so: Callable[[Disk], bool]) -> Claim:
    """It is so of none, excluded or not; undecided while one could not be read."""
    disks = tuple(disks)
    return ~(claim(any(map(is_so, disks))) | any_of(*(undecided(disk.unread) for disk in disks if disk.unread)))
