"""A runbook's Markdown as a tree, parsed as handlers/markup.py parses it, and what every markup asks of that tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import replace
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from handlers.runbook.markup import markdown_parser

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

GAP = "\u200b"
"""A zero-width space: put where a system would otherwise read a mention, a reference or a tag."""


class Run(Struct, frozen=True):
    """A stretch of text with one look. Only https links are links; "\\n" is a hard line break."""

    text: str
    code: bool = False
    strong: bool = False
    em: bool = False
    url: str = ""


def parse(markdown: str) -> list[Node]:
    """The blocks of a page."""
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(markdown_parser().parse(markdown)).children


def runs(block: Node) -> list[Run]:
    """The text of a heading, paragraph or table cell; neighbours of the same look are one run."""
    found = [run for run in _runs(block.children, Run("")) if run.text]
    looks = groupby(found, _look)
    return [run for look, same in looks for run in (same if look.text else [replace(look, text="".join(r.text for r in same))])]


def _look(run: Run) -> Run:
    return replace(run, text="\n" if run.text == "\n" else "")


def _runs(nodes: Sequence[Node], look: Run) -> Iterator[Run]:
    for node in nodes:
        match node.type:
            case "text":
                yield replace(look, text=node.content)
            case "code_inline":
                yield replace(look, text=node.content, code=True)
            case "softbreak" | "hardbreak":
                yield replace(look, text="\n" if node.type == "hardbreak" else " ")
            case "strong":
                yield from _runs(node.children, replace(look, strong=True))
            case "em":
                yield from _runs(node.children, replace(look, em=True))
            case "link":
                href = str(node.attrs.get("href", ""))
                yield from _runs(node.children, replace(look, url=href if href.startswith("https://") else ""))
            case _:
                yield from _runs(node.children, look)


def level(heading: Node) -> int:
    return int(heading.tag[1:])


def code(block: Node) -> tuple[str, str]:
    """The language and the text of a code block."""
    language = re.match(r"\w*", block.info if block.type == "fence" else "")
    return (language[0] if language and language[0] else "text"), block.content.removesuffix("\n")


def items(block: Node) -> list[tuple[str, list[Node]]]:
    """The items of a list: "1.", "2.", … or "" for a bullet, and what each holds."""
    numbers = range(start(block), start(block) + len(block.children))
    marks = [f"{number}." for number in numbers] if block.type == "ordered_list" else [""] * len(block.children)
    return list(zip(marks, (item.children for item in block.children), strict=True))


def start(block: Node) -> int:
    """The number of a list's first item."""
    return int(block.attrs.get("start", 1))


def is_tight(block: Node) -> bool:
    """Whether a list stands without empty lines between its items."""
    return all(child.hidden for item in block.children for child in item.children if child.type == "paragraph")


def rows(table: Node) -> list[list[list[Run]]]:
    """The cells of a table by row, its header first."""
    return [[runs(cell) for cell in row.children] for part in table.children for row in part.children]


def hanging(mark: str, body: str) -> str:
    """A list item: its mark, and every line after the first set in by as much."""
    first, *rest = body.split("\n")
    return "\n".join([mark + first, *(" " * len(mark) + line if line else "" for line in rest)])


def marked(
    text: Sequence[Run],
    leaf: Callable[[Run], str],
    *,
    strong: Callable[[str], str] = str,
    em: Callable[[str], str] = str,
    link: Callable[[str, str], str],
    only_between_words: bool = False,
) -> str:
    """Text with its marks. Some systems know a mark only where no letter or digit touches it: there it is left out."""

    def fits(group: Sequence[Run]) -> bool:
        first = next(index for index, run in enumerate(text) if run is group[0])
        before, after = (
            text[first - 1].text[-1:] if first else "",
            "".join(run.text[:1] for run in text[first + len(group) :][:1]),
        )
        return not only_between_words or ((not before or before in " (\n") and not after.isalnum())

    shown = ""
    for is_strong, strong_runs in _grouped(text, lambda run: run.strong):
        inner = ""
        for is_em, em_runs in _grouped(strong_runs, lambda run: run.em):
            linked = "".join(
                link("".join(map(leaf, same)), url) if url else "".join(map(leaf, same))
                for url, same in _grouped(em_runs, lambda run: run.url)
            )
            inner += em(linked) if is_em and fits(em_runs) else linked
        shown += strong(inner) if is_strong and fits(strong_runs) else inner
    return shown


def _grouped[T](text: Sequence[Run], look: Callable[[Run], T]) -> list[tuple[T, list[Run]]]:
    return [(value, list(same)) for value, same in groupby(text, look)]
