"""Somebody has fixed it and started a backup: the page shows its state, without a script too, and reads little for it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from handlers import job_asked
from handlers.azure.shared_reads import Shared
from handlers.web.access import NOT_FOUND, PageAnswer
from tests.stories.test_many_failed import THRESHOLD, fire, storm_of, storms
from tests.stories.test_surroundings import MADE, recover
from tests.stories.test_sweep import JOBS, add_job, world_of
from tests.web.test_page import PUBLIC, BenchOf, opened, page, request_of
from tests.workbench import Bench


def asked(bench: Bench, url: str, **more: Any) -> PageAnswer:
    return job_asked.answer(request_of(url, "job", **more), bench.tools.settings, lambda: bench.tools)


def shown(bench: Bench, url: str) -> str:
    answer = asked(bench, url)
    assert answer.status == 200
    return " ".join(str(answer.body).split())


def later(bench: Bench) -> None:
    """Long enough that no answer is kept any more."""
    bench.tools.azure.shared = Shared()


def test_the_page_leads_to_the_command_and_to_the_state_of_the_newest_backup(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    whole = page(bench, url)
    assert '<a class="button" href="#backup">Fixed it? Start a backup</a>' in whole
    (backup,) = re.findall(r'<div id="backup">(.*?)<section class="job"', whole, re.DOTALL)
    assert "az backup protection backup-now" in backup
    (link,) = re.findall(r'id="show-job" href="([^"]+)"', whole)
    assert link.replace("&amp;", "&") == f"{url.rpartition('/')[2].partition('?')[0]}/job?{url.partition('?')[2]}"


def test_its_state_is_told_from_none_to_running_to_completed(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    assert "No backup has started since the failure." in shown(bench, url)
    job_id = add_job(
        bench, "InProgress", 0.001, MADE, extendedInfo={"tasksList": [{"taskId": "Take Snapshot", "status": "Completed"}]}
    )
    later(bench)
    running = shown(bench, url)
    assert "A backup has been running for" in running
    assert f"<code>{job_id}</code>" in running
    assert "<li>Take Snapshot: Completed</li>" in running
    job = next(body for body in world_of(bench, MADE).of_type(JOBS) if body["name"] == job_id)
    job["properties"] |= {"status": "Completed"}
    later(bench)
    assert "A backup has completed. Select Check again" in shown(bench, url)
    job["properties"] |= {"status": "Failed"}
    later(bench)
    assert "The newest backup did not complete." in shown(bench, url)


def test_without_a_script_the_page_of_a_running_backup_reads_it_again_by_itself(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    again = '<noscript><meta http-equiv="refresh" content="30"></noscript>'
    assert again not in shown(bench, url)
    add_job(bench, "InProgress", 0.001, MADE)
    later(bench)
    assert again in shown(bench, url)


def test_the_job_that_failed_is_not_taken_for_a_new_one(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    add_job(bench, "Completed", -6, MADE)
    assert "No backup has started since the failure." in shown(bench, url)


def test_a_thousand_who_ask_at_once_cost_one_list(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    before = len(bench.azure.calls())
    assert {asked(bench, url).status for _ in range(1_000)} == {200}
    assert len(bench.azure.calls()) == before + 1


def test_opening_the_page_reads_nothing(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    before = len(bench.azure.calls())
    page(bench, url)
    assert len(bench.azure.calls()) == before


def test_nothing_is_read_when_the_read_budget_is_spent(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    bench.tools.azure.budget.told(world_of(bench, MADE).subscription, 60)
    before = len(bench.azure.calls())
    answer = asked(bench, url)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert len(bench.azure.calls()) == before


def test_jobs_that_may_not_be_read_are_said_to_be_unread(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    bench.azure.add_fault(match="GET */backupJobs*", status=403)
    text = shown(bench, url)
    assert "jobs could not be read." in text
    assert "The app lacks permission to read this." in text


def test_after_the_end_nothing_is_read_and_the_page_offers_no_backup(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, watched=True, **PUBLIC)
    url = opened(bench)
    recover(bench)
    before = len(bench.azure.calls())
    assert "This incident is resolved already." in shown(bench, url)
    assert len(bench.azure.calls()) == before
    assert 'id="show-job"' not in page(bench, url)


def test_of_a_restore_no_backup_is_offered(bench_of: BenchOf) -> None:
    bench = bench_of("restore_size_not_available", **PUBLIC)
    assert 'id="show-job"' not in page(bench, opened(bench, "restore_size_not_available"))


def test_without_the_link_there_is_nothing_to_see(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    assert asked(bench, url.replace("sig=", "sig=A")) == NOT_FOUND
    bench.clock.ahead += timedelta(minutes=1)
    assert asked(bench, url).status == 200


def test_a_storm_has_no_backup_of_its_own(bench_of: BenchOf) -> None:
    bench, failing = storm_of(bench_of, THRESHOLD + 2, **PUBLIC)
    fire(bench, failing)
    bench.run(seconds=50)
    url = str(storms(bench)[0]["data"]["storm"]["url"])
    assert 'id="show-job"' not in page(bench, url)
    assert asked(bench, url) == NOT_FOUND
