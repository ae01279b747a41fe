"""The VM cannot reach Azure Storage and Azure Backup on port 443, and something about it needs that.

A VM with managed disks and a supported agent needs no outbound access: its backup goes through the host.
https://learn.microsoft.com/azure/backup/backup-azure-arm-vms-prepare (2026-03-25)
"""

from handlers.model import Opinion, OutboundAccess, Reason, confirmed, ruled_out, unknown


def check(outbound_access: OutboundAccess) -> Opinion:
    if not outbound_access.needed_by:
        return ruled_out(outbound_access=())
    if outbound_access.allowed is False:
        return confirmed(outbound_access=outbound_access)
    if outbound_access.allowed is None:
        return unknown(Reason.NO_DATA, outbound_access.decided_by, outbound_access=outbound_access)
    return ruled_out(outbound_access=outbound_access)
