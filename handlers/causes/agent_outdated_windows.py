"""The Windows guest agent is older than the supported minimum."""

from handlers.causes import opinion_on_version
from handlers.model import Agent, Opinion, Os

OS = Os.WINDOWS
SUPPORTED = (2, 7, 41491, 1010)
"""https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/support-extensions-agent-version (2025-09-15)"""
BACKUP_MINIMUM = (2, 6, 1198, 718)
"""What the backup articles still print: https://learn.microsoft.com/azure/backup/backup-azure-arm-vms-prepare (2026-03-25)"""


def check(agent: Agent | None, power_state: str) -> Opinion:
    return opinion_on_version(agent, power_state, BACKUP_MINIMUM, SUPPORTED)
