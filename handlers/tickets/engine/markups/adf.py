"""Atlassian Document Format, the JSON that Jira Cloud takes. https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/

Text nodes are never parsed, so what is in them stays inert. Code goes together with a link only, and a list item holds paragraphs, lists
and code blocks only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handlers.tickets.engine.markups.tree import Run, code, items, level, parse, rows, runs, start

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

NARROW = {"paragraph", "bulletList", "orderedList", "codeBlock"}
"""What may stand in a list item or a quote."""


def render(markdown: str) -> dict[str, Any]:
    return {"version": 1, "type": "doc", "content": [_block(node) for node in parse(markdown)]}


def _block(node: Node) -> dict[str, Any]:
    match node.type:
        case "heading":
            return {"type": "heading", "attrs": {"level": level(node)}, "content": _inline(runs(node))}
        case "fence" | "code_block":
            return _code(*code(node))
        case "bullet_list":
            return {"type": "bulletList", "content": _items(node)}
        case "ordered_list":
            return {"type": "orderedList", "attrs": {"order": start(node)}, "content": _items(node)}
        case "blockquote":
            return {"type": "blockquote", "content": _narrow(node.children)}
        case "table":
            return {"type": "table", "content": [_row(row, first=not index) for index, row in enumerate(rows(node))]}
        case "hr":
            return {"type": "rule"}
        case _:
            return _paragraph(runs(node))


def _code(language: str, text: str) -> dict[str, Any]:
    return {"type": "codeBlock", "attrs": {"language": language}, "content": [{"type": "text", "text": text}] if text else []}


def _items(node: Node) -> list[dict[str, Any]]:
    return [{"type": "listItem", "content": _narrow(children)} for _, children in items(node)]


def _narrow(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Blocks for where not every block may stand: a heading becomes a paragraph, a quote its content, a table its rows."""
    shown: list[dict[str, Any]] = []
    for node in nodes:
        block = _block(node)
        if block["type"] in NARROW:
            shown.append(block)
        elif node.type == "blockquote":
            shown += _narrow(node.children)
        elif node.type == "table":
            shown += [_paragraph([run for cell in row for run in (*cell, Run(" "))]) for row in rows(node)]
        elif node.type == "heading":
            shown.append(_paragraph(runs(node)))
    return shown or [_paragraph([])]


def _row(cells: Sequence[Sequence[Run]], first: bool) -> dict[str, Any]:
    kind = "tableHeader" if first else "tableCell"
    return {"type": "tableRow", "content": [{"type": kind, "content": [_paragraph(cell)]} for cell in cells]}


def _paragraph(text: Sequence[Run]) -> dict[str, Any]:
    return {"type": "paragraph", "content": _inline(text)}


def _inline(text: Sequence[Run]) -> list[dict[str, Any]]:
    return [_text(run) for run in text]


def _text(run: Run) -> dict[str, Any]:
    if run.text == "\n":
        return {"type": "hardBreak"}
    marks: list[dict[str, Any]] = [{"type": "link", "attrs": {"href": run.url}}] if run.url else []
    looks = [("code", run.code), ("strong", run.strong and not run.code), ("em", run.em and not run.code)]
    marks += [{"type": name} for name, wanted in looks if wanted]
    return {"type": "text", "text": run.text} | ({"marks": marks} if marks else {})
