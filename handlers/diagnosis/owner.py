"""Whose a failed backup is: what the tags of the VM, its resource group and its vault say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.model import Reading, Unknown

TAG_FACTS = ("vm_tags", "group_tags", "vault_tags")
"""Where the owner is looked for, in this order."""


def owner_of(readings: Mapping[str, Reading], names: Sequence[str]) -> str | None:
    """The value of the first of the named tags, in any case, on the first resource that has one; None where none has."""
    for place in TAG_FACTS:
        tags = {name.lower(): value for name, value in (tags_of(readings, place) or {}).items()}
        for name in names:
            if value := tags.get(name.lower(), "").strip():
                return value
    return None


def tags_of(readings: Mapping[str, Reading], place: str) -> Mapping[str, str] | None:
    """The tags of a resource as they were read; None where they could not be read, or were not."""
    value = readings[place].value if place in readings else None
    return None if value is None or isinstance(value, Unknown) else value
