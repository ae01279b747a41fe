"""Markdown of before CommonMark, for Redmine's "Markdown" (Redcarpet) and for what a team's own system may read with (Python-Markdown, mistune).

What these read differently is not used: code never stands in a list item (Redcarpet loses its lines there), so a step with commands is a
paragraph with its number; a mark in a text is an HTML entity where not all of them let a backslash stand before it; a table is a list.
https://github.com/vmg/redcarpet  https://python-markdown.github.io/#differences  https://mistune.lepture.com
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from handlers.runbook.markup import code_span
from handlers.tickets.engine.markups.gfm import ACTIVE, language_of, without_open_macro
from handlers.tickets.engine.markups.tree import GAP, Run, code, items, level, marked, parse, rows, runs, start

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

FENCE = re.compile(r"^\s*(?:``(?=`)|~~(?=~))", re.MULTILINE)
LISTS = ("bullet_list", "ordered_list")
MARKS = re.compile(r"[\\`*_\[\]]|!$|^[#+-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]", re.MULTILINE)
"""Before these a backslash may stand: the list of the first Markdown. https://daringfireball.net/projects/markdown/syntax#backslash"""
OTHERS = re.compile(r"[~^<>|=]|&(?=#?\w+;)")


def render(markdown: str) -> str:
    return _blocks(parse(markdown)) + "\n"


def _blocks(nodes: Sequence[Node]) -> str:
    return "\n\n".join(filter(None, map(_block, nodes)))


def _block(node: Node) -> str:
    match node.type:
        case "heading":
            return f"{'#' * level(node)} {_inline(runs(node))}"
        case "fence" | "code_block":
            return _code(*code(node))
        case "bullet_list" | "ordered_list":
            return "\n".join(_lines(node)) if _is_simple(node) else _flat(node)
        case "blockquote":
            return "\n\n".join(
                f"> {_inline(runs(child))}" if child.type == "paragraph" else _block(child) for child in node.children
            )
        case "table":
            return "\n".join(f"- {' · '.join(map(_inline, row))}" for row in rows(node))
        case "hr":
            return "---"
        case _:
            return _inline(runs(node))


def _code(language: str, text: str) -> str:
    """Redcarpet ends a block at any fence, whatever began it: one at the start of a line is broken up."""
    body = FENCE.sub(rf"\g<0>{GAP}", without_open_macro(text))
    return f"```{language_of(language, text)}\n{body}\n```"


def _is_simple(node: Node) -> bool:
    """Whether a list holds nothing but lines, and perhaps such lists below them; one of numbers from 1, as not all know another start."""
    kinds = [
        child.type == "paragraph" or (child.type in LISTS and _is_simple(child)) for _, item in items(node) for child in item
    ]
    return all(kinds) and (node.type == "bullet_list" or start(node) == 1)


def _lines(node: Node) -> list[str]:
    """Set in by four, which is what all readers take for a list below."""
    lines = []
    for mark, children in items(node):
        texts = [_inline(runs(child)) for child in children if child.type == "paragraph"]
        lines.append(f"{mark or '-'} {' '.join(texts)}")
        lines += [indent(line, "    ") for child in children if child.type in LISTS for line in _lines(child)]
    return lines


def _flat(node: Node) -> str:
    return "\n\n".join(f"{f'**{mark}**' if mark else '•'} {_blocks(children)}" for mark, children in items(node))


def _inline(text: Sequence[Run]) -> str:
    return marked(text, _leaf, strong="**{}**".format, em="*{}*".format, link=_link, only_between_words=True)


def _leaf(run: Run) -> str:
    if run.text == "\n":
        return "  \n"
    return code_span(run.text, len(run.text) + 1) if run.code else _escaped(ACTIVE.sub(lambda mark: mark[0] + GAP, run.text))


def _escaped(text: str) -> str:
    return OTHERS.sub(lambda mark: f"&#{ord(mark[0])};", MARKS.sub(r"\\\g<0>", text))


def _link(text: str, url: str) -> str:
    return f"[{text}]({re.sub(r'[()*_`<>]', lambda mark: f'%{ord(mark[0]):02X}', url)})"
