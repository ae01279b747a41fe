"""Check again: the facts are gathered anew, what is different is shown, and the ticket follows."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers import checked_again
from handlers.records.incidents import CHECK_EVERY, Incidents
from handlers.records.storage import Storage
from handlers.web.access import PageAnswer
from handlers.web.links import FORM_FOR
from tests.memory_storage import MemoryStorage
from tests.stories.test_surroundings import MADE, recover
from tests.stories.test_sweep import add_job, world_of
from tests.web.test_page import PUBLIC, BenchOf, opened, page, request_of
from tests.workbench import Bench, emptied


def token(bench: Bench, url: str) -> str:
    """What the form of the page sends."""
    (found,) = re.findall(r'name="token" value="([^"]+)"', page(bench, url))
    return str(found)


def check(bench: Bench, url: str, form: dict[str, str] | None = None, **more: Any) -> PageAnswer:
    given = {"token": token(bench, url)} if form is None else form
    return checked_again.answer(request_of(url, "check", form=given, **more), bench.tools.settings, lambda: bench.tools)


def unlock(bench: Bench) -> None:
    """Somebody removes the lock."""
    world = world_of(bench, MADE)
    for resource_id in [found for found in world.resources if "/locks/" in found.lower()]:
        del world.resources[resource_id]


def reads(bench: Bench) -> int:
    return len(bench.azure.calls())


def test_what_is_different_is_shown_and_the_ticket_follows(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    unlock(bench)
    shown = check(bench, url)
    assert shown.status == 200
    assert "This is different now." in str(shown.body)
    assert re.search(r"<strong>A lock prevents[^<]*</strong>: Confirmed → Ruled out", str(shown.body))
    assert 'href="../page.css"' in str(shown.body)
    bench.run(seconds=1)
    assert bench.target.types == ["incident.opened", "incident.updated"]
    assert "Ruled out" in page(bench, url)


def test_where_nothing_is_different_the_ticket_stays_as_it_is(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    assert "Nothing has changed since the last diagnosis." in str(check(bench, url).body)
    bench.run(seconds=120)
    assert bench.target.types == ["incident.opened"]


def test_a_backup_that_has_completed_meanwhile_ends_the_incident(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    add_job(bench, "Completed", 0.01, MADE)
    shown = str(check(bench, url).body)
    assert "A backup has completed since the failure." in shown
    assert 'class="badge resolved"' in shown
    bench.run(seconds=1)
    assert bench.target.types == ["incident.opened", "incident.resolved"]
    assert 'name="token"' not in page(bench, url), "there is nothing left to check"


def test_a_backup_that_runs_is_shown_with_its_state(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    job = add_job(bench, "InProgress", -0.01, MADE)
    shown = str(check(bench, url).body)
    assert re.search(rf"Newest backup job: <code>{job} Backup InProgress", shown)


def test_after_the_end_nothing_is_read(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, watched=True, **PUBLIC)
    url = opened(bench)
    form = {"token": token(bench, url)}
    recover(bench)
    before = reads(bench)
    assert "This incident is resolved already." in str(check(bench, url, form).body)
    assert reads(bench) == before


def test_a_flood_of_checks_costs_one_set_of_reads_a_minute(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, storage=MemoryStorage(), **PUBLIC)
    url = opened(bench)
    form = {"token": token(bench, url)}
    assert check(bench, url, form).status == 200
    before = reads(bench)
    answers = [check(bench, url, form) for _ in range(1_000)]
    assert {shown.status for shown in answers} == {429}
    assert 1 <= int(answers[0].headers["Retry-After"]) <= 60
    assert reads(bench) == before
    bench.run(seconds=61)
    assert check(bench, url, form).status == 200


def test_of_many_who_check_at_once_one_may(own_azurite: str) -> None:
    incidents, now = Incidents(emptied(Storage({"AzureWebJobsStorage": own_azurite}))), datetime.now(UTC)
    for at in (now, now + 2 * CHECK_EVERY):  # the first note, and one that takes an older one's place
        with ThreadPoolExecutor(8) as pool:
            waits = list(pool.map(lambda _, at=at: incidents.begin_check("a" * 32, at), range(16)))
        assert waits.count(0) == 1
        assert all(0 <= wait <= 60 for wait in waits)
    incidents.delete_checks(now + timedelta(days=1))
    assert incidents.begin_check("a" * 32, now) == 0


def test_no_check_is_made_when_the_read_budget_is_spent(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    bench.tools.azure.budget.told(world_of(bench, MADE).subscription, 60)
    before = reads(bench)
    shown = check(bench, url)
    assert (shown.status, shown.headers["Retry-After"]) == (429, "60")
    assert reads(bench) == before


def test_a_form_from_elsewhere_checks_nothing(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    good = token(bench, url)
    until, _, signed = good.partition(".")
    before = reads(bench)
    for form in (
        {},
        {"token": ""},
        {"token": good[:-1]},
        {"token": f"{int(until) + 1}.{signed}"},
        {"token": url.rpartition("sig=")[2]},
    ):
        assert check(bench, url, form).status == 403
    assert check(bench, url.replace("sig=", "sig=A"), {"token": good}).status == 404
    bench.clock.ahead += 2 * FORM_FOR
    assert check(bench, url, {"token": good}).status == 403
    assert reads(bench) == before
