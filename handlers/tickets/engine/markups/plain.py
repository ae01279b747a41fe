"""Plain text that reads well in a mail or a work note. https://www.rfc-editor.org/rfc/rfc3676

A code span loses its marks; one of several words is quoted. ServiceNow reads HTML between [code] tags: they are broken up. What shows plain text
makes links of addresses: one that somebody else wrote is broken up, but not in a command, which must be copied as it is.
https://www.servicenow.com/docs/bundle/latest/page/administer/field-administration/concept/c_JournalFields.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from handlers.tickets.engine.markups.tree import GAP, Run, code, hanging, is_tight, items, level, marked, parse, rows, runs

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

SHELLS = ("bash", "powershell")
ADDRESS = re.compile(r"\b(?:\w+:(?=//)|www(?=\.)|mailto(?=:)|[\w.+-]+(?=@\w))", re.IGNORECASE)
UNDERLINES = {1: "=", 2: "-"}


def render(markdown: str) -> str:
    return re.sub(r"\[(?=/?code\])", f"[{GAP}", _blocks(parse(markdown)), flags=re.IGNORECASE) + "\n"


def _blocks(nodes: Sequence[Node], between: str = "\n\n") -> str:
    return between.join(filter(None, map(_block, nodes)))


def _block(node: Node) -> str:
    match node.type:
        case "heading":
            return _heading(level(node), _inline(runs(node)))
        case "fence" | "code_block":
            return indent(_code(*code(node)), "    ")
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return indent(_blocks(node.children), "> ", lambda line: True)
        case "table":
            return "\n".join(" | ".join(map(_inline, row)) for row in rows(node))
        case "hr":
            return "-" * 40
        case _:
            return _inline(runs(node))


def _code(language: str, text: str) -> str:
    return text if language in SHELLS else _without_address(text)


def _without_address(text: str) -> str:
    return ADDRESS.sub(lambda start: start[0] + GAP, text)


def _heading(depth: int, text: str) -> str:
    return f"{text}\n{UNDERLINES.get(depth, '·') * min(len(text), 72)}"


def _list(node: Node) -> str:
    between = "\n" if is_tight(node) else "\n\n"
    return between.join(hanging(f"{mark or '-'} ", _blocks(children, between)) for mark, children in items(node))


def _inline(text: Sequence[Run]) -> str:
    return marked(text, _leaf, em="“{}”".format, link=_link)


def _leaf(run: Run) -> str:
    text = run.text if run.url else _without_address(run.text)
    return f"“{text}”" if run.code and " " in text else text


def _link(text: str, url: str) -> str:
    return url if text == url else f"{text}: {url}"
