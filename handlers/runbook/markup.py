"""Values made safe for where they are shown: Markdown, shells, one line, HTML. What comes from a VM or an alert is hostile."""

from __future__ import annotations

import re
import shlex
import threading
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from handlers.model.text import one_line, visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


class Markdown(str):
    """Text that is Markdown already. Everything else becomes a code span when a Markdown template prints it."""

    __slots__ = ()


def code_span(text: object, limit: int = 500) -> Markdown:
    """An inline code span: no mark-up, no mention and no issue link works in it. https://spec.commonmark.org/0.31.2/#code-spans"""
    line = one_line(text, limit)
    if not line:
        return Markdown("–")
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def code_block(text: str, language: str = "text", limit: int = 8_000) -> Markdown:
    """A fenced code block whose fence is longer than any in the text."""
    body = visible(text).strip("\n")
    body = body if len(body) <= limit else body[:limit] + "\n…"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    return Markdown(f"{fence}{language}\n{body}\n{fence}")


def command_block(line: str, shell: str) -> Markdown:
    """A fenced block of commands, which are ours: a script is never cut."""
    return code_block(line, shell, 100_000)


def as_markdown(value: Any) -> Any:
    """What a Markdown template prints for `{{ value }}`: Markdown as it is, numbers as they are, anything else as code."""
    return value if isinstance(value, Markdown | int | float) else code_span(value)


def sh(value: Any) -> str:
    """One word for a POSIX shell."""
    return value if isinstance(value, _ShellText) else shlex.quote(one_line(value, 2_000))


def powershell(value: Any) -> str:
    """One word for PowerShell: single quotes, doubled inside; the curly ones count as quotes there too.

    https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
    """
    if isinstance(value, _ShellText):
        return value
    word = one_line(value, 2_000)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:/-]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", word):
        return word  # what begins with a digit would be a number where an expression may stand
    return "'" + re.sub(r"(['‘’‚‛])", r"\1\1", word) + "'"


class _ShellText(str):
    """Text that is shell code already."""

    __slots__ = ()


NEXT_BLOCK = _ShellText("\x1d")
"""Between two blocks of one command template. No value can hold it: control characters are removed from values."""


def comment(value: Any) -> str:
    """A value inside a shell comment: one line, so that it cannot leave the comment."""
    return _ShellText(one_line(value, 200))


def jmespath(value: Any) -> str:
    """A raw string literal for `--query`: https://jmespath.org/specification.html#raw-string-literals"""
    return "'" + one_line(value, 2_000).replace("\\", "\\\\").replace("'", "\\'") + "'"


def url_path(text: str) -> str:
    """An Azure resource id inside a link: what would end the link or leave the path is percent-encoded."""
    return quote(text, safe="/:;=-_.~")


TAGS = {
    "h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "pre", "code", "strong", "em", "a", "blockquote", "hr", "br",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "code": {"class"}, "ol": {"start"}}


def to_html(markdown: str) -> str:
    """HTML of a runbook: raw HTML in it is text, links lead to https only, no images, sanitised by ammonia (nh3)."""
    import nh3

    html = markdown_parser().render(markdown.encode("utf-8", "replace").decode())
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"https"}, link_rel="noopener noreferrer")


_making = threading.Lock()


def markdown_parser() -> MarkdownIt:
    with _making:
        return _parser()


@cache
def _parser() -> MarkdownIt:
    """Used once before others get it: it fills its tables when they are first needed, and another thread would find them half full."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.render("[a link](https://example.com/%20) <https://example.com>")
    return parser
