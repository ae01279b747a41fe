"""A page is small and cheap: it is opened on a phone at night, and by many at once."""

from __future__ import annotations

import time

import pytest

from tests.stories.test_backup_failed import next_failure
from tests.web.test_page import PUBLIC, BenchOf, opened, page

LARGEST_BYTES, MOST_CPU_SECONDS = 120 * 1024, 0.150


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("name", ["agent_not_ready_windows", "snapshot_task_status_linux", "unknown_code"])
def test_a_page_with_a_history_has_at_most_120_kb_and_costs_at_most_150_ms_of_cpu(
    bench_of: BenchOf, name: str, language: str
) -> None:
    bench = bench_of(name, runbook_language=language, **PUBLIC)
    url = opened(bench, name)
    for night in range(1, 4):
        bench.fire(next_failure(bench, name, hours=24 * night))
        bench.work()
    shown = page(bench, url)
    assert shown.count("<details") == 4
    assert len(shown.encode()) < LARGEST_BYTES
    costs = []
    for _ in range(3):
        began = time.thread_time()
        page(bench, url)
        costs.append(time.thread_time() - began)
    assert min(costs) < MOST_CPU_SECONDS
