"""The gate in front of the ticket system: when it is down, tries stay few; what it asks for is obeyed; nobody comes back too late."""

from datetime import UTC, datetime

import pytest

from handlers.tickets.gate import (
    AWAY_SECONDS,
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    PROBED_SECONDS,
    Gate,
    seconds_of,
)

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def closed() -> tuple[Gate, Clock]:
    clock = Clock()
    gate = Gate(clock)
    gate.failed(None)
    gate.failed(None)
    return gate, clock


def test_an_open_gate_lets_everybody_through() -> None:
    gate = Gate(Clock())
    assert [gate.enter() for _ in range(3)] == [True, True, True]
    assert gate.wait_of_others() == 0


def test_one_failure_alone_keeps_nobody_else_away_and_is_tried_again_soon() -> None:
    gate = Gate(Clock())
    gate.failed(None)
    assert gate.wait_of_failed() == FIRST_WAIT_SECONDS
    assert gate.enter()


def test_after_a_second_failure_everybody_stays_away_and_then_one_tries() -> None:
    gate, clock = closed()
    assert not gate.enter()
    clock.seconds += gate.wait_of_others()
    assert gate.enter()
    assert not gate.enter(), "only one tries"


def test_while_one_tries_the_others_ask_again_soon_and_not_after_its_longest_wait() -> None:
    gate, clock = closed()
    clock.seconds += gate.wait_of_others()
    gate.enter()
    assert gate.wait_of_others() == PROBED_SECONDS
    gate.worked()
    assert gate.enter()


def test_one_try_a_minute_finds_out_whether_it_is_back() -> None:
    gate, clock = closed()
    began, tries = clock.seconds, 0
    while clock.seconds < began + 3600:
        clock.seconds += 1
        if gate.enter():
            gate.failed(None)
            tries += 1
    assert 58 <= tries <= 66
    assert LONGEST_WAIT_SECONDS == 60


def test_a_waiting_change_stays_away_for_longer_the_more_tries_fail_and_at_most_five_minutes() -> None:
    gate, clock = closed()
    waits = []
    for _ in range(8):
        waits.append(gate.wait_of_others())
        clock.seconds += waits[-1]
        if gate.enter():
            gate.failed(None)
    assert waits == sorted(waits)
    assert waits[0] <= 15
    assert waits[-1] == AWAY_SECONDS[-1]


def test_after_a_success_waits_are_short_again() -> None:
    gate, clock = closed()
    clock.seconds += 4000
    assert gate.enter()
    gate.worked()
    gate.failed(None)
    assert gate.wait_of_failed() == FIRST_WAIT_SECONDS


def test_many_that_fail_at_the_same_time_are_one_failure() -> None:
    gate, _ = closed()
    for _ in range(24):
        gate.failed(None)
    assert gate.wait_of_others() == AWAY_SECONDS[1]


def test_a_refusal_of_one_ticket_ends_a_probe_and_says_nothing_else() -> None:
    gate, clock = closed()
    gate.answered()
    assert not gate.enter(), "somebody whose try was under way proves nothing"
    clock.seconds += gate.wait_of_others()
    assert gate.enter()
    gate.answered()
    assert gate.wait_of_others() == 0


def test_while_a_slow_system_answers_a_probe_nobody_else_tries() -> None:
    clock = Clock()
    gate = Gate(clock, probe_seconds=90)
    gate.failed(10)
    clock.seconds += 10
    assert gate.enter()
    clock.seconds += 89
    assert not gate.enter()


def test_retry_after_is_obeyed_by_all() -> None:
    clock = Clock()
    gate = Gate(clock)
    gate.failed(1200)
    assert gate.wait_of_others() == AWAY_SECONDS[-1], "it comes back to see that nobody may try"
    clock.seconds += 1199
    assert not gate.enter()
    clock.seconds += 1
    assert gate.enter()


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
