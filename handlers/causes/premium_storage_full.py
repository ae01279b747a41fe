"""The premium storage account of unmanaged disks has too little room for the copies of their snapshots.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#usererrorbcmpremiumstoragequotaerror---could-not-copy-the-snapshot-of-the-virtual-machine-due-to-insufficient-free-space-in-the-storage-account
"""

from datetime import timedelta

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Disk,
    Opinion,
    Reason,
    Unknown,
    UsedCapacity,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    event,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorBCMPremiumStorageQuotaError",))
AN_HOUR, HALF_TIB = timedelta(hours=1), 17.5
"""Microsoft: half of the account, 17.5 TB, must stay free for the copies."""


def check(window: Window, attached_disks: tuple[Disk, ...], used_capacity: tuple[UsedCapacity, ...] | Unknown) -> Opinion:
    values = () if isinstance(used_capacity, Unknown) else used_capacity
    then = tuple(value for value in values if window.start - AN_HOUR < value.at <= window.end)
    full = tuple(value for value in then if value.tib > HALF_TIB)
    managed = all(disk.managed for disk in attached_disks)
    return decide(
        confirmed(
            "More than half of an account was used while the job ran",
            claim(not managed) & any_of(*(window.fits(event(value.at)) | window.listed for value in full)),
            used_capacity=full,
        ),
        ruled_out(
            "All disks were managed when the job ran",
            claim(managed) & window.held(model_of_vm(window)),
            attached_disks=attached_disks,
        ),
        ruled_out(
            "Less than half of every account was used then", unread(used_capacity) | bool(then and not full), used_capacity=then
        ),
        unknown("Azure has no value for that time", Reason.NO_DATA, ~unread(used_capacity), attached_disks=attached_disks),
    )
