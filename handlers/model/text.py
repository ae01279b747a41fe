"""Text from outside on its way to a person: what controls, hides or reorders characters is taken out."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-_])")


def visible(text: str) -> str:
    """`text` without ANSI sequences and without characters that control, hide, reorder or are half of one; newlines stay."""
    characters = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c if c == "\n" or c.isprintable() else " " if c.isspace() else "" for c in characters)


def one_line(text: object, limit: int = 300) -> str:
    """`text` on one line, cut to `limit` characters."""
    line = " ".join(visible(str(text)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
