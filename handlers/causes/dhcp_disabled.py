"""The guest has a static address set inside the operating system, so it never learns Azure's host address from DHCP.

That the network interface's address is static in Azure says nothing about the guest. On Linux the extension falls back to
168.63.129.16, which makes this a weak cause there.
https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#networking
"""

from handlers.model import Agent, Opinion, Reason, Unknown, unknown


def check(agent: Agent | Unknown | None) -> Opinion:
    return unknown(Reason.GUEST_ONLY, agent=agent)
