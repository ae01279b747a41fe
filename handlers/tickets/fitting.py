"""A runbook in a system's markup, made to fit: parts are given up in order of worth, never what is confirmed and its commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.model.parts import CUTS, Part, joined
from handlers.tickets.markups import Markup


def fitted(parts: Sequence[Part], markup: Markup, most: int) -> Any:
    """The page in a markup, of at most so many characters or bytes as the markup counts them."""
    given_up: list[str] = []
    for kind in (None, *CUTS):
        given_up += [kind] if kind else []
        page = joined(parts, given_up)
        if markup.size(rendered := markup.render(page)) <= most:
            return rendered
    return _shortened(page, markup, most)


def _shortened(page: str, markup: Markup, most: int) -> Any:
    """As many whole blocks of the page from its start as fit: the end of what is confirmed goes, its beginning stays."""
    blocks = _blocks(page)
    low, high = 0, len(blocks)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if markup.size(_first(blocks, middle, markup)) <= most else (low, middle - 1)
    return _first(blocks, low, markup)


def _first(blocks: Sequence[str], count: int, markup: Markup) -> Any:
    return markup.render("\n\n".join([*blocks[:count], "…"]) + "\n")


def _blocks(page: str) -> list[str]:
    """A page at its empty lines, but for those in fenced code."""
    blocks: list[str] = []
    fenced = False
    for block in page.strip().split("\n\n"):
        blocks = [*blocks[:-1], f"{blocks[-1]}\n\n{block}"] if fenced else [*blocks, block]
        fences = sum(line.strip().startswith("```") for line in block.split("\n"))
        fenced ^= bool(fences % 2)
    return blocks
