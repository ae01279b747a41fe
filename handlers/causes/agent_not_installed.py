"""The guest agent was never installed: a migrated disk, or an image made without it."""

from handlers.causes import version_of
from handlers.model import Agent, Opinion, Reason, confirmed, possible, ruled_out, unknown


def check(agent: Agent | None, agent_provisioned: bool | None, power_state: str) -> Opinion:
    if version_of(agent):
        return ruled_out(agent=agent)
    if agent_provisioned is False:
        return confirmed(agent_provisioned=agent_provisioned, agent=agent)
    if power_state != "running":
        return unknown(Reason.VM_NOT_RUNNING, power_state=power_state)
    # An agent that was there and stopped looks the same from outside.
    return possible(agent=agent, agent_provisioned=agent_provisioned)
