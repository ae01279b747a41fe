"""Where code begins and ends in a page. https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""

from __future__ import annotations

import re

MARK = re.compile(r"(\s*)(`{3,}(?=[^`]*$)|~{3,})(.*)")


def fence_after(line: str, fence: str) -> str:
    """The fence, as far set in as its code, that is open after a line; empty outside code. `fence` is the one open before it.

    A fence is closed by one of the same character that is at least as long and has nothing after it.
    """
    mark = MARK.fullmatch(line)
    if not mark:
        return fence
    indent, run, rest = mark.groups()
    if not fence:
        return indent + run
    return "" if run.startswith(fence.lstrip()) and not rest.strip() else fence


def split_outside_code(page: str, separator: str) -> list[str]:
    """A page cut at its line ends, or at its empty lines, but at none that stands in fenced code."""
    parts: list[str] = []
    fence = ""
    for part in page.split(separator):
        if fence:
            parts[-1] += separator + part
        else:
            parts.append(part)
        for line in part.split("\n"):
            fence = fence_after(line, fence)
    return parts
