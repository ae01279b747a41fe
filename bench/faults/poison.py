"""A message that nothing can be done with: a person is told, even if the ticket system is down meanwhile."""

from __future__ import annotations

import time

from bench.faults.rig import Rig
from sandbox.ticket_desk import Trouble

FILLING = 60_000
"""Longer than a message may be: the body goes into a blob."""


def blob_is_gone(rig: Rig) -> None:
    """A large alert's blob vanishes while it waits in the queue: a plain ticket names it."""
    _lose_the_blobs(rig, retry_after=4)


def blob_is_gone_and_ticket_system_down(rig: Rig) -> None:
    """The same while the ticket system takes nothing: the message is kept, and the sweep posts it later."""
    _lose_the_blobs(rig, retry_after=4)
    rig.desk.all_posts = Trouble(status=503)
    rig.wait_until(lambda: len(rig.stored.unposted()) == len(rig.vms) - 1, 90, "not every message is kept")
    rig.desk.all_posts = None
    rig.wait_until(lambda: _swept(rig), 120, "the sweep left messages unposted")


def _lose_the_blobs(rig: Rig, retry_after: int) -> None:
    """One alert closes the way to the ticket system; the others, each too large for a message, wait behind it and lose their blobs."""
    first, *large = rig.vms
    rig.desk.next_posts = [Trouble(status=429, headers={"Retry-After": str(retry_after)})]
    rig.send([first])
    rig.wait_until(lambda: bool(rig.desk.tries), 30, "no try came")
    rig.send(large, over=0.2, filling=FILLING)
    rig.wait_until(lambda: rig.sender.wait(0) and len(rig.stored.large_bodies()) == len(large), 30, "no large bodies")
    for name, body in rig.stored.large_bodies().items():
        vm = next(vm for vm in large if vm.subscription.encode() in body)
        rig.marks[name] = vm.name
        rig.stored.delete_large_body(name)


def _swept(rig: Rig) -> bool:
    rig.run_sweep()
    time.sleep(1)
    return not rig.stored.unposted()
