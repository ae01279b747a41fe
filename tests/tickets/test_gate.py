"""The gate in front of the ticket system: when it is down, tries stay few; what it asks for is obeyed."""

from datetime import UTC, datetime

import pytest

from handlers.tickets.gate import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, PROBED_SECONDS, Gate, seconds_of

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_an_open_gate_lets_everybody_through() -> None:
    gate = Gate(Clock())
    assert [gate.enter() for _ in range(3)] == [0, 0, 0]


def test_one_failure_alone_keeps_nobody_else_away() -> None:
    gate = Gate(Clock())
    assert gate.failed(None) == FIRST_WAIT_SECONDS
    assert gate.enter() == 0


def test_after_a_second_failure_everybody_stays_away_and_then_one_tries() -> None:
    clock = Clock()
    gate = Gate(clock)
    gate.failed(None)
    wait = gate.failed(None)
    assert gate.enter() == wait
    clock.seconds += wait
    assert gate.enter() == 0
    assert gate.enter() > 0, "only one tries"


def test_while_one_tries_the_others_ask_again_soon_and_not_after_its_longest_wait() -> None:
    clock = Clock()
    gate = Gate(clock)
    gate.failed(None)
    clock.seconds += gate.failed(None)
    gate.enter()
    assert gate.enter() == gate.left() == PROBED_SECONDS
    gate.worked()
    assert gate.enter() == 0


def test_the_waits_double_up_to_a_minute_and_begin_anew_after_a_success() -> None:
    clock = Clock()
    gate = Gate(clock)
    waits = []
    for _ in range(12):
        assert gate.enter() == 0
        waits.append(gate.failed(None))
        clock.seconds += waits[-1]
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    gate.worked()
    assert gate.failed(None) == FIRST_WAIT_SECONDS


def test_many_that_fail_at_the_same_time_are_one_failure() -> None:
    gate = Gate(Clock())
    assert max(gate.failed(None) for _ in range(24)) == 2 * FIRST_WAIT_SECONDS


def test_retry_after_is_obeyed_by_all() -> None:
    clock = Clock()
    gate = Gate(clock)
    assert gate.failed(1200) == 1200
    clock.seconds += 1199
    assert gate.enter() == 1
    gate.worked()
    assert gate.enter() == 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("20", 20),
        ("1.5", 1.5),
        ("Sun, 22 Nov 2026 19:50:00 GMT", 1200),
        ("Sun, 22 Nov 2026 19:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float | None) -> None:
    assert seconds_of(said, NOW) == seconds
