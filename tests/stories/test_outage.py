"""The ticket system is down for a working day: what that costs, and how late the tickets are. On a virtual clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from handlers.model.parts import Part
from handlers.tickets.answers import Posted, TicketNotPosted
from tests.stories.test_many_failed import alike
from tests.workbench import Bench, Clock, Target

BenchOf = Callable[..., Bench]
INCIDENTS, HOURS = 45, 8


class DownFor(Target):
    """A ticket system that answers 503 until a moment."""

    def __init__(self, clock: Clock, until: float) -> None:
        super().__init__()
        self.clock, self.until = clock, until
        self.refused: list[float] = []
        self.taken: list[float] = []

    def post(self, event: dict[str, object], change_id: str, *, may_exist: bool = False, parts: tuple[Part, ...] = ()) -> Posted:  # type: ignore[override]
        if self.clock.seconds() < self.until:
            self.refused.append(self.clock.seconds())
            raise TicketNotPosted("TICKET_URL answered 503", status=503)
        self.taken.append(self.clock.seconds())
        return super().post(event, change_id, may_exist=may_exist, parts=parts)


@pytest.mark.timeout(300)
def test_eight_hours_without_a_ticket_system_cost_no_read_few_tries_and_few_messages(bench_of: BenchOf) -> None:
    failing = alike(INCIDENTS)
    bench = bench_of(scenarios=failing, storm_threshold=1000)
    began = bench.clock.seconds()
    end = began + HOURS * 3600
    down = DownFor(bench.clock, end)
    bench.tools.tickets._target = down
    for vm in failing:
        bench.fire(vm.alert_body(datetime.now(UTC)))
        bench.run(seconds=4)
    bench.run(seconds=60)
    reads, sent = len(bench.azure.calls()), bench.queue.sent
    bench.run(seconds=end - bench.clock.seconds())
    assert len(bench.azure.calls()) == reads, "the outage reads nothing and diagnoses nothing"
    assert (bench.queue.sent - sent) / INCIDENTS <= 100
    minutes = Counter(int(at - began) // 60 for at in down.refused)
    assert max(list(minutes.values())[2:]) <= 2, "about one try a minute, whoever makes it"
    assert len(down.refused) <= HOURS * 60 + 10
    bench.run(seconds=600)
    assert len(down.types) == INCIDENTS == len({change for change, _ in down.posts})
    assert max(down.taken) - end <= 6 * 60
    assert bench.waits == []
