"""`make storm` in small: 1,000 alerts about 800 VMs in 10 vaults, with Azure's token bucket, to the last VM's ticket."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.storm import Options, run
from bench.storm_figures import Background, Figures, Goals, Recovery, at_most, exactly, table
from handlers.model.storm import ALONE_A_STORM
from sandbox.storm_world import KINDS, REGIONS, SUBSCRIPTIONS

SMALL = Options(alerts=1_000, vaults=10, vms=800, twin=15, watch=0, recovery=0, patience=500)
STORMS = len(REGIONS) * len(KINDS)
QUERIES = 20
"""Of Azure Resource Graph, for each storm."""
FIRST, AT_ONCE = 3, 12
"""So many of a region and code are told at once, and so many messages one instance works on meanwhile (host.json)."""


pytestmark = pytest.mark.timeout(600)  # the run itself takes half a minute on two idle cores, and minutes beside other work


@pytest.fixture(scope="module")
def figures() -> Figures:
    return run(SMALL)


def test_every_alert_is_acknowledged_and_every_vm_has_one_ticket(figures: Figures) -> None:
    assert figures.acknowledged == SMALL.alerts, figures.other_answers
    assert figures.attached == SMALL.vms
    assert figures.two_tickets == 0


def test_most_vms_have_no_ticket_of_their_own(figures: Figures) -> None:
    assert figures.own_tickets <= STORMS * (FIRST + AT_ONCE)
    assert figures.events["storm.opened"] == STORMS
    assert figures.events.total() <= Goals.events


def test_azure_never_refuses_a_read_and_is_read_little(figures: Figures) -> None:
    """What is read does not grow with the alerts: so few of them (100 a storm) do not pay for it, 10,000 do (goal 0.10 each).

    Read one by one are the VMs with a ticket of their own and a few members of each storm, at ten reads each, and the jobs of those
    that came before the storm was known; the lists of each subscription and vault are shared, queries serve all members of a pass.
    A ticket of its own takes three more: what was changed, and the tags of its group.
    """
    one_by_one = figures.own_tickets + STORMS * ALONE_A_STORM
    fair = (
        10 * one_by_one
        + 3 * figures.own_tickets
        + STORMS * (FIRST + AT_ONCE)
        + SUBSCRIPTIONS * 5
        + SMALL.vaults * 10
        + STORMS * QUERIES
    )
    assert figures.refused == 0
    assert figures.reads.total() <= fair, figures.reads


def test_the_host_process_stays_small_and_quick(figures: Figures) -> None:
    """The ratio is loose: CI machines are noisy, a fifth of so few alerts are told alone, and the twin's lists are an eighth as
    long as with 8,000 VMs. Without requirements-bench.txt there is no twin to compare with."""
    assert figures.peak_mib <= Goals.peak_mib
    assert figures.cpu_ratio is None or figures.cpu_ratio <= 0.6


# ---------------------------------------------------------------------------------------------- the table


def test_a_missed_goal_is_called_missed() -> None:
    poor = Figures(
        alerts=100, vms=80, acknowledged=99, attached=79, two_tickets=1, reads=Counter({"microsoft.compute/disks": 11}), refused=1,
        events=Counter({"incident.opened": 601}), peak_mib=151, peak_mib_at_the_end=151, cpu_per_alert=0.2, twin_cpu_per_alert=1.0,
        background=Background(10, Counter({"one": 201}), Counter()), recovery=Recovery(1, 1, 1, 1, Counter(), 1),
    )  # fmt: skip
    judged = [row for row in poor.rows(Goals()) if row.goal]
    assert [row.name for row in judged if row.met] == []
    assert table(judged).count("MISSED") == len(judged) == 13


def test_a_goal_is_met_at_its_bound() -> None:
    assert at_most("reads", 0.10, 0.10, digits=2).met
    assert exactly("VMs", 8000, 8000).met
    assert "MISSED" not in table([exactly("VMs", 8000, 8000)])


def test_a_figure_without_a_goal_is_not_judged() -> None:
    quiet = Figures(alerts=1, vms=1)
    assert {row.met for row in quiet.rows(Goals()) if not row.goal} == {None}
