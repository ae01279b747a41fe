"""The queries of Log Analytics and Azure Resource Graph, one file each.

The names that a query of Log Analytics uses (`vm`, `start` …) are bound in front of it by `let`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

type Value = str | datetime | Sequence[str]


def query(name: str, **values: Value) -> str:
    """The query of a file, with its names given values. A list (`vms`) cannot be bound: `{vms}` in the text becomes its elements."""
    bound = "".join(f"let {key} = {_literal(value)};\n" for key, value in values.items() if not _is_list(value))
    return bound + graph_query(name, **{key: value for key, value in values.items() if _is_list(value)})


def graph_query(name: str, **values: Value) -> str:
    """A query of Azure Resource Graph, which knows no `let`: `{name}` in it becomes the value, of a list its values with commas."""
    return re.sub(r"\{(\w+)\}", lambda match: _literal(values[match[1]]) if match[1] in values else match[0], _text(name))


def _is_list(value: Value) -> bool:
    return not isinstance(value, str | datetime)


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / f"{name}.kql").read_text(encoding="utf-8")


def _literal(value: Value) -> str:
    """https://learn.microsoft.com/kusto/query/scalar-data-types/string and …/datetime; of a list its elements, with commas."""
    if not isinstance(value, str | datetime):
        return ", ".join(map(_literal, value))
    if isinstance(value, datetime):
        return f"datetime({value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ})"
    escaped = "".join(f"\\u{ord(c):04x}" if c in "'\"\\" or not c.isprintable() else c for c in value if ord(c) < 0x10000)
    return f"'{escaped}'"
