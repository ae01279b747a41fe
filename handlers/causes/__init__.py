"""One module per cause: a sentence, and `check(<facts by name>) -> Opinion`. Pure functions; a test calls them with values.

A parameter `agent: Agent` means: cannot judge without it (the finding is unknown before the check runs).
`agent: Agent | Unknown` means: may decide without it. `OS` says where the cause applies; without it, everywhere.
"""

from __future__ import annotations

from datetime import datetime

from handlers.model import FRESH, Agent, Heartbeats, Opinion, Reason, Unknown, confirmed, possible, ruled_out, unknown


def opinion_on_agent(
    agent: Agent | None, power_state: str, heartbeats: Heartbeats | Unknown, failed_at: datetime, now: datetime
) -> Opinion:
    """Whether the agent was not reporting when the job failed. An agent that is Ready now may not have been then."""
    if power_state != "running":
        return unknown(Reason.VM_NOT_RUNNING, power_state=power_state)
    if agent is None:
        return possible(agent="none", power_state=power_state)
    if not agent.ready or is_stale(agent, now):
        return confirmed(agent=agent, power_state=power_state)
    if was_ready_then(agent, heartbeats, failed_at):
        return ruled_out(agent=agent, failed_at=failed_at)
    return possible(agent=agent, failed_at=failed_at)


def opinion_on_version(agent: Agent | None, power_state: str, minimum: tuple[int, ...], supported: tuple[int, ...]) -> Opinion:
    """Whether the agent is too old: below `minimum` confirmed, between the two possible."""
    version = version_of(agent)
    if version is None:
        why = Reason.AGENT_NOT_READY if power_state == "running" else Reason.VM_NOT_RUNNING
        return unknown(why, agent=agent, power_state=power_state)
    if version < minimum:
        return confirmed(agent=agent)
    return possible(agent=agent) if version < supported else ruled_out(agent=agent)


def is_reporting(agent: Agent | None, now: datetime) -> bool:
    """Whether the agent reports now: what it says about extensions is only as fresh as its own report."""
    return agent is not None and agent.ready and not is_stale(agent, now)


def is_stale(agent: Agent, now: datetime) -> bool:
    """A Ready that was reported too long ago is no Ready."""
    return agent.reported_at is not None and now - agent.reported_at > FRESH


def was_ready_then(agent: Agent | None, heartbeats: Heartbeats | Unknown, failed_at: datetime) -> bool:
    """Ready, and reported close to the job's end; or the VM's heartbeats have no gap from before the job until now."""
    if agent is None or not agent.ready or agent.reported_at is None:
        return False
    if agent.reported_at < failed_at - FRESH:
        return False
    if agent.reported_at <= failed_at + FRESH:
        return True
    return isinstance(heartbeats, Heartbeats) and heartbeats.count > 0 and heartbeats.longest_gap_minutes <= 10


def version_of(agent: Agent | None) -> tuple[int, ...] | None:
    """The agent's version as numbers: `2.7.41491.1010` -> (2, 7, 41491, 1010); None when it reports none that parses."""
    parts = agent.version.split(".") if agent else []
    return tuple(map(int, parts)) if parts and all(part.isascii() and part.isdigit() for part in parts) else None
