"""A small reader of Bicep text. No Bicep compiler can be had here: this one knows declarations and literal values, and says so of the rest.

What is no literal (a name, a call, a loop, text with `${…}`) is an `Expression`: its text as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

INFRA = ROOT / "infra"
_PIECE = re.compile(r"'''.*?'''|'(?:\\.|[^'\\])*'|//[^\n]*|/\*.*?\*/", re.DOTALL)
_HEAD = re.compile(r"(targetScope|metadata|param|var|type|resource|module|output|import|using)\b\s*(\w*)")
_OPEN, _CLOSE = "([{", ")]}"


class Expression(str):
    """What is no literal."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """`kind name rest`, such as `param isPrivate bool = false`, with the decorators before it."""

    kind: str
    name: str
    text: str
    decorators: tuple[str, ...]

    @property
    def description(self) -> str:
        found = [re.fullmatch(r"@description\('(.*)'\)", decorator, re.DOTALL) for decorator in self.decorators]
        return next((match[1].replace("\\'", "'") for match in found if match), "")

    @property
    def assigned(self) -> str:
        """What stands behind its `=`; empty without one."""
        return next(iter(_parts(self.text, "=")[1:]), "").strip()

    @property
    def body(self) -> dict[str, Any]:
        """The object of a resource, module or type, whatever `if` or `for` stands before it."""
        start = self.assigned.find("{")
        loop = re.match(r"\[\s*for\b.*?:\s*(?:if \(.*?\) )?(?=\{)", self.assigned, re.DOTALL)
        text = self.assigned[loop.end() :].rstrip().removesuffix("]") if loop else self.assigned[start:]
        found = read(text.strip())
        assert isinstance(found, dict), f"no object in {self.kind} {self.name}"
        return found


def files() -> list[Path]:
    return sorted(INFRA.rglob("*.bicep"))


def text_of(name: str) -> str:
    return (INFRA / name).read_text(encoding="utf-8")


def declarations(text: str) -> list[Declaration]:
    """The declarations of a file, in its order; an import or a directive is one as well."""
    return list(_declarations(text))


def _declarations(text: str) -> Iterator[Declaration]:
    waiting: list[str] = []
    for statement in _statements(re.sub(r"^\s*#[^\n]*$", "", without_comments(text), flags=re.MULTILINE)):
        if statement.startswith("@"):
            waiting.append(statement)
            continue
        head = _HEAD.match(statement)
        assert head, f"not understood: {statement[:60]!r}"
        yield Declaration(head[1], head[2], statement, tuple(waiting))
        waiting = []


def one(text: str, kind: str, name: str) -> Declaration:
    (found,) = [each for each in declarations(text) if (each.kind, each.name) == (kind, name)]
    return found


@cache
def without_comments(text: str) -> str:
    return _PIECE.sub(lambda piece: "" if piece[0].startswith(("//", "/*")) else piece[0], text)


def read(text: str) -> Any:
    """A literal as Python has it; an Expression when it is none."""
    text = text.strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    if re.fullmatch(r"'(?:\\.|[^'\\])*'", text) and "${" not in text:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if _is_whole(text, "{") and not text.startswith("{ *"):
        return dict(_pair(part) for part in _parts(text[1:-1], "\n,") if part.strip() and not part.strip().startswith("@"))
    if _is_whole(text, "[") and not re.match(r"\[\s*for\b", text):
        return [read(part) for part in _parts(text[1:-1], "\n,") if part.strip()]
    return Expression(text)


def _pair(part: str) -> tuple[str, Any]:
    part = part.strip()
    if part.startswith("resource "):  # a resource within a resource
        name = part.split()[1]
        return f"resource {name}", read(Declaration("resource", name, part, ()).assigned)
    key, _, value = part.partition(":")
    return key.strip().strip("'"), read(value)


def _is_whole(text: str, bracket: str) -> bool:
    """Whether the text is one bracketed piece from its first character to its last."""
    if not text.startswith(bracket):
        return False
    ends = [at for at, depth in _depths(text) if depth == 0]
    return bool(ends) and ends[0] == len(text) - 1


def _statements(text: str) -> list[str]:
    lines = [part.strip() for part in _parts(text, "\n") if part.strip()]
    joined: list[str] = []
    for line in lines:
        if line.startswith(("?", ":")):
            joined[-1] += f"\n{line}"
        else:
            joined.append(line)
    return joined


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Every position outside strings, with the bracket depth behind it."""
    depth, skip_to = 0, 0
    for at, char in enumerate(text):
        if at < skip_to:
            continue
        if char == "'" and (piece := _PIECE.match(text, at)):
            skip_to = piece.end()
            continue
        depth += (char in _OPEN) - (char in _CLOSE)
        yield at, depth


def _parts(text: str, separators: str) -> list[str]:
    """The text, cut at separators outside brackets and strings. A line that begins with `?` or `:` goes on with the one before."""
    cuts = [at for at, depth in _depths(text) if depth == 0 and text[at] in separators]
    if "\n" in separators:
        cuts = [at for at in cuts if text[at] != "\n" or not text[at:].lstrip().startswith(("?", ":"))]
    if separators == "=":  # the first that is no comparison
        cuts = [at for at in cuts if "=" not in (text[at - 1 : at], text[at + 1 : at + 2]) and text[at + 1 : at + 2] != ">"][:1]
    edges = [-1, *cuts, len(text)]
    return [text[start + 1 : end] for start, end in pairwise(edges)]
