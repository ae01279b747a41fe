"""The body of an Adaptive Card, for Microsoft Teams. https://adaptivecards.io/explorer/RichTextBlock.html

A TextBlock reads Markdown, a TextRun does not: everything but headings of plain words is made of TextRuns, so that what is in them stays
inert. Both read {{DATE(…)}} and {{TIME(…)}}: these are broken up. https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from handlers.tickets.engine.markups.tree import GAP, Run, code, items, level, parse, rows, runs

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

PLAIN_WORDS = re.compile(r"[^\W\d_][\w ,.:;'’()-]*")
SIZES = {1: "ExtraLarge", 2: "Large"}
INSET = "\u2003"


def render(markdown: str) -> list[dict[str, Any]]:
    return list(_blocks(parse(markdown)))


def _blocks(nodes: Sequence[Node], depth: int = 0) -> Iterator[dict[str, Any]]:
    for node in nodes:
        match node.type:
            case "heading":
                yield _heading(level(node), runs(node))
            case "fence" | "code_block":
                yield _code(code(node)[1])
            case "bullet_list" | "ordered_list":
                yield from _list(node, depth)
            case "blockquote":
                yield {"type": "Container", "items": list(_blocks(node.children, depth))}
            case "table":
                yield from (_rich([run for cell in row for run in (*cell, Run(INSET))]) for row in rows(node))
            case "hr":
                yield {"type": "Container", "items": [], "separator": True}
            case _:
                yield _rich(runs(node))


def _heading(depth: int, text: Sequence[Run]) -> dict[str, Any]:
    look: dict[str, Any] = {"size": SIZES.get(depth, "Medium"), "weight": "Bolder"}
    space = {"spacing": "Large"} if depth > 1 else {}
    words = "".join(run.text for run in text)
    if all(run == Run(run.text) for run in text) and PLAIN_WORDS.fullmatch(words):
        return {"type": "TextBlock", "text": words, "style": "heading", "wrap": True, **look, **space}
    return {**_rich(text, look), **space}


def _list(node: Node, depth: int) -> Iterator[dict[str, Any]]:
    """A step of several blocks is one Container, so that its commands stay with it. Cards have no lists: marks are text."""
    bullet = "•◦▪"[min(depth, 2)]
    for mark, (first, *rest) in ((mark, children) for mark, children in items(node) if children):
        leads = first.type == "paragraph"
        head = _rich([Run(f"{INSET * depth}{mark or bullet} ", strong=bool(mark)), *(runs(first) if leads else [])])
        body = [head, *_blocks(rest if leads else [first, *rest], depth + 1)]
        if mark and len(body) > 1:
            yield {"type": "Container", "items": body}
        else:
            yield head | ({} if mark else {"spacing": "Small"})
            yield from body[1:]


def _code(text: str) -> dict[str, Any]:
    return {"type": "Container", "style": "emphasis", "items": [_rich([Run(text or " ", code=True)])]}


def _rich(text: Sequence[Run], look: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [_run(run, look or {}) for run in text] or [" "]}


def _run(run: Run, look: dict[str, Any]) -> str | dict[str, Any]:
    """A TextRun; one without a look may be just its text."""
    text = re.sub(r"\{\{(?=(DATE|TIME)\()", "{" + GAP + "{", run.text, flags=re.IGNORECASE)
    looks = look | {
        **({"fontType": "Monospace"} if run.code else {}),
        **({"weight": "Bolder"} if run.strong else {}),
        **({"italic": True} if run.em else {}),
        **({"selectAction": {"type": "Action.OpenUrl", "url": run.url}} if run.url else {}),
    }
    return {"type": "TextRun", "text": text, **looks} if looks else text
