"""A message that nothing can be done with: a person is told, even if the ticket system is down meanwhile."""

from __future__ import annotations

from bench.faults.rig import PATIENCE_SECONDS, Rig
from sandbox.ticket_desk import Trouble

FILLING = 60_000
"""Longer than a message may be: the body goes into a blob."""


def blob_is_gone(rig: Rig) -> None:
    """A large alert's blob vanishes while it waits in the queue: a plain ticket names it."""
    _lose_the_blobs(rig)


def blob_is_gone_and_ticket_system_down(rig: Rig) -> None:
    """The same while the ticket system takes nothing: the plain tickets come when it is back."""
    rig.desk.all_posts = Trouble(status=503)
    _lose_the_blobs(rig)
    due = len(rig.vms) - 1
    rig.wait_until(lambda: len(rig.stored.rows("plain")) == due, PATIENCE_SECONDS, "not every message became a plain ticket")
    rig.desk.all_posts = None


def _lose_the_blobs(rig: Rig) -> None:
    """One alert is small; the others, each too large for a message, lose their blobs before anybody works on them."""
    first, *large = rig.vms
    rig.only_accept()
    rig.send([first])
    rig.send(large, over=0.2, filling=FILLING)
    rig.wait_until(
        lambda: rig.sender.wait(0) and len(rig.stored.large_bodies()) == len(large), PATIENCE_SECONDS, "no large bodies"
    )
    for name, body in rig.stored.large_bodies().items():
        vm = next(vm for vm in large if vm.subscription.encode() in body)
        rig.marks[name] = vm.name
        rig.stored.delete_large_body(name)
    rig.work_again()
