"""Everything at once: many VMs fail, alerts repeat each other, the ticket system is unwell, and the host is killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from bench.faults.rig import Rig
from sandbox.ticket_desk import Trouble

LOST, UNAVAILABLE, BROKEN, SLOW = 0.12, 0.08, 0.05, 0.05
"""Shares of the posts whose answer is lost, that get 503, 500, and an answer after three seconds."""
REPEATED = 0.2
LATEST_SECONDS = 90
"""After the last kill and the lease of what was under way then: by then every ticket is there."""
TRIES_A_TICKET = 1.5


def bad_weather(seed: int) -> Callable[[], Trouble | None]:
    """What each post meets, by the shares above."""
    chance = random.Random(seed)

    def trouble() -> Trouble | None:
        number = chance.random()
        for share, found in (
            (LOST, Trouble(cut=True)),
            (UNAVAILABLE, Trouble(status=503)),
            (BROKEN, Trouble(status=500)),
            (SLOW, Trouble(delay=3)),
        ):
            if (number := number - share) < 0:
                return found
        return None

    return trouble


def mixed_weather(rig: Rig) -> None:
    """Lost answers, 503, 500, slow answers and kills at once, a fifth of the alerts repeated: each ticketed once, and soon."""
    kills = 2 if rig.plan.short else 4
    rig.desk.weather = bad_weather(rig.plan.seed)
    send_all(rig)
    for _ in range(kills):
        time.sleep(rig.between(1.5, 1, 3))
        rig.kill(rig.hosts[0])
        rig.hosts[0].start()
    if not rig.plan.short:  # in the tests time decides nothing
        rig.latest = rig.killed_at + rig.needs.lease + LATEST_SECONDS


def send_all(rig: Rig) -> None:
    """An alert for each VM within eight seconds, and a fifth of them twice."""
    again = rig.random.sample(rig.vms, round(len(rig.vms) * REPEATED))
    rig.send([*rig.vms, *again], over=8)
