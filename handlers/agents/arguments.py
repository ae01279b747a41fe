"""The arguments of a call, checked against the tool's input schema. The few words of JSON Schema that the tools use are known here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from handlers.cli.outcome import USAGE, NotDone

type Schema = Mapping[str, Any]
KINDS: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list}
"""An argument that is not given has its default, else the empty value of its kind."""


def checked(arguments: Mapping[str, Any], properties: Mapping[str, Schema], needs: Collection[str]) -> dict[str, Any]:
    """All arguments; `needs`: those that must be given. Raises NotDone."""
    if unknown := sorted(set(arguments) - set(properties)):
        raise NotDone(f"unknown argument {unknown[0]!r}; there are: {', '.join(properties) or 'none'}", USAGE)
    given = {name: value for name, value in arguments.items() if value not in (None, "")}
    for name, value in given.items():
        if wrong := wrong_with(value, properties[name]):
            raise NotDone(f"{name} {wrong}", USAGE)
    if missing := [name for name in needs if name not in given]:
        raise NotDone(f"{missing[0]} is required", USAGE)
    return {name: schema.get("default", KINDS[schema["type"]]()) for name, schema in properties.items()} | given


def wrong_with(value: Any, schema: Schema) -> str:
    """What is wrong with a value; empty when nothing is."""
    kind = KINDS[schema["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return f"must be of type {schema['type']}"
    if value not in schema.get("enum", (value,)):
        return f"must be one of: {', '.join(schema['enum'])}"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"must be from {schema['minimum']} to {schema['maximum']}"
    if isinstance(value, str | list) and len(value) > (most := schema.get("maxLength", schema.get("maxItems", len(value)))):
        return f"must not be longer than {most}"
    if isinstance(value, list):
        return next((f"holds something that {wrong}" for part in value if (wrong := wrong_with(part, schema["items"]))), "")
    return ""
