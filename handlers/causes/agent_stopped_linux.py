"""The Linux guest agent's service is stopped, disabled or crashing."""

from datetime import datetime

from handlers.causes import opinion_on_agent
from handlers.model import Agent, Heartbeats, Opinion, Os, Unknown

OS = Os.LINUX


def check(agent: Agent | None, power_state: str, heartbeats: Heartbeats | Unknown, failed_at: datetime, now: datetime) -> Opinion:
    return opinion_on_agent(agent, power_state, heartbeats, failed_at, now)
