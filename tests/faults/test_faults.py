"""No alert is lost and nothing is told twice, whatever breaks. The faults are bench/faults', in their short form, several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bench.faults import FAULTS, Fault, run
from bench.faults.audit import Figures
from bench.faults.rig import Plan
from tests.faults.conftest import FIGURES

AT_ONCE = 8


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Figures]]]:
    """The faults that were asked for, all begun."""
    asked = [fault for fault in FAULTS if any(f"[{fault.name}]" in item.nodeid for item in request.session.items)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {fault.name: pool.submit(run, fault, Plan()) for fault in asked}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_acknowledged_alert_is_ticketed_or_in_a_storm_and_nothing_is_told_twice(
    fault: Fault, outcomes: dict[str, Future[Figures]], pytestconfig: pytest.Config
) -> None:
    found = outcomes[fault.name].result()
    pytestconfig.stash[FIGURES].append(found)
    assert found.problems == ()
    assert (found.acknowledged, found.lost, found.duplicates) == (found.posted, 0, 0)
