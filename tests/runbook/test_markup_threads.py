"""Runbooks that are turned into HTML at once by the threads of a process that has just started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
AT_ONCE = """
import sys, threading
import markdown_it, nh3
from handlers.runbook.markup import to_html

sys.setswitchinterval(1e-6)
start, pages = threading.Barrier(8), set()

def render():
    start.wait()
    pages.add(to_html("[a link](https://example.com/%20) and `code`"))

threads = [threading.Thread(target=render) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(pages) == 1 and "href" in pages.pop(), pages
"""


@pytest.mark.server
@pytest.mark.parametrize("time", range(5))
def test_the_first_pages_are_whole(time: int) -> None:
    shown = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=ROOT, capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "")
