"""GitHub-flavoured Markdown, for GitHub, GitLab, Azure DevOps, Redmine with CommonMark, and Roundup. https://github.github.com/gfm/

The same document, written anew: every text is escaped, and where a system would read a mention, a reference, an emoji, a bare link,
a macro or a quick action a zero-width space stands in between. None of them reads these in code. Redmine looks for macros there too, and
puts them back as they were, if no colours came in between: a block with one has none.
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
https://docs.gitlab.com/user/markdown/#gitlab-specific-references
https://www.redmine.org/projects/redmine/wiki/RedmineTextFormattingCommonMark
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from handlers.runbook.markup import code_span
from handlers.tickets.engine.markups.tree import GAP, Run, code, hanging, is_tight, items, level, marked, parse, rows, runs

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

ACTIVE = re.compile(
    r"""[@#](?=[\w<]) | [!$%&](?=\d) | ~(?=[\w"])        # @name  #1  owner/repo#1  @<id>  !1  $1  %1  &1  ~label
    | \bGH-(?=\d) | \br(?=\d) | :(?=\d+\])               # GH-1  r1  [issue:1]
    | :(?=(?:[\w+-]*[a-z+-][\w+-]*|100|1234):)           # :emoji:
    | \bwww(?=\.) | \b(?:https?|s?ftps?|mailto):(?=\S)   # bare links
    | \b(?:attachment|commit|document|export|forum|message|news|project|source|user|version):(?=\S)
    | \{(?=\{) | \[(?=\[)                                # {{macro}}  [[page]]
    | ^(?=/\w)                                           # /close""",
    re.VERBOSE | re.IGNORECASE,
)
MACRO = re.compile(r"\{\{\w+(?:\([^\n]*?\))?(?:\n(?:.*?\n)?)?\}\}", re.DOTALL)
OPEN_MACRO = re.compile(r"\{\{(?=\w+(?:\([^\n]*?\))?(?:\n|\Z))(?!\w+(?:\([^\n]*?\))?\n(?:.*?\n)?\}\})", re.DOTALL)
"""A macro whose end would stand behind the block."""


def render(markdown: str) -> str:
    return _blocks(parse(markdown)) + "\n"


def _blocks(nodes: Sequence[Node], between: str = "\n\n") -> str:
    return between.join(filter(None, map(_block, nodes)))


def _block(node: Node) -> str:
    match node.type:
        case "heading":
            return f"{'#' * level(node)} {_inline(runs(node))}"
        case "fence" | "code_block":
            language, text = code(node)
            return _code(language_of(language, text), without_open_macro(text))
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return indent(_blocks(node.children), "> ", lambda line: True)
        case "table":
            return _table(rows(node))
        case "hr":
            return "---"
        case _:
            return _inline(runs(node))


def _code(language: str, text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def language_of(language: str, text: str) -> str:
    """The language of a block; of one that holds what Redmine takes for a macro none, since colours would come between its parts."""
    return "text" if MACRO.search(text) else language


def without_open_macro(text: str) -> str:
    return OPEN_MACRO.sub("{" + GAP + "{", text)


def _list(node: Node) -> str:
    between = "\n" if is_tight(node) else "\n\n"
    return between.join(hanging(f"{mark or '-'} ", _blocks(children, between)) for mark, children in items(node))


def _table(cells: Sequence[Sequence[Sequence[Run]]]) -> str:
    header, *rest = [f"| {' | '.join(_inline(cell).replace('|', '\\|') for cell in row)} |" for row in cells]
    return "\n".join([header, "|---" * len(cells[0]) + "|", *rest])


def _inline(text: Sequence[Run]) -> str:
    shown = marked(text, _leaf, strong="**{}**".format, em="*{}*".format, link=_link)
    return re.sub(r"^(?=[#>+=-])|^\d+(?=[.)])", r"\g<0>\\", shown, flags=re.MULTILINE)


def _leaf(run: Run) -> str:
    if run.text == "\n":
        return "  \n"
    return code_span(run.text, len(run.text) + 1) if run.code else _escaped(ACTIVE.sub(lambda mark: mark[0] + GAP, run.text))


def _escaped(text: str) -> str:
    text = re.sub(r"[\\`*\[\]~]|(?<!\w)_|_(?!\w)|!$", r"\\\g<0>", text)
    return _ampersands(text).replace("<", "&lt;")


def _ampersands(text: str) -> str:
    return re.sub(r"&(?=#?\w+;)", "&amp;", text)


def _link(text: str, url: str) -> str:
    return f"[{text}]({_ampersands(url).replace('(', '%28').replace(')', '%29')})"
