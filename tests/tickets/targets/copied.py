"""What a reader copies from a ticket's page, and what a posting's page holds to be copied."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from handlers.model.parts import ticket_text
from handlers.tickets.engine.markups.tree import code, parse
from tests.tickets.changes import Posting


def blocks_of(markdown: str) -> Iterator[tuple[str, str]]:
    """The language and the text of every block of code, in order."""

    def below(nodes: Any) -> Iterator[tuple[str, str]]:
        for node in nodes:
            yield from [code(node)] if node.type in ("fence", "code_block") else below(node.children)

    return below(parse(markdown))


def code_of(posting: Posting) -> list[str]:
    return [text for _, text in blocks_of(ticket_text(posting.parts))]


def commands_of(posting: Posting) -> set[str]:
    """The lines that are for a shell."""
    return {
        line
        for kind, text in blocks_of(ticket_text(posting.parts))
        if kind in ("bash", "powershell")
        for line in text.split("\n")
    }


def copied_from(shown: str) -> str:
    """The text of a piece of HTML, line ends at `br`, without an empty one at its end."""
    text = re.sub(r"<br ?/?>\n?", "\n", shown)
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\r\n", "\n").strip("\n")
