"""The VMSnapshot extension cannot be updated, loaded or run."""

from datetime import datetime

from handlers.causes import is_reporting
from handlers.model import Agent, Extension, Opinion, Reason, confirmed, possible, ruled_out, unknown


def check(extensions: tuple[Extension, ...], agent: Agent | None, failed_at: datetime, now: datetime) -> Opinion:
    backup = tuple(extension for extension in extensions if extension.is_backup)
    if any(extension.failed for extension in backup):
        return confirmed(extensions=backup)
    if not is_reporting(agent, now):
        return unknown(Reason.AGENT_NOT_READY, extensions=backup, agent=agent)
    if not backup:
        return unknown(Reason.NO_DATA, extensions=backup)
    if any(extension.changing for extension in backup):
        return possible(extensions=backup)
    if any(extension.at and extension.at > failed_at for extension in backup):
        return possible(extensions=backup, failed_at=failed_at)
    return ruled_out(extensions=backup)
