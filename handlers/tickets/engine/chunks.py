"""A long text in pieces, for systems that take several short ones."""

from __future__ import annotations

import re
from collections.abc import Iterable

from handlers.tickets.engine.fences import fence_after, split_outside_code


def chunks(text: str, most: int) -> list[str]:
    """Pieces of at most `most` characters, cut at an empty line, else between lines. Code that is cut is fenced in both pieces."""
    pieces = _joined((_cut_block(block, most) for block in split_outside_code(text, "\n\n")), most, "\n\n")
    return [piece for piece in pieces if piece.strip()]


def _joined(cuts: Iterable[list[str]], most: int, between: str) -> list[str]:
    """Neighbours as one piece where they fit; what had to be cut stays cut."""
    pieces: list[str] = []
    for first, *others in cuts:
        if pieces and len(longer := pieces[-1] + between + first) <= most:
            pieces[-1] = longer
        else:
            pieces.append(first)
        pieces += others
    return pieces


def _cut_block(block: str, most: int) -> list[str]:
    if len(block) <= most:
        return [block]
    return _joined((_cut_lines(lines, most) for lines in split_outside_code(block, "\n")), most, "\n")


def _cut_lines(lines: str, most: int) -> list[str]:
    """One line of text, or a whole code block. A fence that leaves no room for code is text."""
    opening, *code = lines.split("\n")
    fence = fence_after(opening, "")
    room = most - len(opening) - len(fence) - 2
    if len(lines) <= most:
        return [lines]
    if not fence or room < 1:
        return _joined((_cut_line(line, most) for line in lines.split("\n")), most, "\n")
    if code and not fence_after(code[-1], fence):
        code = code[:-1]
    return [f"{opening}\n{piece}\n{fence}" for piece in _joined((_cut_line(line, room) for line in code), room, "\n")]


def _cut_line(line: str, most: int) -> list[str]:
    """Not before a blank or a mark, where it can be: a piece would begin with a fence that is none."""
    return re.findall(rf".{{1,{most}}}(?![\s`~])|.{{1,{most}}}", line) or [""]
