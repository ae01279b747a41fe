"""A past incident can be diagnosed and rendered again from its document, for every scenario, and shows what would change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.alerts import read
from handlers.cli.replay import NotADocument, replay
from handlers.model import Alert
from sandbox.scenario import load_scenarios
from tests.conftest import ROOT
from tests.memory_storage import MemoryStorage
from tests.stories.test_backup_failed import LOCKED, alert
from tests.workbench import Bench

FAILING = [
    found.name
    for found in load_scenarios()
    if isinstance(told := read(found.alert_body(datetime.now(UTC)))[0], Alert) and told.fired
]


def document(bench: Bench) -> Any:
    blobs = bench.storage.blobs("incidents")
    (name,) = blobs.list_blob_names()
    return json.loads(blobs.download_blob(name).readall())


@pytest.mark.parametrize("name", FAILING)
def test_the_same_facts_give_the_same_page(bench_of: Callable[..., Bench], name: str) -> None:
    bench = bench_of(name, storage=MemoryStorage())
    bench.fire(alert(name))
    bench.work()
    ((changes, markdown),) = replay(document(bench))
    assert changes == ""
    assert markdown == bench.target.events[0]["data"]["runbook"]["markdown"]


def test_what_would_be_judged_otherwise_today_is_named(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    kept = document(bench)
    kept["evidence"]["readings"]["restore_point_group_locks"]["value"] = []
    ((changes, _),) = replay(kept)
    assert changes == "restore_point_group_locked: confirmed → ruled_out"


def test_the_command_prints_the_page_in_the_language_that_is_asked_for(bench_of: Callable[..., Bench], tmp_path: Path) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    file = tmp_path / "incident.json"
    file.write_text(json.dumps(document(bench)))
    shown = subprocess.run([sys.executable, "-m", "handlers", "replay", str(file), "--language", "pt-BR"], cwd=ROOT,
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert shown.stdout.startswith("# Falha no backup")
    assert shown.stderr.strip() == "verdicts: as they were"


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"failures": [{}]}'])
def test_a_file_that_is_no_document_is_named_and_not_a_traceback(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    shown = subprocess.run(
        [sys.executable, "-m", "handlers", "replay", str(file)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 2
    assert shown.stderr.startswith(f"{file}: ")
    assert "Traceback" not in shown.stderr


def test_a_document_without_failures_is_refused() -> None:
    with pytest.raises(NotADocument):
        list(replay({}))


def test_a_document_of_the_first_release_holds_all_failures_of_an_incident(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    today = document(bench)
    failure = today["evidence"] | {"runbook": {"language": "en"}}
    pages = list(replay({"version": 1, "incident": {}, "failures": [failure, failure]}))
    assert [page for _, page in pages] == [bench.target.events[0]["data"]["runbook"]["markdown"]] * 2
