"""The canary: a marked alert of the app's own goes the whole way, and its arrival is a line in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from handlers import canary
from handlers.tickets.answers import TicketNotPosted
from tests.stories.test_backup_failed import LOCKED
from tests.workbench import Bench

BenchOf = Callable[..., Bench]


def test_it_arrives_and_posts_nothing_unless_that_is_asked_for(bench_of: BenchOf, caplog: pytest.LogCaptureFixture) -> None:
    bench = bench_of(LOCKED, watched=True)
    caplog.set_level(logging.INFO, "handlers")
    canary.send(bench.tools)
    bench.work()
    assert "canary arrived seconds=0 tickets=quiet azure=ok" in caplog.text
    assert bench.target.tries == []
    assert bench.open_incidents == []


def test_with_tickets_one_is_opened_and_resolved(bench_of: BenchOf) -> None:
    bench = bench_of(canary="ticket")
    canary.send(bench.tools)
    bench.work()
    assert bench.target.types == ["incident.opened", "incident.resolved"]
    assert {event["data"]["title"] for event in bench.target.events} == {"Test of Backup Runbooks: nothing to do"}
    assert len({event["data"]["incident"]["id"] for event in bench.target.events}) == 1


def test_switched_off_nothing_is_sent(bench_of: BenchOf) -> None:
    bench = bench_of(canary="off")
    canary.send(bench.tools)
    assert bench.work() == 0


def test_it_does_not_arrive_while_the_ticket_system_is_down(bench_of: BenchOf, caplog: pytest.LogCaptureFixture) -> None:
    bench = bench_of(canary="ticket")
    caplog.set_level(logging.INFO, "handlers")
    bench.target.answers = [TicketNotPosted("TICKET_URL answered 503", retry_after="60")]
    canary.send(bench.tools)
    bench.work()
    assert "canary arrived" not in caplog.text
    bench.wait(100)
    assert "canary arrived" in caplog.text
    assert bench.target.types == ["incident.opened", "incident.resolved"]


def test_what_azure_does_not_show_is_told(bench_of: BenchOf, caplog: pytest.LogCaptureFixture) -> None:
    bench = bench_of(LOCKED, watched=True)
    bench.azure.add_fault(match="GET *Microsoft.RecoveryServices/vaults?*", status=403)
    caplog.set_level(logging.INFO, "handlers")
    canary.send(bench.tools)
    bench.work()
    assert "azure=unread" in caplog.text


def test_the_next_days_canary_is_another(bench_of: BenchOf) -> None:
    bench = bench_of(canary="ticket")
    for _ in range(2):
        canary.send(bench.tools)
        bench.work()
        bench.clock.ahead += timedelta(days=1)
    assert bench.target.types == ["incident.opened", "incident.resolved"] * 2
