"""The wiki markup of Jira Data Center. https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all

Every character that could begin a mark is an HTML entity, in text and between `{{ }}`, which does not keep Jira from reading marks. Code
stands between `{noformat}`, where only its own end is read: `{code:language}` knows other languages in each version. A list item with code
becomes a paragraph with its number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from handlers.tickets.engine.markups.tree import GAP, Run, code, items, level, marked, parse, rows, runs, start

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

LISTS = ("bullet_list", "ordered_list")
MARKS = re.compile(
    r"""[\\*_+^~?|{}\[\]!#@<>&%=] | (?<!\w)- | -(?!\w)      # marks, links, macros, pictures
    | (?<=[A-Z])-(?=\d) | (?<!\d):(?=\S)                # ABC-123, bare addresses, :)
    | ;(?=\)) | \((?=[!?/xyni+*-])                       # ;) (!) (x)""",
    re.VERBOSE,
)
AT_START = re.compile(r"^(?:h\d|bq|fn)(?=\.)")


def render(markdown: str) -> str:
    return _blocks(parse(markdown)) + "\n"


def _blocks(nodes: Sequence[Node]) -> str:
    return "\n\n".join(filter(None, map(_block, nodes)))


def _block(node: Node) -> str:
    match node.type:
        case "heading":
            return f"h{level(node)}. {_inline(runs(node))}"
        case "fence" | "code_block":
            return _code(code(node)[1])
        case "bullet_list" | "ordered_list":
            return "\n".join(_lines(node, "")) if _is_simple(node) else _flat(node)
        case "blockquote":
            return "\n\n".join(
                f"bq. {_inline(runs(child))}" if child.type == "paragraph" else _block(child) for child in node.children
            )
        case "table":
            return _table(rows(node))
        case "hr":
            return "----"
        case _:
            return _inline(runs(node))


def _code(text: str) -> str:
    return f"{{noformat}}\n{re.sub(r'{(?=noformat)', '{' + GAP, text, flags=re.IGNORECASE)}\n{{noformat}}"


def _is_simple(node: Node) -> bool:
    """Whether a list is one that Jira knows: from 1, each item a line, and perhaps such a list below it."""
    kinds = [
        child.type == "paragraph" or (child.type in LISTS and _is_simple(child)) for _, item in items(node) for child in item
    ]
    return all(kinds) and (node.type == "bullet_list" or start(node) == 1)


def _lines(node: Node, above: str) -> list[str]:
    marks = above + ("#" if node.type == "ordered_list" else "*")
    lines = []
    for _, children in items(node):
        texts = [_inline(runs(child)) for child in children if child.type == "paragraph"]
        lines.append(f"{marks} {' '.join(texts)}")
        lines += [line for child in children if child.type in LISTS for line in _lines(child, marks)]
    return lines


def _flat(node: Node) -> str:
    return "\n\n".join(f"{f'*{mark}*' if mark else '•'} {_blocks(children)}" for mark, children in items(node))


def _table(cells: Sequence[Sequence[Sequence[Run]]]) -> str:
    header, *others = [[_inline(cell) or " " for cell in row] for row in cells]
    return "\n".join([f"||{'||'.join(header)}||", *(f"|{'|'.join(row)}|" for row in others)])


def _inline(text: Sequence[Run]) -> str:
    shown = marked(text, _leaf, strong="*{}*".format, em="_{}_".format, link=_link, only_between_words=True)
    return AT_START.sub(lambda tag: f"&#{ord(tag[0][0])};{tag[0][1:]}", shown)


def _leaf(run: Run) -> str:
    if run.text == "\n":
        return "\n"
    text = MARKS.sub(lambda mark: f"&#{ord(mark[0])};", run.text)
    text = re.sub(r"\b(www)(?=\.)", rf"\1{GAP}", text)
    return f"{{{{{text}}}}}" if run.code and not run.url else text


def _link(text: str, url: str) -> str:
    return f"[{text}|{re.sub(r'[|{}\[\]!*^~]', lambda mark: f'%{ord(mark[0]):02X}', url)}]"
