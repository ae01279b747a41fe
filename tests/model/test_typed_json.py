"""JSON into classes while several threads need the same class for the first time, as after a cold start in a storm."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from handlers.model.typed_json import WrongShape, from_builtins, from_json, to_builtins, to_json

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    name: str = ""


def test_a_value_comes_back_as_it_was() -> None:
    assert from_json(to_json(Point(1, "a")), Point) == Point(1, "a")
    assert from_builtins(to_builtins(Point(1, "a")), Point) == Point(1, "a")


def test_another_shape_is_said_in_words() -> None:
    with pytest.raises(WrongShape, match=r"Expected `int`, got `str` - at `\$\.x`"):
        from_json(b'{"x": "one"}', Point)
    with pytest.raises(WrongShape, match="missing required field `x`"):
        from_builtins({}, Point)
    with pytest.raises(WrongShape):
        from_json(b"{", Point)


AT_ONCE = """
import sys, threading
from dataclasses import make_dataclass
from handlers.model.typed_json import from_json

sys.setswitchinterval(1e-6)
inner = [make_dataclass(f"Inner{n}", [(f"a{m}", int, m) for m in range(20)]) for n in range(300)]
kinds = [make_dataclass(f"Outer{n}", [(f"b{m}", kind, None) for m in range(20)]) for n, kind in enumerate(inner)]
start = threading.Barrier(8)

def read():
    for kind in kinds:
        start.wait()
        from_json(b'{"b1": {"a1": 7}}', kind)

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("all read")
"""


@pytest.mark.server
def test_threads_that_need_a_class_for_the_first_time_do_not_crash_the_process() -> None:
    shown = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=ROOT, capture_output=True, text=True)
    assert (shown.returncode, shown.stdout.strip()) == (0, "all read")
