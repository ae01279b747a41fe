"""Another extension is failed or stuck, and drags the VM's state with it."""

from datetime import datetime, timedelta

from handlers.causes import is_reporting
from handlers.model import Agent, Extension, Opinion, Reason, confirmed, possible, ruled_out, unknown

LONGEST = timedelta(minutes=90)
"""An extension operation times out after 90 minutes: https://learn.microsoft.com/azure/virtual-machines/extensions/features-windows"""


def check(extensions: tuple[Extension, ...], agent: Agent | None, now: datetime) -> Opinion:
    others = tuple(extension for extension in extensions if not extension.is_backup)
    if failed := tuple(extension for extension in others if extension.failed):
        return confirmed(extensions=failed)
    if changing := tuple(extension for extension in others if extension.changing):
        stuck = any(extension.at and now - extension.at > LONGEST for extension in changing)
        return confirmed(extensions=changing) if stuck else possible(extensions=changing)
    if not is_reporting(agent, now):
        return unknown(Reason.AGENT_NOT_READY, agent=agent)
    return ruled_out(extensions=others)
