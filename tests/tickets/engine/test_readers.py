"""Pages as those read them who show them: what somebody copies from the HTML that a real Markdown reader makes is the command.

Redmine's own readers and Request Tracker's are asked in tests/tickets/targets/test_redmine_server.py and test_request_tracker_server.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import markdown
import mistune
import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from handlers.model.text import one_line
from handlers.runbook.markup import code_block, code_span
from handlers.tickets.engine.markups.tree import GAP
from tests.golden import FOLDER
from tests.tickets.engine.test_markups import shown
from tests.tickets.engine.test_markups_hostile import ALL, HOSTILE, block_of
from tests.tickets.targets.copied import blocks_of, copied_from

pytestmark = pytest.mark.slow
READERS: dict[str, tuple[str, Callable[[str], str]]] = {
    "markdown-it": ("gfm", MarkdownIt("commonmark", {"html": False}).enable("table").render),
    "markdown-it, older form": ("markdown", MarkdownIt("commonmark", {"html": False}).render),
    "mistune": ("markdown", lambda text: str(mistune.create_markdown(escape=True)(text))),
    "Python-Markdown": ("markdown", lambda text: markdown.markdown(text, extensions=["fenced_code"])),
}
each_reader = pytest.mark.parametrize(("markup", "read"), READERS.values(), ids=list(READERS))
PAGES = sorted(FOLDER.glob("*.md"))


def blocks_in(page: str) -> list[str]:
    return [copied_from(block) for block in re.findall(r"<pre><code[^>]*>(.*?)</code></pre>", page, re.DOTALL)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@each_reader
def test_every_block_of_every_runbook_is_copied_as_it_is(markup: str, read: Callable[[str], str], page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert blocks_in(read(shown(markup, text))) == [block for _, block in blocks_of(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@each_reader
def test_every_step_keeps_its_number(markup: str, read: Callable[[str], str], page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    steps = re.findall(r"^(\d+)\. ", text, re.MULTILINE)
    made = read(shown(markup, text))
    numbered = re.findall(r"<ol.*?</ol>", re.sub(r"<ul>.*?</ul>", "", made, flags=re.DOTALL), re.DOTALL)
    in_lists = sum(part.count("<li>") for part in numbered)
    as_text = re.findall(r"<strong>(\d+)\.</strong>", made)
    assert len(as_text) + in_lists == len(steps)
    assert not (as_text and markup == "gfm")


@given(text=HOSTILE)
@example(text=ALL)
@example(text="```\nx\n~~~\ny")
@each_reader
def test_what_comes_from_outside_is_shown_as_it_came(markup: str, read: Callable[[str], str], text: str) -> None:
    page = read(shown(markup, f"Before {code_span(text)} after.\n\n{code_block(text)}\n\nEnd."))
    assert set(re.findall(r"<(\w+)", page)) <= {"p", "pre", "code"}
    read_again = copied_from(page).replace(GAP, "")
    assert " ".join(read_again.split()) == " ".join(
        f"Before {one_line(text, 500) or '–'} after. {block_of(text)} End.".replace(GAP, "").split()
    )


@given(text=HOSTILE)
@example(text=ALL)
@pytest.mark.parametrize(
    ("markup", "read"), [reader for name, reader in READERS.items() if name != "mistune"]
)  # it shows entities raw
def test_a_text_outside_code_is_the_same_text(markup: str, read: Callable[[str], str], text: str) -> None:
    line = one_line(text)
    page = read(shown(markup, "x " + re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", line) + "."))
    assert re.findall(r"<(/?\w+)", page) == ["p", "/p"]
    assert copied_from(page).replace(GAP, "") == f"x {line}.".replace(GAP, "")
