"""The parts of a page, so that it can be shortened in order of worth for a system that takes less."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from msgspec import Struct

START, END = "\x02", "\x03"
"""Around the kind of a part in a rendered page; what comes from outside never holds them (handlers/markup.py)."""
PAGE = "page"
"""The kind of what only the whole page has; a ticket never has it."""
CUTS = (PAGE, "ruled_out", "unknown", "details", "facts", "members", "message", "changes", "other_shell", "possible", "verify")
"""In which order kinds are given up. What is confirmed never is."""


class Part(Struct, frozen=True):
    """A stretch of a page. It is left out when one of its kinds is given up; one of a kind `!x` is there only then."""

    text: str
    kinds: tuple[str, ...] = ()

    def stays(self, without: Collection[str]) -> bool:
        return all((kind[1:] in without) if kind.startswith("!") else (kind not in without) for kind in self.kinds)


def mark(kind: str) -> str:
    """Where a part of that kind begins; of no kind: where the last one that began ends."""
    return f"{START}{kind or '/'}{END}"


def parts_of(marked: str) -> tuple[Part, ...]:
    """The parts of a page with marks; they may be nested."""
    found: list[Part] = []
    open_kinds: list[str] = []
    for index, piece in enumerate(re.split(f"{START}([^{END}]*){END}", marked)):
        if index % 2 == 0:
            if piece:
                found.append(Part(piece, tuple(open_kinds)))
        elif piece != "/":
            open_kinds.append(piece)
        elif open_kinds:
            open_kinds.pop()
    return tuple(found)


def ticket_text(parts: Sequence[Part]) -> str:
    """The page as a ticket has it."""
    return joined(parts, (PAGE,))


def joined(parts: Sequence[Part], without: Collection[str] = ()) -> str:
    """The page without some kinds: no trailing blanks, no more than one empty line in a row."""
    lines: list[str] = []
    for line in "".join(part.text for part in parts if part.stays(without)).split("\n"):
        line = line.rstrip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"
