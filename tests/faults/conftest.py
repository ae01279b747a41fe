"""Prints the table of the faults that ran."""

from __future__ import annotations

import pytest

from bench.faults.audit import Figures, table

FIGURES = pytest.StashKey[list[Figures]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if rows := config.stash.get(FIGURES, []):
        terminalreporter.section("faults")
        terminalreporter.write_line(table(rows))
