"""A runbook in a system's markup, made to fit: parts are given up in order of worth, never what is confirmed and its commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from handlers.model.parts import CUTS, Part, joined
from handlers.tickets.engine.fences import split_outside_code
from handlers.tickets.engine.markups import Markup

SAID = re.compile(r"(`{3,})(text|json)\n(.*)\n\1", re.DOTALL)


def fitted(parts: Sequence[Part], markup: Markup, most: int) -> Any:
    """The page in a markup, of at most so many characters or bytes as the markup counts them."""
    for count in range(1, len(CUTS) + 1):
        page = joined(parts, CUTS[:count])
        if markup.size(rendered := markup.render(page)) <= most:
            return rendered
    return _shortened(page, markup, most)


def _shortened(page: str, markup: Markup, most: int) -> Any:
    """As many whole blocks of the page from its start as fit: the end of what is confirmed goes, its beginning stays.

    Of what somebody else said, a block of text or JSON, a part may stay; of a command never.
    """
    blocks = split_outside_code(page.strip(), "\n\n")

    def shown(kept: Sequence[str]) -> Any:
        return markup.render("\n\n".join([*kept, "…"]) + "\n")

    count = _most(len(blocks), lambda count: markup.size(shown(blocks[:count])) <= most)
    kept, left = blocks[:count], blocks[count:]
    if said := SAID.fullmatch(left[0] if left else ""):
        fence, kind, text = said.groups()
        length = _most(len(text), lambda length: markup.size(shown([*kept, f"{fence}{kind}\n{text[:length]}\n{fence}"])) <= most)
        kept = [*kept, f"{fence}{kind}\n{text[:length]}\n{fence}"] if length else kept
    return shown(kept)


def _most(last: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `last` that fits, or 0."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
