"""The HTML of runbook pages. Every value is escaped by Jinja; Markdown becomes sanitised HTML with a frame around each command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from handlers.model.ids import parse_time, time_text
from handlers.runbook.markup import ATTRIBUTES, TAGS, markdown_parser
from handlers.runbook.templates import TEMPLATES, words_of

if TYPE_CHECKING:
    from markdown_it.token import Token

SHELLS = ("bash", "powershell")
ASSETS = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
BLOCK = 4
"""Tokens of a command: its label's paragraph, which is three, and the fence."""
FRAMES = {"figure": {"class"}, "pre": {"tabindex"}, "div": {"class"}}


@cache
def environment() -> Environment:
    """Not that of the runbooks: this one escapes, and nothing of it is compiled ahead, which would fix how it escapes."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES / "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
    )  # fmt: skip
    made.filters |= {"when": lambda time: time_text(parse_time(time)) or "–"}
    return made


def page_html(context: Mapping[str, Any]) -> str:
    return environment().get_template("runbook.html").render(context)


def notice_html(context: Mapping[str, Any]) -> str:
    return environment().get_template("notice.html").render(context)


def job_html(context: Mapping[str, Any]) -> str:
    return environment().get_template("job.html").render(context)


@cache
def asset(name: str) -> str:
    return (TEMPLATES / "page" / name).read_text(encoding="utf-8")


def runbook_html(markdown: str, language: str) -> Markup:
    """As `handlers.runbook.markup.to_html`; commands stand in frames that the page's script and its style know."""
    import nh3

    parser = markdown_parser()
    tokens = parser.parse(markdown.encode("utf-8", "replace").decode())
    shown = parser.renderer.render(list(_framed(tokens, language)), parser.options, {})
    attributes = {**ATTRIBUTES, **FRAMES}
    clean = nh3.clean(
        shown, tags=TAGS | FRAMES.keys(), attributes=attributes, url_schemes={"https"}, link_rel="noopener noreferrer"
    )
    return Markup(re.sub(r"<pre><code", '<pre tabindex="0"><code', clean))  # noqa: S704 - it was sanitised


def _framed(tokens: list[Token], language: str) -> Iterator[Token]:
    """The tokens with a frame around each command and its label, and one around each table, which may be wide."""
    classes = dict(_frames(tokens, words_of(language)["run"]["operator"]))
    labels = {at - 3 for at in classes if _is_label(tokens, at)}
    for at, token in enumerate(tokens):
        if at in labels or (at in classes and at - 3 not in labels):
            yield _html(f'<figure class="{classes.get(at + 3) if at in labels else classes[at]}">')
        if token.type == "table_open":
            yield _html('<div class="wide">')
        yield token
        if token.type == "table_close":
            yield _html("</div>")
        if at in classes:
            yield _html("</figure>")


def _frames(tokens: list[Token], operator: str) -> Iterator[tuple[int, str]]:
    """Where commands stand, and the classes of their frames: `choice` for what stands there in both shells."""
    fences = [at for at, token in enumerate(tokens) if token.type == "fence" and token.info in SHELLS]
    twins = {at + step for at in fences if _says_the_same(tokens, at, at + BLOCK, operator) for step in (0, BLOCK)}
    for at in fences:
        yield at, " ".join(["command", tokens[at].info, *(["choice"] if at in twins else [])])


def _says_the_same(tokens: list[Token], at: int, after: int, operator: str) -> bool:
    """Whether the next block is the same for the operator's other shell: its label differs in the shell's name only."""
    if after >= len(tokens) or tokens[after].type != "fence" or not (_is_label(tokens, at) and _is_label(tokens, after)):
        return False
    labels = [re.sub(r"\b(Bash|PowerShell)\b", "", tokens[block - 2].content) for block in (at, after)]
    return (tokens[at].info, tokens[after].info) == SHELLS and labels[0] == labels[1] and operator in labels[0]


def _is_label(tokens: list[Token], at: int) -> bool:
    """Whether the paragraph above a block is its label."""
    return at >= 3 and tokens[at - 1].type == "paragraph_close" and tokens[at - 2].content.endswith(":")


def _html(text: str) -> Token:
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=text)
