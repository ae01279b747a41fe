"""The alerts of a storm: one built-in alert for each VM, then second alerts of another source for the same failures, shuffled."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sandbox.storm_world import Member, StormWorld

FIRST_AFTER, SECOND_AFTER = timedelta(minutes=2), timedelta(minutes=10)
"""How long after a failure Azure Backup tells of it, and a log search rule that looks every so often."""
NAMELESS = 4
"""Every fourth second alert has no job id among its dimensions."""
SEED = 20261122


def alerts_of(world: StormWorld, count: int) -> list[bytes]:
    """So many bodies as JSON, at least one for each VM, in an order that is always the same."""
    if count < world.vms:
        raise ValueError(f"{count} alerts are too few for {world.vms} VMs")
    dice = random.Random(SEED)
    again = [dice.randrange(world.vms) for _ in range(count - world.vms)]
    bodies = [first_alert(world.member(number)) for number in range(world.vms)]
    bodies += list(second_alerts(world, again))
    found = [json.dumps(body).encode() for body in bodies]
    dice.shuffle(found)
    return found


def first_alert(member: Member) -> Any:
    """Azure Backup's own alert, with the job and the VM."""
    return member.body("azure_backup", member.failed_at + FIRST_AFTER)


def second_alerts(world: StormWorld, numbers: list[int]) -> Iterator[Any]:
    """A log search alert for each number; ids of their own."""
    for index, number in enumerate(numbers):
        member = world.member(number)
        body = member.body("log_search_v2", member.failed_at + SECOND_AFTER)
        body["data"]["essentials"]["alertId"] += f"-log-{index}"
        if index % NAMELESS == NAMELESS - 1:
            criterion = body["data"]["alertContext"]["condition"]["allOf"][0]
            criterion["dimensions"] = [one for one in criterion["dimensions"] if one["name"] != "JobUniqueId"]
        yield body
