"""What comes from a VM or an alert does nothing in any markup, neither in code nor where it should never stand.

The Textile was checked against Redmine's own formatter too (RedCloth 3 of Redmine 5.0.4, with its macros and links): same text, same tags.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.model.text import one_line, visible
from handlers.runbook.markup import code_block, code_span, to_html
from handlers.tickets.engine.markups import MARKUPS
from handlers.tickets.engine.markups.gfm import MACRO
from handlers.tickets.engine.markups.tree import GAP
from tests.tickets.engine.test_markups import shown, texts_of

pytestmark = pytest.mark.slow

BITS = (
    "`", "```", "|", "[", "]", "[[Page]]", "[0]", "@here", "@", "<!channel>", "<@U1>", "{{include(x)}}", "{{collapse(a)\n", "\n}}",
    "!http://x/y.png!", "#1", "\n#1 x", "GH-1", "!1", "o/r#1", ":tada:", "https://x.example", "www.x.example", "a@b.example", "</pre>", "</code>",
    "<script>alert(1)</script>", "<notextile>", "]]>", "[code]<b>x</b>[/code]", "*b*", "_e_", " -d- ", "%s%", "==raw==", '"l":http://x', "r12",
    "commit:abc", "&amp;", "&", "x%x%", " :redsh#1:", "h1. x", "\n* li", "\n|a|b|\n", "ABC(t)", "\n---\n", "\n> q", "/close", "\u202e", "\u200b",
    "{{DATE(2017-02-14T06:08:00Z)}}", "[x](javascript:alert(1))", "![i](https://x.example/p.png)", " ", "\n", "a", "é", "\\", "~~x~~",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(BITS) | st.text(max_size=5), max_size=8).map("".join)
ALL = " ".join(BITS)


def page(text: str) -> str:
    return f"Before {code_span(text)} after.\n\n{code_block(text)}\n\nEnd."


def span_of(text: str) -> str:
    return one_line(text, 500) or "–"


def block_of(text: str) -> str:
    return visible(text).strip("\n")


def read_by(pattern: str, markup: str, text: str) -> tuple[str, str]:
    """The code span and the code block in a text markup, which must be all that there is."""
    found = re.fullmatch(pattern, shown(markup, page(text)), re.DOTALL)
    assert found, shown(markup, page(text))
    return found[1], found[2].replace(GAP, "")


@given(HOSTILE)
@example(ALL)
def test_gfm(text: str) -> None:
    assert to_html(shown("gfm", page(text))).replace(GAP, "") == to_html(page(text))


@given(HOSTILE)
@example(ALL)
def test_html(text: str) -> None:
    tags = re.findall(r"<[^>]*>", shown("html", page(text)))
    code = ["<code>", "</code>"] if one_line(text) else []
    assert tags == ["<p>", *code, "</p>", "<pre>", '<code class="language-text">', "</code>", "</pre>", "<p>", "</p>"]


@given(HOSTILE)
@example(ALL)
def test_mrkdwn(text: str) -> None:
    span, block = read_by(r"Before (?:`(?=[^–])|(?=–))([^`\n]*)`? after\.\n\n```\n(.*)\n```\n\nEnd\.\n", "mrkdwn", text)
    assert unescape_slack(span) == span_of(text).replace("`", "ˋ")
    assert unescape_slack(block) == block_of(text)
    assert "```" not in shown("mrkdwn", page(text)).replace("\n```\n", "", 2)
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", shown("mrkdwn", page(text)))


def unescape_slack(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(HOSTILE)
@example(ALL)
@example("{{collapse(a)")
@example("\n}}")
def test_textile(text: str) -> None:
    pattern = r'Before (?:@(?=[^–])|(?=–))([^@\n]*)@? after\.\n\n<pre><code class="text">\n(.*)</code></pre>\n\nEnd\.\n'
    span, block = read_by(pattern, "textile", text)
    assert not re.search(r"[@|<>!{%]|==|&(?!#\d+;)|(?<!&)#", span)
    assert unescape(span) == span_of(text)
    assert block == block_of(text)
    raw = shown("textile", page(text))
    assert len(re.findall(r"</?(?:code|pre|kbd|notextile)\b", raw, re.IGNORECASE)) == 4
    assert not re.search(r"x%x%|redsh#", raw, re.IGNORECASE)
    assert all(macro in raw.partition("<pre>")[2].partition("</pre>")[0] for macro in MACRO.findall(raw))


@given(HOSTILE)
@example(ALL)
@example("{noformat}")
def test_wiki(text: str) -> None:
    pattern = r"Before (?:\{\{(?=[^–])|(?=–))([^{\n]*?)(?:\}\})? after\.\n\n\{noformat\}\n(.*)\n\{noformat\}\n\nEnd\.\n"
    span, block = read_by(pattern, "wiki", text)
    assert not re.search(r"[\\*_+^~?|{}\[\]!@<>%=]|(?<!\w)-|-(?!\w)|(?<!\d):(?=\S)|&(?!#\d+;)|(?<!&)#", span)
    assert unescape(span).replace(GAP, "") == span_of(text)
    assert block == block_of(text)
    assert len(re.findall(r"\{noformat", shown("wiki", page(text)), re.IGNORECASE)) == 2


@given(HOSTILE)
@example(ALL)
def test_plain(text: str) -> None:
    span, block = read_by(r"Before (.*?) after\.\n\n(.*?)(?:\n\n)?End\.\n", "plain", text)
    assert span.replace(GAP, "").strip("“”") == span_of(text).strip("“”")
    assert [line.strip() for line in block.strip().split("\n")] == [line.strip() for line in block_of(text).strip().split("\n")]
    assert not re.search(r"\[/?code\]", shown("plain", page(text)), re.IGNORECASE)


def types_in(shown: Any) -> set[str]:
    """Every `type` in a JSON markup."""
    match shown:
        case dict():
            return {shown.get("type", "")} | set().union(*map(types_in, shown.values()))
        case list():
            return set().union(*map(types_in, shown))
        case _:
            return set()


@given(HOSTILE)
@example(ALL)
def test_adf(text: str) -> None:
    found = shown("adf", page(text))
    assert list(texts_of(found)) in (texts(text), [f"Before {span_of(text)} after.", *texts(text)[3:]])
    assert types_in(found) <= {"doc", "paragraph", "text", "codeBlock", "code", ""}


@given(HOSTILE)
@example(ALL)
def test_card(text: str) -> None:
    found = shown("card", page(text))
    assert [run.replace(GAP, "") for run in texts_of(found)] in (
        texts(text, empty=" "),
        [f"Before {span_of(text)} after.", *texts(text, empty=" ")[3:]],
    )
    assert types_in(found) <= {"RichTextBlock", "TextRun", "Container", ""}
    assert not re.search(r"\{\{(DATE|TIME)\(", str(found))


def texts(text: str, empty: str = "") -> list[str]:
    block = block_of(text) or empty
    return ["Before ", span_of(text), " after.", *([block] if block else []), "End."]


# ------------------------------------------------------------------------------------------------ outside code


ESCAPED = re.compile(r"([!-/:-@\[-`{-~])")
ACTIVE = (
    "@admin", "a@b.example", "@<0c4d>", "#1", "o/r#1", "GH-1", "!1", "[issue:1]", ":tada:", ":+1:", "https://x.example", "www.x.example",
    "{{toc}}", "[[Page]]", "r12", "commit:abc", "user:admin", "~bug", "$1", "%1", "&1",
)  # fmt: skip


@pytest.mark.parametrize("text", ACTIVE)
@pytest.mark.parametrize("place", ["{}", "see {} there", "- {}", "**{}**", "1. {}\n\n   x"])
def test_nothing_is_active_in_markdown_even_outside_code(text: str, place: str) -> None:
    markdown = place.format(ESCAPED.sub(r"\\\1", text))
    again = shown("gfm", markdown)
    assert to_html(again).replace(GAP, "") == to_html(markdown)
    assert text not in re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", unescape(again))


def test_a_quick_action_is_one_only_at_the_start_of_a_line() -> None:
    assert shown("gfm", "/close") == f"{GAP}/close\n"
    assert shown("gfm", "see /close") == "see /close\n"


def test_a_number_sign_at_the_start_of_a_line_is_no_heading_in_roundup() -> None:
    assert shown("gfm", "#1 is full") == f"\\#{GAP}1 is full\n"
    assert shown("gfm", "\\# x  \n\\# y") == "\\# x  \n\\# y\n"


def test_ordinary_words_and_times_stay_as_they_are() -> None:
    words = "Erro: 12:30:15 (85 % de 128 GiB), R&D, item_de_backup · a/b; C# e 3-5.\n"
    assert all(MARKUPS[markup].render(words) == words for markup in ("gfm", "plain"))


@given(HOSTILE)
@example(ALL)
def test_gfm_is_the_same_text_outside_code(text: str) -> None:
    markdown = ESCAPED.sub(r"\\\1", one_line(text)) + "."
    assert to_html(shown("gfm", markdown)).replace(GAP, "") == to_html(markdown)


@given(HOSTILE)
@example(ALL)
@example("_e_r12")
def test_textile_and_mrkdwn_have_no_mark_outside_code_that_is_not_ours(text: str) -> None:
    markdown = "x " + ESCAPED.sub(r"\\\1", one_line(text)) + "."
    slack, textile = shown("mrkdwn", markdown), shown("textile", markdown)
    assert not re.search(r"[<>*`~]|(?<!\w)_|_(?!\w)|[@#](?=\w)|&(?!(amp|lt|gt);)", slack)
    assert not re.search(r'[*_@|"=<>\[\]{%!]|(?<!&)#|&(?!#\d+;)|(?<=[\s(])[-+^~?]|www\.|(?<!\d):(?=\S)|\br(?=\d)', textile)
    assert unescape(textile) == f"x {one_line(text)}.\n"
