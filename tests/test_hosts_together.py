"""Tests that start function hosts go to one worker (CONTRIBUTING, "How the tests run")."""

from __future__ import annotations

import re

from tests.conftest import HOSTS, ROOT


def test_every_module_that_starts_a_function_host_is_among_those_that_stay_together() -> None:
    starts = re.compile(r"\brunning_host\(|\bsandbox: Sandbox\b|\bstarted_host\(")
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if starts.search(path.read_text(encoding="utf-8"))
    }
    assert "tests/web/test_page_in_host.py" in modules
    assert {module for module in modules if not module.startswith(HOSTS)} == set()
