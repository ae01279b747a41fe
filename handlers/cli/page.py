"""A runbook's Markdown on a terminal: prose as wide as it, commands exactly as they are to be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.cli.screen import Screen
from handlers.tickets.engine.markups.tree import Run, code, items, parse, rows, runs

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node
    from rich.text import Text


def show_page(markdown: str, screen: Screen) -> None:
    for number, node in enumerate(parse(markdown)):
        if number:
            screen.line()
        _show(node, screen)


def _show(node: Node, screen: Screen, first: str = "", inset: str = "") -> None:
    """A block; its first line begins with `first`, the further ones with `inset`."""
    match node.type:
        case "heading":
            text = _text(runs(node), screen)
            text.stylize("bold underline")
            screen.text(text, first, inset)
        case "fence" | "code_block":
            screen.code(code(node)[1])
        case "bullet_list" | "ordered_list":
            _show_list(node, screen, inset)
        case "table":
            _show_rows(node, screen)
        case "blockquote":
            for child in node.children:
                _show(child, screen, f"{inset}> ", f"{inset}> ")
        case "hr":
            screen.line("-" * 40)
        case _:
            screen.text(_text(runs(node), screen), first, inset)


def _show_list(node: Node, screen: Screen, inset: str) -> None:
    for mark, children in items(node):
        begins, further = f"{inset}{mark or '-'} ", inset + " " * (len(mark or "-") + 1)
        for number, child in enumerate(children):
            _show(child, screen, further if number else begins, further)


def _show_rows(table: Node, screen: Screen) -> None:
    """A row as an item of a list, its first cell as its name: five columns do not fit on a terminal."""
    header, *body = [["".join(run.text for run in cell) for cell in row] for row in rows(table)]
    for name, value, *others in body:
        more = "; ".join(f"{title}: {cell}" for title, cell in zip(header[2:], others, strict=True) if cell not in ("", "–"))
        text = screen.styled(name, "bold")
        text.append_text(screen.styled(f": {value}" + (f" ({more})" if more else "")))
        screen.text(text, "- ", "  ")


def _text(pieces: list[Run], screen: Screen) -> Text:
    text = screen.styled("")
    for run in pieces:
        text.append_text(screen.styled(run.text, _style(run)))
        if run.url and run.url != run.text:
            text.append_text(screen.styled(f" ({run.url})", "dim"))
    return text


def _style(run: Run) -> str:
    return " ".join(name for name, holds in (("bold", run.strong), ("italic", run.em), ("cyan", run.code)) if holds)
