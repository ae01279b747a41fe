"""Textile as Redmine reads it (RedCloth 3). https://www.redmine.org/projects/redmine/wiki/RedmineTextFormattingTextile

Redmine looks for images, tables and macros before it looks at `@code@`, and for links after: every character that could begin one is written as an
HTML entity, which is shown as the character in text and in `@code@`. In `<pre>` entities are not read: what would end it is kept apart by a
zero-width space; a macro is left as it is (gfm.py says why). A list item is one line, so a step with commands becomes a paragraph with its number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from handlers.tickets.engine.markups.gfm import language_of, without_open_macro
from handlers.tickets.engine.markups.tree import GAP, Run, code, items, level, marked, parse, rows, runs, start

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

LISTS = ("bullet_list", "ordered_list")
IN_TEXT = re.compile(
    r"""[*_@|"=<>\[\]{%#!&] | (?:(?<=^)|(?<=[\s(]))[-+^~?]  # marks, tags, tables, images, references, macros
    | (?<!\d):(?=\S) | (?<=www)\. | (?:\b|(?<=_))r(?=\d)  # bare links, user:name, r1
    | (?<=[A-Z0-9])\( | (?<=\?)\?                            # ABBR(title), ??citation??""",
    re.VERBOSE,
)
IN_CODE = re.compile(r"[@|<>&!{#%]|=(?==)|(?<==)=")
IN_BLOCK = re.compile(
    r"""<(?=/?(?:code|pre|kbd|notextile)\b) | x(?=%x%) | red(?=sh\#)""",
    re.VERBOSE | re.IGNORECASE,
)
AS_BLOCK_PREFIX = re.compile(r"^(?:p|bq|h\d|fn\d+)(?=\W)")


def render(markdown: str) -> str:
    return _blocks(parse(markdown)) + "\n"


def _blocks(nodes: Sequence[Node]) -> str:
    return "\n\n".join(filter(None, map(_block, nodes)))


def _block(node: Node) -> str:
    match node.type:
        case "heading":
            return f"h{level(node)}. {_inline(runs(node))}"
        case "fence" | "code_block":
            return _code(*code(node))
        case "bullet_list" | "ordered_list":
            return "\n".join(_lines(node, "")) if _is_simple(node) else _flat(node)
        case "blockquote":
            return "\n\n".join(
                f"bq. {_inline(runs(child))}" if child.type == "paragraph" else _block(child) for child in node.children
            )
        case "table":
            return _table(rows(node))
        case "hr":
            return "---"
        case _:
            return _paragraph(node)


def _paragraph(node: Node) -> str:
    return AS_BLOCK_PREFIX.sub(lambda tag: f"&#{ord(tag[0][0])};{tag[0][1:]}", _inline(runs(node)))


def _code(language: str, text: str) -> str:
    """Without a line end at its end: RedCloth puts a blank after each `"` that ends a line."""
    shown = IN_BLOCK.sub(lambda part: part[0] + GAP, without_open_macro(text))
    return f'<pre><code class="{language_of(language, text)}">\n{shown}</code></pre>'


def _is_simple(node: Node) -> bool:
    """Whether a list is one that Textile knows: from 1, each item a line, and perhaps such a list below it."""
    kinds = [
        child.type == "paragraph" or (child.type in LISTS and _is_simple(child)) for _, item in items(node) for child in item
    ]
    return all(kinds) and (node.type == "bullet_list" or start(node) == 1)


def _lines(node: Node, above: str) -> list[str]:
    marks = above + ("#" if node.type == "ordered_list" else "*")
    lines = []
    for _, children in items(node):
        texts = [_inline(runs(child)) for child in children if child.type == "paragraph"]
        lines.append(f"{marks} {'\n'.join(texts)}")
        lines += [line for child in children if child.type in LISTS for line in _lines(child, marks)]
    return lines


def _flat(node: Node) -> str:
    return "\n\n".join(f"{f'*{mark}*' if mark else '•'} {_blocks(children)}" for mark, children in items(node))


def _table(cells: Sequence[Sequence[Sequence[Run]]]) -> str:
    return "\n".join(
        "".join(f"|{'' if index else '_.'} {_inline(cell)} " for cell in row) + "|" for index, row in enumerate(cells)
    )


def _inline(text: Sequence[Run]) -> str:
    shown = marked(text, _leaf, strong="*{}*".format, em="_{}_".format, link=_link, only_between_words=True)
    shown = re.sub(r"(\w?)(@[^@\n]*@)(\w?)", lambda span: _entity(span[1]) + span[2] + _entity(span[3]), shown)
    return re.sub(r"\0(?![.,;:)*_]*(?:\s|$))", " ", shown).replace("\0", "")


def _leaf(run: Run) -> str:
    if run.code:
        return f"@{IN_CODE.sub(lambda character: _entity(character[0]), run.text)}@"
    return IN_TEXT.sub(lambda character: _entity(character[0]), run.text)


def _entity(character: str) -> str:
    return f"&#{ord(character)};" if character else ""


def _link(text: str, url: str) -> str:
    """Only a blank ends a link: where none follows, one is put (`_inline` looks at the \\0)."""
    return f'"{text}":{re.sub(r'[@"<>()!*|{}\[\]`]', lambda character: f"%{ord(character[0]):02X}", url)}\0'
