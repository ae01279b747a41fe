"""A runbook in the markup of each ticketing system.

Every markup walks one tree (tree.py): what comes from outside stands in code spans and code blocks there, and stays as inert in each markup.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from handlers.tickets.engine.markups import adf, card, gfm, html, markdown, mrkdwn, plain, textile, wiki


def size(shown: Any) -> int:
    """Characters of a text; of anything else the UTF-8 bytes of its compact JSON."""
    return len(shown) if isinstance(shown, str) else size_in_bytes(shown)


def size_in_bytes(shown: Any) -> int:
    """UTF-8 bytes of a text, or of the compact JSON of anything else."""
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode(errors="replace"))


class Markup(Struct, frozen=True):
    """`render` takes a runbook's Markdown and gives a text, or what becomes JSON; `size` is what a system's limit counts."""

    render: Callable[[str], Any]
    size: Callable[[Any], int] = size


NO_MARKUP = "none"
"""In the place of a markup's name: the system takes the event itself, not its page."""

MARKUPS: dict[str, Markup] = {
    "gfm": Markup(gfm.render),
    "markdown": Markup(markdown.render),
    "html": Markup(html.render),
    "html_monospace": Markup(html.render_monospace, size_in_bytes),
    "adf": Markup(adf.render),
    "textile": Markup(textile.render),
    "wiki": Markup(wiki.render),
    "mrkdwn": Markup(mrkdwn.render),
    "card": Markup(card.render),
    "plain": Markup(plain.render),
}
