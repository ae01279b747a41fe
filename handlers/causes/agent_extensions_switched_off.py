"""Extension handling is switched off in /etc/waagent.conf, so a Ready agent runs no extension.

https://github.com/Azure/WALinuxAgent#configuration-file-options (the option is Extensions.Enabled)
"""

from datetime import datetime

from handlers.causes import is_reporting
from handlers.model import Agent, Extension, Opinion, Os, Reason, possible, ruled_out, unknown

OS = Os.LINUX


def check(agent: Agent | None, extensions: tuple[Extension, ...], now: datetime) -> Opinion:
    if any(extension.state.startswith("succeeded") for extension in extensions) and is_reporting(agent, now):
        return ruled_out(extensions=extensions)
    if is_reporting(agent, now):
        return possible(agent=agent, extensions=extensions)
    return unknown(Reason.GUEST_ONLY, agent=agent)
