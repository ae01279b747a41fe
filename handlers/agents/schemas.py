"""The JSON Schemas of what the tools take and give."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from handlers.settings import LANGUAGES

type Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
TIME_OR_NULL = TEXT_OR_NULL
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}


def record(**properties: Any) -> Schema:
    """An object with all of these, and nothing else."""
    return {"type": "object", "required": list(properties), "additionalProperties": False, "properties": properties}


def list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def output(**properties: Any) -> Schema:
    """What a tool gives: its own properties beside the mark of what is untrusted."""
    return record(untrusted=record(notice=TEXT, fields=TEXTS), **properties)


@cache
def event() -> Schema:
    """The ticket event: a copy of docs/ticket-event.schema.json (`make docs` writes it), without the words for people."""
    text = (Path(__file__).parent / "ticket-event.schema.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def with_event(**properties: Any) -> Schema:
    """An output that holds the event as `event`, null when there is none; its definitions stand at the root, where references look."""
    shape = {key: value for key, value in event().items() if key not in ("$schema", "$defs", "title", "description")}
    return output(event=or_null(shape), **properties) | {"$defs": event()["$defs"]}


# ------------------------------------------------------------------------------------------------ arguments

LANGUAGE: Schema = {
    "type": "string", "enum": [*LANGUAGES], "description": "Of titles and steps; else the deployment's."
}  # fmt: skip
BACKUP: Mapping[str, Schema] = {
    "vm_id": {"type": "string", "maxLength": 2000, "description": "Resource id of a VM: its newest failed backup of 48 hours."},
    "item_id": {"type": "string", "maxLength": 2000, "description": "Resource id of a protected item: likewise."},
    "job_id": {"type": "string", "maxLength": 200, "description": "A backup job's id, from list_failed_backups; needs vault_id."},
    "vault_id": {"type": "string", "maxLength": 2000, "description": "Resource id of the Recovery Services vault."},
}  # fmt: skip


def limit(default: int, most: int) -> Schema:
    return {
        "type": "integer",
        "minimum": 1,
        "maximum": most,
        "default": default,
        "description": "How many at most, newest first.",
    }


def taken(properties: Mapping[str, Schema], needs: Sequence[str]) -> Schema:
    """What a tool takes."""
    return {"type": "object", "properties": dict(properties), "required": list(needs), "additionalProperties": False}
