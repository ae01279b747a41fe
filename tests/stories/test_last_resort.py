"""Alerts that nobody can read, and messages that fail again and again: a person is told, and one broken sender floods no desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from handlers import last_resort
from handlers.records.plain_tickets import MOST_AN_HOUR, shape_of
from handlers.tickets.answers import TicketNotPosted
from tests.memory_storage import MemoryStorage
from tests.stories.test_backup_failed import LOCKED, alert
from tests.workbench import Bench

BenchOf = Callable[..., Bench]


@pytest.fixture
def bench(bench_of: BenchOf) -> Bench:
    return bench_of(LOCKED, storage=MemoryStorage())


def odd(number: int, **more: Any) -> dict[str, Any]:
    return {"odd": number, **more}


def test_the_first_alert_that_nobody_can_read_is_a_ticket_at_once_with_its_body(bench: Bench) -> None:
    bench.fire(odd(7))
    bench.work()
    (event,) = bench.target.events
    assert event["type"] == "alert.unreadable"
    assert '"odd": 7' in event["data"]["runbook"]["markdown"]


def test_more_of_its_shape_are_one_update_for_each_doubling_with_the_newest_three(bench: Bench) -> None:
    for number in range(1, 21):
        bench.fire(odd(number))
        bench.work()
    counts = [event["data"]["incident"]["failures"] for event in bench.target.events]
    assert counts == [1, 2, 4, 8, 16]
    assert len({event["data"]["incident"]["id"] for event in bench.target.events}) == 1
    assert [event["data"]["ticket"]["id"] is None for event in bench.target.events] == [True, False, False, False, False]
    page = bench.target.events[-1]["data"]["runbook"]["markdown"]
    assert "16 alerts in this format" in page
    assert [number for number in range(1, 21) if f'"odd": {number}\n' in page] == [14, 15, 16]


def test_the_same_body_again_counts_once(bench: Bench) -> None:
    for _ in range(4):
        bench.fire(odd(1))
        bench.work()
    assert len(bench.target.tries) == 1


def test_after_an_hour_the_same_shape_has_a_new_ticket(bench: Bench) -> None:
    bench.fire(odd(1))
    bench.run(seconds=3700)
    bench.fire(odd(2))
    bench.work()
    assert len({event["data"]["incident"]["id"] for event in bench.target.events}) == 2


def test_five_thousand_bodies_of_many_shapes_make_few_tickets(bench: Bench) -> None:
    for number in range(5_000):
        bench.fire({f"name-{number % 700}": number})
    bench.work()
    assert len({event["data"]["incident"]["id"] for event in bench.target.events}) == MOST_AN_HOUR + 1
    assert len(bench.target.events) < 100


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ({"b": 1, "a": 2}, "dict dict a b"),
        ([{"a": 1}, {"z": 1}], "list dict a"),
        ([], "list list"),
        ("words", "str str"),
        (None, "NoneType NoneType"),
    ],
)
def test_the_shape_of_a_body_is_what_one_sender_repeats(body: Any, shape: str) -> None:
    assert shape_of(json.dumps(body).encode()) == shape


def test_a_poison_alert_has_a_plain_ticket_once_and_soon(bench: Bench) -> None:
    body = json.dumps(alert()).encode()
    for count in (1, 2):
        last_resort.work_on_poison(body, count, bench.tools)
    bench.run(seconds=1)
    assert bench.target.types == ["alert.unreadable"]
    assert bench.target.events[0]["data"]["title"] == "An alert could not be processed"


def test_a_poison_alert_waits_for_a_ticket_system_that_is_down(bench: Bench) -> None:
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503")] * 3
    last_resort.work_on_poison(b'{"any": 1}', 1, bench.tools)
    bench.run(seconds=600)
    assert bench.target.types == ["alert.unreadable"]
    assert bench.waits == []


def test_a_reminder_that_fails_again_and_again_becomes_a_plain_ticket_with_what_is_known_and_ends(bench: Bench) -> None:
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 429", retry_after="600", maybe_taken=False)]
    bench.fire(alert())
    bench.work()
    ((_, reminder),) = bench.queue.later.values()
    bench.queue.later.clear()
    last_resort.work_on_poison(reminder, 1, bench.tools)
    bench.run(seconds=1200)
    (event,) = bench.target.events
    assert event["type"] == "alert.unreadable"
    assert "UserErrorRpCollectionLimitReached" in event["data"]["runbook"]["markdown"]
    assert [incident.needs_post for incident in bench.open_incidents] == [False]


class Broken(MemoryStorage):
    """Its table cannot be reached."""

    def table(self) -> Any:
        raise OSError("no table")


def test_a_poison_message_that_cannot_be_recorded_comes_again_and_is_kept_at_the_last_try(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED, storage=Broken())
    with pytest.raises(OSError, match="no table"):
        last_resort.work_on_poison(b'{"any": 1}', 1, bench.tools)
    assert list(bench.queue.unposted()) == []
    last_resort.work_on_poison(b'{"any": 1}', last_resort.LAST_TRY, bench.tools)
    ((_, body, _),) = bench.queue.unposted()
    assert body == b'{"any": 1}'
