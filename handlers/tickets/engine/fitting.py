"""A runbook in a system's markup, made to fit: parts are given up in order of worth, never what is confirmed and its commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from handlers.model.parts import CUTS, Part, joined
from handlers.tickets.engine.fences import split_outside_code
from handlers.tickets.engine.markups import Markup

NUMBERED = re.compile(r"\d+\. ")
SAID = re.compile(r"(`{3,})(text|json)\n(.*)\n\1", re.DOTALL)


def fitted(parts: Sequence[Part], markup: Markup, most: int, rest: str = "") -> Any:
    """The page in a markup, of at most so many characters or bytes as the markup counts them; `rest` says where the whole page is."""
    for count in range(1, len(CUTS) + 1):
        page = joined(parts, CUTS[:count])
        if markup.size(rendered := markup.render(_ended(page, rest) if count > 1 else page)) <= most:
            return rendered
    return _shortened(page, markup, most, rest)


def is_cut(parts: Sequence[Part], markup: Markup, most: int) -> bool:
    """Whether the page is too long for the system."""
    return markup.size(markup.render(joined(parts, CUTS[:1]))) > most


def _ended(page: str, rest: str) -> str:
    return f"{page}\n{rest}\n" if rest else page


def _shortened(page: str, markup: Markup, most: int, rest: str) -> Any:
    """As many whole steps of the page from its start as fit: the end of what is confirmed goes, its beginning stays.

    Where not even the first step does, whole blocks. Of what somebody else said, a block of text or JSON, a part may stay; of a command never.
    """
    end = rest if rest and markup.size(markup.render(f"{rest}\n")) * 4 <= most else "…"

    def shown(kept: Sequence[str]) -> Any:
        return markup.render("\n\n".join([*kept, end]) + "\n")

    def fits(kept: Sequence[str]) -> bool:
        return markup.size(shown(kept)) <= most

    kept, left = _kept(_steps(page), fits)
    if not kept:
        kept, left = _kept(split_outside_code(page.strip(), "\n\n"), fits)
    if said := SAID.fullmatch(left[0] if left else ""):
        fence, kind, text = said.groups()
        length = _most(len(text), lambda length: fits([*kept, f"{fence}{kind}\n{text[:length]}\n{fence}"]))
        kept = [*kept, f"{fence}{kind}\n{text[:length]}\n{fence}"] if length else kept
    return shown(kept)


def _kept(pieces: Sequence[str], fits: Callable[[Sequence[str]], bool]) -> tuple[list[str], list[str]]:
    """What fits from the start, without a heading at its end, and what is left."""
    count = _most(len(pieces), lambda count: fits(pieces[:count]))
    while count and pieces[count - 1].startswith("#"):
        count -= 1
    return list(pieces[:count]), list(pieces[count:])


def _steps(page: str) -> list[str]:
    """The blocks of a page with what belongs to each: what is set in, and the commands below a line."""
    steps: list[str] = []
    for item in chain.from_iterable(map(_items, split_outside_code(page.strip(), "\n\n"))):
        if steps and (item.startswith(" ") or (item.startswith("```") and not SAID.fullmatch(item))):
            steps[-1] += f"\n\n{item}"
        else:
            steps.append(item)
    return steps


def _items(block: str) -> list[str]:
    """A block cut before each item of a numbered list in it."""
    items: list[str] = []
    for line in split_outside_code(block, "\n"):
        if items and not NUMBERED.match(line):
            items[-1] += f"\n{line}"
        else:
            items.append(line)
    return items


def _most(last: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `last` that fits, or 0."""
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
