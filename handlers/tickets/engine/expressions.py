"""Expressions in a target's file: a text that begins with `=` is evaluated, in a path `{…}` is. Everything else is taken as it is.

They are Jinja expressions (https://jinja.palletsprojects.com/en/stable/templates/#expressions) in its sandbox: their values go into
JSON as values, into a path percent-encoded. Nothing is ever pasted into text.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from handlers.tickets.engine.chunks import chunks
from handlers.tickets.engine.marks import seal_of

Names = Mapping[str, Any]


class BadExpression(ValueError):
    """An expression that cannot be read or evaluated; the text holds it."""


def evaluated(value: Any, names: Names) -> Any:
    """A value of a target's file with its expressions evaluated, through lists and tables. A table's entry that is None is left out.

    The key `+` of a table holds further entries: an expression whose value is a mapping.
    """
    if isinstance(value, str):
        return _value_of(value[1:], names) if value.startswith("=") else value
    if isinstance(value, list):
        return [evaluated(item, names) for item in value]
    if isinstance(value, dict):
        found = {key: evaluated(item, names) for key, item in value.items() if key != "+"}
        if "+" in value:
            found |= _entries(evaluated(value["+"], names))
        return {key: item for key, item in found.items() if item is not None}
    return value


def _entries(more: Any) -> Mapping[str, Any]:
    if not isinstance(more, Mapping | None):
        raise BadExpression(f"the key + holds {type(more).__name__}, not a mapping")
    return more or {}


def filled(path: str, names: Names) -> str:
    """A path with each `{expression}` filled in, percent-encoded; `{expression | slashes}` keeps its slashes."""
    return re.sub(r"\{([^{}]+)\}", lambda match: _encoded(_value_of(match[1], names)), path)


def holds(condition: str, names: Names) -> bool:
    return bool(evaluated(condition, names))


def expressions_in(value: Any, *, is_path: bool = False) -> list[str]:
    """Every expression in a value of a file: to see that each can be read."""
    if isinstance(value, str):
        return [value[1:]] if value.startswith("=") else re.findall(r"\{([^{}]+)\}", value) if is_path else []
    if isinstance(value, list):
        return [found for item in value for found in expressions_in(item)]
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in expressions_in(item, is_path=key == "path")]
    return []


@cache
def compiled(expression: str) -> Callable[..., Any]:
    """Raises BadExpression."""
    try:
        return _environment().compile_expression(expression.strip(), undefined_to_none=True)
    except TemplateError as error:
        raise BadExpression(f"{expression.strip()[:100]!r}: {error}") from None


def _value_of(expression: str, names: Names) -> Any:
    try:
        value = compiled(expression)(**names)
        return list(value) if isinstance(value, Iterator) else value
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        raise BadExpression(f"{expression.strip()[:100]!r} asks for what is not there, or is of another kind") from None


class _WithSlashes(str):
    __slots__ = ()


def _encoded(value: Any) -> str:
    if value is None or str(value) in ("", ".", ".."):
        raise BadExpression("a part of a path is empty or leads elsewhere")
    return quote(str(value), safe="/" if isinstance(value, _WithSlashes) else "", errors="replace")


@cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(autoescape=False)
    environment.filters["slashes"] = lambda value: _WithSlashes(value)
    environment.filters["cut"] = lambda text, most: text if len(text) <= most else text[: most - 1] + "…"
    environment.filters["base64"] = lambda text: b64encode(text.encode(errors="replace")).decode()
    environment.filters["seal"] = seal_of
    environment.filters["compact"] = lambda mapping: {key: item for key, item in mapping.items() if item is not None}
    environment.filters["chunks"] = chunks
    environment.filters["each"] = lambda items, name, **more: [{**more, name: item} for item in items]
    return environment
