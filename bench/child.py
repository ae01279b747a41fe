"""One measured process: does one thing, prints CPU seconds (user and system, since its start), wall seconds and peak memory as JSON.

Run by bench/__main__.py: `python -m bench.child WHAT SCENARIO`. The app is the unpacked package in the current directory.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any


def usage() -> dict[str, float]:
    found = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"cpu": found.ru_utime + found.ru_stime, "mib": pages * resource.getpagesize() / 2**20}


LONE_SECONDS = 1.5
"""Between two alerts of which each is alone."""


def main(what: str, rounds: int) -> dict[str, Any]:
    sys.path.insert(0, os.getcwd())
    body = os.environ.get("ALERT_BODY", "").encode()
    if what == "floor":
        import azure.functions  # noqa: F401

        return usage()
    if what == "index":
        import function_app

        return usage()
    if what.startswith("naive"):
        from bench import naive_app as twin

        twin.handle(body)
        first = usage()
        return {**first, "walls": timed(lambda: twin.handle(body), rounds)}
    import function_app  # noqa: F401
    from handlers.dispatch import work_on
    from handlers.wiring import storage, tools

    def forget() -> None:
        """The same failure again would be a duplicate: nothing would be done."""
        for row in storage().table().list_entities():
            storage().table().delete_entity(row["PartitionKey"], row["RowKey"])
        for name in list(storage().blobs("incidents").list_blob_names()):
            storage().blobs("incidents").delete_blob(name)

    forget()
    work_on(body, tools())
    first = usage()

    def lone() -> None:
        """Two questions to Resource Graph an alert: one alert a second would meet the limit that the app keeps (azure/read_budget.py)."""
        forget()
        time.sleep(LONE_SECONDS)

    return {**first, "walls": timed(lambda: work_on(body, tools()), rounds, lone), "storage": timed(store, rounds, forget)}


def store() -> None:
    """The storage calls that an alert makes one after the other, alone: its row, its reminder, its count, document, attempt, ticket."""
    from azure.core.exceptions import ResourceNotFoundError
    from azure.data.tables import UpdateMode

    from handlers.wiring import storage

    table, row = storage().table(), {"PartitionKey": "incident", "RowKey": "x", "text": "x" * 2000}
    copy = row | {"RowKey": "active x"}
    try:
        table.get_entity("incident", "x")
    except ResourceNotFoundError:
        pass
    sent = storage().queue().send_message(b"x" * 500, visibility_timeout=60)
    table.submit_transaction([("create", row), ("upsert", copy, {"mode": UpdateMode.REPLACE})])
    table.upsert_entity({"PartitionKey": "opened", "RowKey": "x"})
    list(table.query_entities("PartitionKey eq 'opened'"))
    storage().blobs("incidents").upload_blob("bench.json", b"x" * 60_000, overwrite=True)
    for _ in range(2):
        table.submit_transaction([("update", row, {"mode": UpdateMode.REPLACE}), ("upsert", copy, {"mode": UpdateMode.REPLACE})])
    storage().queue().delete_message(sent.id, sent.pop_receipt)


def timed(act: Any, rounds: int, before: Any = lambda: None) -> list[float]:
    walls = []
    for _ in range(rounds):
        before()
        started = time.perf_counter()
        act()
        walls.append(time.perf_counter() - started)
    return walls


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
