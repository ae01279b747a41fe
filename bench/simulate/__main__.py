"""`make simulate`: writes the generated parts of docs/scale.md and its plots, and prints them. `--measure` counts costs anew first."""

from __future__ import annotations

import argparse
import sys
import time

from bench.simulate.measure import measure
from bench.simulate.page import parts, write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="count the costs in real runs first: some fifteen minutes")
    options = parser.parse_args()
    if options.measure:
        measure()
    began = time.process_time()
    new = parts()
    for name, text in new.items():
        print(f"\n{name}\n\n{text}", flush=True)
    write(new)
    from bench.simulate.plots import draw

    draw()
    print(f"\n{time.process_time() - began:.0f} s of processor time", file=sys.stderr)


if __name__ == "__main__":
    main()
