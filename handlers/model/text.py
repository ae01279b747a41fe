"""Text from outside on its way to a person: what controls, hides or reorders characters is taken out."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-_])")


def visible(text: str) -> str:
    """`text` without ANSI sequences and without characters that control, hide, reorder or are half of one; newlines stay."""
    if text.isprintable():
        return text
    lines = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join(line if line.isprintable() else _printable(line) for line in lines)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in line)


def one_line(text: object, limit: int = 300) -> str:
    """`text` on one line, cut to `limit` characters."""
    line = " ".join(visible(str(text)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
