"""`python -m sandbox.azure --port 8080`: the simulated Azure alone, until Ctrl-C."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from sandbox.azure.server import PAGE_SIZE, running_azure
from sandbox.scenario import FOLDER, load_scenarios


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.azure", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--scenarios", type=Path, default=FOLDER, help="folder of scenario files")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds per call")
    parser.add_argument("--page-size", type=int, default=PAGE_SIZE, help="elements per page of a list")
    options = parser.parse_args()
    scenarios = load_scenarios(options.scenarios)
    with running_azure(scenarios, latency=options.latency, port=options.port, page_size=options.page_size) as azure:
        print(f"simulated Azure with {len(scenarios)} scenarios on {azure.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
