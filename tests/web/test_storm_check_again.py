"""Check again on a storm's page: one VM is read at once, the others in the background, and the ticket follows."""

from __future__ import annotations

import re

from handlers.azure.shared_reads import Shared
from tests.stories.test_many_failed import THRESHOLD, alike, fire, recover, storm_of, storms
from tests.web.test_check_again import check, reads, token
from tests.web.test_page import PUBLIC, BenchOf, page
from tests.workbench import Bench

EIGHT = THRESHOLD + 3


def opened(bench_of: BenchOf, **more: object) -> tuple[Bench, str]:
    """A storm of eight whose members have all been diagnosed, and the link to its page."""
    bench, failing = storm_of(bench_of, EIGHT, **PUBLIC, **more)
    fire(bench, failing)
    bench.run(seconds=400)
    assert "of 8 of 8" not in page(bench, url_of(bench))
    return bench, url_of(bench)


def url_of(bench: Bench) -> str:
    return str(storms(bench)[0]["data"]["storm"]["url"])


def unlock_all(bench: Bench) -> None:
    """Somebody removes every lock."""
    for world in bench.azure.azure.worlds.values():
        for resource_id in [found for found in world.resources if "/locks/" in found.lower()]:
            del world.resources[resource_id]
    bench.tools.azure.shared = Shared()  # minutes later: no list is kept any more


def test_what_is_different_of_one_vm_is_shown_at_once_and_the_storms_ticket_follows(bench_of: BenchOf) -> None:
    bench, url = opened(bench_of)
    before = len(storms(bench))
    unlock_all(bench)
    shown = " ".join(str(check(bench, url).body).split())
    assert re.search(r"vm-0\d was read now, as an example\.", shown)
    assert re.search(r"<strong>A lock prevents[^<]*</strong>: Confirmed → Ruled out", shown)
    bench.run(seconds=600)
    assert len(storms(bench)) > before
    members = storms(bench)[-1]["data"]["storm"]["members"]
    still = [member["name"] for member in members if member["cause"] == "restore_point_group_locked" and not member["ticket_url"]]
    assert still == [], "all were read again but those that have tickets, and pages, of their own"


def test_where_nothing_is_different_the_page_says_so_and_the_ticket_stays(bench_of: BenchOf) -> None:
    bench, url = opened(bench_of)
    before = len(storms(bench))
    assert "Nothing has changed since the last diagnosis." in str(check(bench, url).body)
    bench.run(seconds=600)
    assert len(storms(bench)) == before


def test_a_backup_of_the_example_that_has_completed_resolves_it_and_is_counted(bench_of: BenchOf) -> None:
    bench, url = opened(bench_of)
    recover(bench, alike(EIGHT))
    shown = " ".join(str(check(bench, url).body).split())
    assert "A backup of one VM has completed since the failure." in shown
    assert "<dt>Recovered</dt><dd><p>0</p> → <p>1</p>" in shown.replace("\n", "") or "<dt>Recovered</dt><dd>0 → 1</dd>" in shown
    bench.run(seconds=1)
    assert sum(incident.status == "open" for incident in bench.tools.incidents.active()) == EIGHT - 1


def test_a_flood_of_checks_costs_one_set_of_reads_a_minute(bench_of: BenchOf) -> None:
    bench, url = opened(bench_of)
    form = {"token": token(bench, url)}
    assert check(bench, url, form).status == 200
    before = reads(bench)
    assert {check(bench, url, form).status for _ in range(1_000)} == {429}
    assert reads(bench) == before


def test_a_spent_read_budget_leaves_the_example_unread(bench_of: BenchOf) -> None:
    bench, url = opened(bench_of)
    for world in bench.azure.azure.worlds.values():
        bench.tools.azure.budget.told(world.subscription, 60)
    before = reads(bench)
    shown = str(check(bench, url).body)
    assert "as an example" not in shown
    assert "are read in the background" in shown
    assert reads(bench) == before
