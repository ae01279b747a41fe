"""A firewall, proxy or security product in the guest blocks Azure's host endpoint 168.63.129.16 (TCP 80 and 32526).

Traffic to it is not governed by ordinary NSG rules, so nothing outside the guest can confirm this.
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
"""

from datetime import datetime

from handlers.causes import was_ready_then
from handlers.model import Agent, Heartbeats, Opinion, Reason, Unknown, ruled_out, unknown


def check(agent: Agent | None, power_state: str, heartbeats: Heartbeats | Unknown, failed_at: datetime) -> Opinion:
    if power_state != "running":
        return unknown(Reason.VM_NOT_RUNNING, power_state=power_state)
    if was_ready_then(agent, heartbeats, failed_at):
        return ruled_out(agent=agent)
    return unknown(Reason.GUEST_ONLY, agent=agent)
