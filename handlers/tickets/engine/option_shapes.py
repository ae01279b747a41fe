"""The shape of each entry of TICKET_OPTIONS, looked at when the app starts: a wrong one is told with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

SHAPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a text or a number", lambda value: isinstance(value, str) or is_number(value)),
    "number": ("a whole number", lambda value: is_number(value) or (isinstance(value, str) and value.isdecimal())),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "list": ("a list", lambda value: isinstance(value, list)),
    "texts": ("a list of texts or numbers", lambda value: isinstance(value, list)),
    "tables": ("a list of tables, such as [{…}]", lambda value: isinstance(value, list)),
    "table": ("a table, such as {…}", lambda value: isinstance(value, Mapping)),
    "table of texts": (
        "a table of texts or numbers, such as {…}, or false",
        lambda value: isinstance(value, Mapping) or value is False,
    ),
}
INNER = {"texts": "text", "tables": "table"}
SEVERITIES = re.compile(r"Sev[0-4]")


def shape_of(default: Any) -> str:
    """The shape of an option whose file does not say one: that of its default."""
    match default:
        case bool():
            return "flag"
        case Mapping():
            return (
                "table of texts"
                if default and not any(isinstance(value, Mapping | list) for value in default.values())
                else "table"
            )
        case list():
            return "texts" if default else "list"
        case _:
            return "text"


def misshapen(name: str, value: Any, shape: str, one_of: tuple[str, ...] = (), default: Any = None) -> Iterator[str]:
    """What is wrong with a value, each with its place. None is nothing; a text that begins with `=` is an expression."""
    if value is None or (isinstance(value, str) and value.startswith("=")):
        return
    words, fits = SHAPES[shape]
    if not fits(value):
        yield f"{name} must be {words}, and is {_kind(value)}"
    elif one_of and value not in one_of:
        yield f"{name} must be one of {', '.join(one_of)}, and is {str(value)[:40]!r}"
    elif shape in INNER:
        for index, item in enumerate(value):
            yield from misshapen(f"{name}[{index}]", item, INNER[shape])
    elif shape == "table of texts" and value:
        yield from _of_a_table(name, value, default)


def _of_a_table(name: str, value: Mapping[str, Any], default: Any) -> Iterator[str]:
    by_severity = isinstance(default, Mapping) and bool(default) and all(SEVERITIES.fullmatch(key) for key in default)
    for key, item in value.items():
        if by_severity and key not in default:
            yield f"{name}.{str(key)[:40]} is none of {', '.join(default)}"
        elif item is not False:
            yield from misshapen(f"{name}.{str(key)[:40]}", item, "text")


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "a table"
