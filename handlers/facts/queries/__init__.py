"""The queries of Log Analytics and Azure Resource Graph, one file each.

The names that a query of Log Analytics uses (`vm`, `start` …) are bound in front of it by `let`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path


def query(name: str, **values: str | datetime) -> str:
    """The query of a file, with its names given values."""
    bound = "".join(f"let {key} = {_literal(value)};\n" for key, value in values.items())
    return bound + _text(name)


def graph_query(name: str, **values: str | datetime | Sequence[str]) -> str:
    """A query of Azure Resource Graph, which knows no `let`: `{name}` in it becomes the value, of a list its values with commas."""
    return re.sub(r"\{(\w+)\}", lambda match: _listed(values[match[1]]), _text(name))


def _listed(value: str | datetime | Sequence[str]) -> str:
    return _literal(value) if isinstance(value, str | datetime) else ", ".join(map(_literal, value))


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / f"{name}.kql").read_text(encoding="utf-8")


def _literal(value: str | datetime) -> str:
    """https://learn.microsoft.com/kusto/query/scalar-data-types/string and …/datetime"""
    if isinstance(value, datetime):
        return f"datetime({value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ})"
    escaped = "".join(f"\\u{ord(c):04x}" if c in "'\"\\" or not c.isprintable() else c for c in value if ord(c) < 0x10000)
    return f"'{escaped}'"
