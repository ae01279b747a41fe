"""The read budget: never more than its share of Azure's bucket; and answers that are read once for everybody."""

from __future__ import annotations

import threading

import pytest

from handlers.azure.read_budget import (
    BUCKET_READS,
    GRAPH,
    GRAPH_QUERIES,
    READS_PER_SECOND,
    RESERVE_READS,
    ReadBudget,
)
from handlers.azure.shared_reads import Shared


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> ReadBudget:
    return ReadBudget(clock.now, clock.sleep)


def test_a_full_bucket_gives_reads_at_once(budget: ReadBudget, clock: Clock) -> None:
    assert all(budget.take("s") for _ in range(int(BUCKET_READS)))
    assert clock.seconds == 0


def test_beyond_the_bucket_reads_come_at_its_rate(budget: ReadBudget, clock: Clock) -> None:
    for _ in range(int(BUCKET_READS) + 100):
        assert budget.take("s")
    assert clock.seconds == pytest.approx(100 / READS_PER_SECOND, abs=0.1)


def test_azures_own_bucket_never_runs_dry(budget: ReadBudget, clock: Clock) -> None:
    azure, last = 250.0, 0.0
    for _ in range(2000):
        assert budget.take("s")
        azure = min(250.0, azure + (clock.seconds - last) * 25) - 1
        last = clock.seconds
        assert azure >= 0


def test_a_line_that_is_too_long_is_refused_instead_of_waited_for(budget: ReadBudget, clock: Clock) -> None:
    for _ in range(int(BUCKET_READS)):
        budget.take("s")
    assert not budget.take("s", longest_wait=0)
    assert clock.seconds == 0


def test_subscriptions_in_any_case_have_a_bucket_each(budget: ReadBudget) -> None:
    for _ in range(int(BUCKET_READS)):
        budget.take("One")
    assert not budget.take("oNE", longest_wait=0)
    assert budget.take("two", longest_wait=0)


def test_background_work_leaves_a_reserve(budget: ReadBudget) -> None:
    assert budget.spare("s") == BUCKET_READS - RESERVE_READS
    for _ in range(int(BUCKET_READS - RESERVE_READS)):
        budget.take("s")
    assert budget.spare("s") == 0


def test_what_is_shared_is_read_once_until_it_is_old(clock: Clock) -> None:
    shared, reads = Shared(clock.now), list[int]()

    def read() -> int:
        reads.append(1)
        return len(reads)

    assert [shared.get("k", read, seconds=60) for _ in range(3)] == [1, 1, 1]
    clock.seconds = 61
    assert shared.get("k", read, seconds=60) == 2


def test_those_who_ask_at_the_same_time_wait_for_one_read() -> None:
    shared, reads, go = Shared(), list[int](), threading.Event()

    def read() -> int:
        reads.append(1)
        go.wait(5)
        return 7

    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(shared.get("k", read, seconds=60))) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(5)
    assert (answers, len(reads)) == ([7] * 8, 1)


def test_a_failure_is_told_and_not_kept() -> None:
    shared = Shared()

    def fail() -> int:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        shared.get("k", fail, seconds=60)
    assert shared.get("k", lambda: 1, seconds=60) == 1


def test_what_others_took_from_azures_bucket_is_not_taken_again(budget: ReadBudget, clock: Clock) -> None:
    budget.told("s", 60)
    assert budget.spare("s") == 0
    taken = sum(budget.take("s", longest_wait=0) for _ in range(100))
    assert taken == 10, "a fifth of the bucket is left to others"


def test_azures_count_never_makes_the_budget_larger(budget: ReadBudget) -> None:
    for _ in range(150):
        budget.take("s")
    budget.told("s", 11_999)
    assert budget.spare("s") == 0


def test_an_answer_is_read_again_for_whoever_wants_it_fresher(clock: Clock) -> None:
    shared, reads = Shared(clock.now), iter(range(10))
    assert shared.get("k", lambda: next(reads), seconds=300) == 0
    clock.seconds += 100
    assert shared.get("k", lambda: next(reads), seconds=300) == 0
    assert shared.get("k", lambda: next(reads), seconds=60) == 1
    assert shared.get("k", lambda: next(reads), seconds=300) == 1


def test_peeking_reads_nothing(clock: Clock) -> None:
    shared = Shared(clock.now)
    assert shared.peek("k") is None
    shared.get("k", lambda: 7, seconds=20)
    assert shared.peek("k") == 7
    clock.seconds += 21
    assert shared.peek("k") is None


def test_a_failure_is_told_again_for_as_long_as_it_is_kept(clock: Clock) -> None:
    shared, tries = Shared(clock.now, failures_seconds=15), []

    def fail() -> int:
        tries.append(1)
        raise OSError("no")

    for _ in range(3):
        with pytest.raises(OSError, match="no"):
            shared.get("k", fail, seconds=300)
    assert len(tries) == 1
    clock.seconds += 16
    assert shared.get("k", lambda: 1, seconds=300) == 1


def test_queries_have_a_bucket_of_their_own(budget: ReadBudget, clock: Clock) -> None:
    for _ in range(int(GRAPH_QUERIES)):
        assert budget.take(GRAPH, longest_wait=0)
    assert not budget.take(GRAPH, longest_wait=0)
    assert budget.take("s", longest_wait=0)


def test_azures_quota_of_queries_is_never_used_up(budget: ReadBudget, clock: Clock) -> None:
    used: list[float] = []
    for _ in range(200):
        assert budget.take(GRAPH)
        used = [at for at in used if clock.seconds - at < 5] + [clock.seconds]
        assert len(used) <= 15


def test_when_azure_says_that_no_query_is_left_the_next_one_waits_until_they_are_back(budget: ReadBudget, clock: Clock) -> None:
    budget.told_queries(0, 3)
    assert not budget.take(GRAPH, longest_wait=2.9)
    assert budget.take(GRAPH)
    assert clock.seconds == pytest.approx(3)
