"""The snapshot was not taken or its status never arrived: shut down from inside, no DHCP, or storage out of reach.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout
`PowerState/stopped` without a stop through Azure means that the guest shut itself down. What else the article's table names
(DHCP in the guest) only the guest can tell.
"""

from handlers.model import Opinion, OutboundAccess, PowerOperation, Reason, Unknown, confirmed, possible, unknown

STOPS = ("poweroff", "deallocate")
CHANGING = ("starting", "stopping", "deallocating")


def check(
    power_state: str,
    power_operations: tuple[PowerOperation, ...] | Unknown,
    outbound_access: OutboundAccess | Unknown,
) -> Opinion:
    known = not isinstance(power_operations, Unknown)
    stops = () if isinstance(power_operations, Unknown) else [op for op in power_operations if op.operation in STOPS]
    if power_state == "stopped" and known and not stops:
        return confirmed(power_state=power_state, power_operations=power_operations)
    if isinstance(outbound_access, OutboundAccess) and outbound_access.needed_by and outbound_access.allowed is False:
        return confirmed(outbound_access=outbound_access)
    if (power_state == "stopped" and not known) or power_state in CHANGING:
        return possible(power_state=power_state, power_operations=power_operations)
    return unknown(Reason.GUEST_ONLY, power_state=power_state)
