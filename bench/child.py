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
    from handlers.triage import handle
    from handlers.wiring import tools

    handle(body, tools())
    first = usage()
    return {**first, "walls": timed(lambda: handle(body, tools()), rounds)}


def timed(act: Any, rounds: int) -> list[float]:
    walls = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        walls.append(time.perf_counter() - started)
    return walls


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
