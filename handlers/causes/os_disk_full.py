"""The system volume has too little free space for the agent, its logs or shadow copies."""

from handlers.model import Opinion, Reason, Unknown, confirmed, possible, ruled_out, unknown

FULL_PERCENT, ENOUGH_PERCENT = 5, 10
"""Project thresholds; Microsoft's pages only say `enough space`."""


def check(os_disk_free_percent: float | Unknown) -> Opinion:
    if isinstance(os_disk_free_percent, Unknown):
        return unknown(Reason.GUEST_ONLY)
    if os_disk_free_percent < FULL_PERCENT:
        return confirmed(os_disk_free_percent=os_disk_free_percent)
    if os_disk_free_percent >= ENOUGH_PERCENT:
        return ruled_out(os_disk_free_percent=os_disk_free_percent)
    return possible(os_disk_free_percent=os_disk_free_percent)
