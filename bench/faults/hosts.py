"""Storage and hosts fail, hosts compete, sources repeat each other."""

from __future__ import annotations

import time

import requests

from bench.faults.rig import PATIENCE_SECONDS, Rig
from bench.faults.vms import alert_of
from sandbox.ticket_desk import Trouble

SOURCES = ("azure_backup", "log_search_v2", "metric")


def storage_down(rig: Rig) -> None:
    """Storage stops under load: intake answers 503 with Retry-After until it is back, and nothing else."""
    rig.send(over=rig.between(5, 10, 40))
    time.sleep(rig.between(2, 1, 10))
    with rig.paused(*rig.hosts):
        rig.azurite.stop()
    health = requests.get(f"{rig.hosts[0].running.url}/api/health", timeout=60).status_code
    rig.check(health == 503, f"health says {health} without storage")
    time.sleep(rig.between(3, 5, 40))
    rig.azurite.start()
    rig.sender.wait(120)
    refused = [answer for answer in rig.sender.answers if answer.status == 503]
    rig.check(bool(refused), "no alert came while storage was down")
    rig.check(all(answer.retry_after for answer in refused), "a 503 without Retry-After")
    rig.check(rig.statuses() <= {202, 503}, f"answers besides 202 and 503: {sorted(rig.statuses())}")


def host_killed(rig: Rig) -> None:
    """The host is killed at random moments under load, and started again."""
    rounds = 3 if rig.plan.short else rig.random.randint(3, 10)
    rig.send(over=rounds * rig.between(1.5, 2, 5))
    _kill_at_random(rig, rounds)


def storm_with_kills(rig: Rig) -> None:
    """More failures of one code in one region than STORM_THRESHOLD while the host is killed: each is ticketed or in the storm."""
    rounds = 2 if rig.plan.short else rig.random.randint(2, 6)
    rig.notes_remain = True
    rig.send(over=rounds * rig.between(1.5, 2, 5))
    _kill_at_random(rig, rounds)


def storm_ticket_taken_and_its_answer_lost(rig: Rig) -> None:
    """The storm's ticket is taken and its answer lost; more VMs join until it is posted again: the ticket comes to name them all."""
    rig.notes_remain = True
    rig.desk.next_posts = [Trouble(cut=True, event_type="storm.opened")]
    most = len(rig.vms) * 2 // 3
    rig.send(rig.vms[:most])
    rig.wait_until(lambda: any(one.status == 0 for one in rig.desk.tries), PATIENCE_SECONDS, "no storm came")
    rig.send(rig.vms[most:], over=0.2)


def two_hosts(rig: Rig) -> None:
    """Two instances on one storage account, each alert sent to both at once."""
    over = rig.between(1, 1, 20)
    rig.send(over=over)
    rig.send(over=over, host=1)


def two_hosts_killed_in_turn(rig: Rig) -> None:
    """Two instances, each alert sent to both at once, and one of them is always being killed."""
    rounds = 2 if rig.plan.short else rig.random.randint(3, 8)
    over = rounds * rig.between(1.5, 2, 5)
    rig.send(over=over)
    rig.send(over=over, host=1)
    _kill_at_random(rig, rounds)


def one_failure_from_several_sources(rig: Rig) -> None:
    """The built-in alert, the log search alert and the metric alert of one failure, in any order, at about the same time as a sweep."""
    for vm in rig.vms:
        sources = rig.random.sample(SOURCES, len(SOURCES))
        for source in sources:
            after = rig.random.uniform(0, rig.between(1, 0, 10))
            rig.sender.post(vm, rig.hosts[0].running.url, alert_of(vm, source), after)
    rig.sender.wait(PATIENCE_SECONDS)
    rig.run_sweep()


def _kill_at_random(rig: Rig, rounds: int) -> None:
    for turn in range(rounds):
        host = rig.hosts[turn % len(rig.hosts)]
        time.sleep(rig.random.uniform(0.1, rig.between(1.5, 0.5, 6)))
        rig.kill(host)
        time.sleep(rig.random.uniform(0, 0.5))
        host.start()
