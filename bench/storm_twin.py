"""The naive twin in the storm, as one measured process: alert bodies come in, one JSON a line; CPU seconds an alert go out as JSON.

The first alert is not counted: it pays for clients and models that the others find warm. Run by bench/storm.py.
"""

from __future__ import annotations

import json
import sys

from bench.child import usage


def main(bodies: list[bytes]) -> dict[str, float]:
    from bench import naive_app as twin

    twin.handle(bodies[0])
    before = usage()["cpu"]
    for body in bodies[1:]:
        twin.handle(body)
    found = usage()
    return {"cpu": (found["cpu"] - before) / max(1, len(bodies) - 1), "mib": found["mib"]}


if __name__ == "__main__":
    print(json.dumps(main(sys.stdin.buffer.read().splitlines())))
