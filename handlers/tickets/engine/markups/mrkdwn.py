"""Slack's mrkdwn. https://docs.slack.dev/messaging/formatting-message-text

`&`, `<` and `>` are escaped everywhere, so no <!channel>, <@user> or <url> can be made. mrkdwn has no other escape: a mark in a text
becomes a look-alike. A backtick in inline code becomes one too; in a block only three in a row end it, and are kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from handlers.tickets.engine.markups.tree import GAP, Run, code, is_tight, items, level, marked, parse, rows, runs

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

BULLETS = "•◦▪"
LOOKALIKES = str.maketrans({"*": "∗", "_": "＿", "~": "∼", "`": "ˋ"})
ACTIVE = re.compile(r"[@#](?=\w)|:(?=[\w+-]+:)|^(?=&gt;)")


def render(markdown: str) -> str:
    return _blocks(parse(markdown)) + "\n"


def _blocks(nodes: Sequence[Node], depth: int = 0, between: str = "\n\n") -> str:
    return between.join(filter(None, (_block(node, depth) for node in nodes)))


def _block(node: Node, depth: int) -> str:
    match node.type:
        case "heading":
            return _heading(node)
        case "fence" | "code_block":
            return f"```\n{_escaped(re.sub('`(?=``)', f'`{GAP}', code(node)[1]))}\n```"
        case "bullet_list" | "ordered_list":
            return _list(node, depth)
        case "blockquote":
            return indent(_blocks(node.children, depth), "> ", lambda line: True)
        case "table":
            return "\n".join(" | ".join(map(_inline, row)) for row in rows(node))
        case "hr":
            return "———"
        case _:
            return _inline(runs(node))


def _heading(node: Node) -> str:
    """Bold; a heading of a section's part is slanted too. There are no others."""
    text = _inline([Run(run.text, run.code) for run in runs(node)])
    return f"*_{text}_*" if level(node) > 2 else f"*{text}*"


def _list(node: Node, depth: int) -> str:
    """Code is never set in: the blanks would be copied with it."""
    between = "\n" if is_tight(node) else "\n\n"
    bullet = BULLETS[min(depth, len(BULLETS) - 1)]
    shown = (f"{f'*{mark}*' if mark else bullet} {_blocks(children, depth + 1, between)}" for mark, children in items(node))
    return between.join("    " * min(depth, 1) + item for item in shown)


def _inline(text: Sequence[Run]) -> str:
    return marked(text, _leaf, strong="*{}*".format, em="_{}_".format, link=_link, only_between_words=True)


def _leaf(run: Run) -> str:
    if run.code and not run.url:
        return f"`{_escaped(run.text.replace('`', 'ˋ'))}`"
    text = re.sub(r"(?<!\w)_|_(?!\w)|[*~`]", lambda mark: mark[0].translate(LOOKALIKES), run.text)
    return ACTIVE.sub(lambda mark: mark[0] + GAP, _escaped(text))


def _link(text: str, url: str) -> str:
    return f"<{_escaped(url).replace('|', '%7C')}|{text}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
