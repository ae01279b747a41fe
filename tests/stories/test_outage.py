"""The ticket system is down for a working day: what that costs, and how late the tickets are. On a virtual clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from handlers.model.parts import Part
from handlers.model.refusal import Past
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.posting import NO_PAST
from tests.memory_storage import MemoryStorage
from tests.stories.test_many_failed import alike
from tests.workbench import Bench, Target

BenchOf = Callable[..., Bench]
INCIDENTS, HOURS = 45, 8


class Down(Target):
    """A ticket system that answers 503 until somebody mends it."""

    def __init__(self) -> None:
        super().__init__()
        self.mended = False
        self.now: Callable[[], float] = lambda: 0.0
        self.refused: list[float] = []
        self.taken: list[float] = []

    def post(
        self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST, parts: Sequence[Part] = ()
    ) -> Posted:
        (self.taken if self.mended else self.refused).append(self.now())
        if not self.mended:
            raise TicketNotPosted("TICKET_URL answered 503", status=503)
        return super().post(event, change_id, may_exist=may_exist, past=past, parts=parts)


def test_eight_hours_without_a_ticket_system_cost_no_read_few_tries_and_few_messages(bench_of: BenchOf) -> None:
    failing, down = alike(INCIDENTS), Down()
    storage = MemoryStorage()
    bench = bench_of(scenarios=failing, storage=storage, target=down, storm_threshold=1000)
    down.now = bench.clock.seconds
    began = bench.clock.seconds()
    for vm in failing:
        bench.fire(vm.alert_body(datetime.now(UTC)))
        bench.run(seconds=4)
    bench.run(seconds=60)
    reads, sent, writes = len(bench.azure.calls()), bench.queue.sent, storage.table().writes
    bench.run(seconds=HOURS * 3600)
    assert len(bench.azure.calls()) == reads, "the outage reads nothing and diagnoses nothing"
    assert (bench.queue.sent - sent) / INCIDENTS <= 100
    tries = [at - began for at in down.refused]
    assert len(tries) <= HOURS * 60 + 10
    assert max(Counter(int(at) // 60 for at in tries if at > 300).values()) <= 2, "one a minute, whoever makes it"
    assert storage.table().writes - writes <= 2 * len(tries), "who does not try writes nothing"
    end, down.mended = bench.clock.seconds(), True
    bench.run(seconds=600)
    assert down.types == ["incident.opened"] * INCIDENTS
    assert len({change for change, _ in down.posts}) == INCIDENTS
    assert max(down.taken) - end <= 6 * 60
    assert bench.waits == []


def test_the_same_alerts_cost_the_same_reads_with_and_without_the_outage(bench_of: BenchOf) -> None:
    reads = []
    for mended in (True, False):
        down = Down()
        down.mended = mended
        bench = bench_of(scenarios=alike(6), storage=MemoryStorage(), target=down, storm_threshold=1000)
        for vm in alike(6):
            bench.fire(vm.alert_body(datetime.now(UTC)))
        bench.run(seconds=3600)
        down.mended = True
        bench.run(seconds=600)
        reads.append(len(bench.azure.calls()))
        assert down.types == ["incident.opened"] * 6
    assert reads[0] == reads[1]
