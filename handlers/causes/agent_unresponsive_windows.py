"""The Windows guest agent is installed but stopped, corrupted or not reporting."""

from datetime import datetime

from handlers.causes import opinion_on_agent
from handlers.model import Agent, Heartbeats, Opinion, Os, Unknown

OS = Os.WINDOWS


def check(agent: Agent | None, power_state: str, heartbeats: Heartbeats | Unknown, failed_at: datetime, now: datetime) -> Opinion:
    return opinion_on_agent(agent, power_state, heartbeats, failed_at, now)
