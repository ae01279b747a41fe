"""Reading JSON from outside: every field may be missing, null or of another type, its text hostile.

A reader never raises: what is not there, or is something else, reads as empty. Text comes back fit to show: without
control characters, without characters that hide or reorder text, without half surrogates (which no UTF-8 can hold).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from handlers.model import Ignored
from handlers.model.text import visible

LONGEST_LINE = 2_000
LONGEST_MESSAGE_BYTES = 8_192
LONGEST_REASON = 300
LONGEST_NAME = 64


def value(body: object, *names: str) -> Any:
    """The first of `names` that an object has and that is not null, exactly or else in another case; else None."""
    if not isinstance(body, dict):
        return None
    for name in names:
        if body.get(name) is not None:
            return body[name]
    lower = [name.lower() for name in names]
    short_names = ((key, found) for key, found in body.items() if isinstance(key, str) and len(key) <= LONGEST_NAME)
    return next((found for key, found in short_names if key.lower() in lower), None)


def part(body: object, *path: str) -> dict[str, Any]:
    """The object at a path; an empty one when anything on the way is missing or something else."""
    for name in path:
        body = value(body, name)
    return body if isinstance(body, dict) else {}


def items(body: object, name: str) -> list[Any]:
    """What the array called `name` holds; nothing when it is no array."""
    found = value(body, name)
    return found if isinstance(found, list) else []


def objects(body: object, name: str) -> list[dict[str, Any]]:
    """The objects in the array called `name`."""
    return [found for found in items(body, name) if isinstance(found, dict)]


def text(body: object, *names: str) -> str:
    """The first of `names` that holds text or a whole number, on one line; empty when none does."""
    return next(filter(None, (line(value(body, name)) for name in names)), "")


def prose(body: object, *names: str) -> str:
    """Like `text`, for messages: lines stay, and it is cut to 8 KiB."""
    for name in names:
        found = value(body, name)
        if isinstance(found, str) and (said := visible(found[:LONGEST_MESSAGE_BYTES]).strip()):
            return said.encode()[:LONGEST_MESSAGE_BYTES].decode(errors="ignore")
    return ""


def line(found: object, longest: int = LONGEST_LINE) -> str:
    """Text or a whole number on one line; empty for anything else."""
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 10**18 else ""
    if not isinstance(found, str):
        return ""
    return " ".join(visible(found[: 2 * longest]).split())[:longest].strip()


def fold(word: str) -> str:
    """For comparing: lower case, without spaces."""
    return "".join(word.split()).lower()


def severity(found: str) -> str:
    """`Sev0` … `Sev4` from `Sev1`, `1` or `sev 1`; empty for anything else."""
    match = re.fullmatch(r"(?:sev)?([0-4])", fold(found))
    return f"Sev{match[1]}" if match else ""


def ignored(sentence: str) -> Ignored:
    """Why an alert is none of ours, fit for a log line and an answer."""
    return Ignored(line(sentence, LONGEST_REASON))


def short(name: str) -> str:
    """A name as it stands in a sentence."""
    return f"'{name:.80}'" if name else "without a name"


def joined_id(*parts: str) -> str:
    """An id made of parts, for alerts that have none of their own."""
    return "/".join(filter(None, parts))


def walk(body: object) -> Iterator[str]:
    """All text in a value, however deep, in its order."""
    waiting = [body]
    while waiting:
        match waiting.pop():
            case dict() as found:
                waiting += reversed(found.values())
            case list() as found:
                waiting += reversed(found)
            case str() as found:
                yield found
