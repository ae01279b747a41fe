"""Nothing grows for ever: what ended long ago is deleted once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from handlers import sweep
from handlers.records.storage import ALERT_BLOBS, INCIDENT_BLOBS
from tests.stories.test_backup_failed import LOCKED, alert
from tests.stories.test_sweep import add_job
from tests.workbench import Bench

BenchOf = Callable[..., Bench]


def blobs(bench: Bench, container: str) -> list[str]:
    return list(bench.storage.blobs(container).list_blob_names())


def test_rows_documents_and_bodies_of_what_ended_long_ago_are_deleted(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    for container in (ALERT_BLOBS, INCIDENT_BLOBS):
        for name in blobs(bench, container):
            bench.storage.blobs(container).delete_blob(name)
    bench.fire(alert() | {"filling": "x" * 60_000})
    bench.queue.keep_unposted(b'{"kept": 1}', "400")
    bench.work()
    add_job(bench, "Completed", 1)
    bench.clock.ahead = timedelta(hours=2)
    bench.target.answers = []
    sweep.sweep(bench.tools)
    assert len(blobs(bench, INCIDENT_BLOBS)) == 3, "a failure, its end, and the plain ticket of what was kept"
    assert len(blobs(bench, ALERT_BLOBS)) == 2
    bench.queue.keep_unposted(b'{"kept": 1}', "400")
    bench.clock.ahead = timedelta(days=92)
    bench.tools.queue.unposted = lambda: iter(())  # type: ignore[method-assign]
    sweep.sweep(bench.tools)
    assert {row["PartitionKey"] for row in bench.storage.table().list_entities()} == {"sweep"}
    assert blobs(bench, INCIDENT_BLOBS) == []
    assert [name.partition("/")[0] for name in blobs(bench, ALERT_BLOBS)] == ["unposted"], "what nobody took is never forgotten"


def test_an_open_incident_and_its_document_stay(bench_of: BenchOf) -> None:
    bench = bench_of(LOCKED)
    bench.fire(alert())
    bench.work()
    (incident,) = bench.open_incidents
    bench.clock.ahead = timedelta(days=92)
    sweep.sweep(bench.tools)
    assert bench.tools.documents.read(incident.id, 1) is not None
