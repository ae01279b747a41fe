"""The Linux guest agent is older than the supported minimum."""

from handlers.causes import opinion_on_version
from handlers.model import Agent, Opinion, Os

OS = Os.LINUX
MINIMUM = (2, 2, 53, 1)
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version (2025-09-15)"""


def check(agent: Agent | None, power_state: str) -> Opinion:
    return opinion_on_version(agent, power_state, MINIMUM, MINIMUM)
