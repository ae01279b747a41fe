"""The Linux guest agent is older than the supported minimum."""

from handlers.model import Agent, Opinion, Os, Reason, confirmed, ruled_out, unknown
from handlers.causes import version_of

OS = Os.LINUX
MINIMUM = (2, 2, 53, 1)
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version (2025-09-15)"""


def check(agent: Agent | None) -> Opinion:
    version = version_of(agent)
    if version is None:
        return unknown(Reason.AGENT_NOT_READY, agent=agent)
    return confirmed(agent=agent) if version < MINIMUM else ruled_out(agent=agent)
