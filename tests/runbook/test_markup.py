"""Hostile text stays inert in Markdown, in shells, in HTML and on one line."""

import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.model.text import one_line, visible
from handlers.runbook.markup import code_block, code_span, comment, powershell, sh, to_html, url_path

HOSTILE = "$(reboot) `id` \"; rm -rf ~ ' <script>alert(1)</script> [x](javascript:alert(1)) @everyone #1 \x1b[31mred\x1b[0m"


@given(st.text())
@example("a``b`")
@example("`")
@example("\u202egnp.exe")
def test_a_value_in_markdown_is_one_code_span_and_nothing_else(text: str) -> None:
    html = to_html(f"before {code_span(text)} after")
    assert html.startswith("<p>before ")
    assert html.rstrip().endswith(" after</p>")
    assert html.count("<code>") <= 1
    assert "<a" not in html
    assert "<script" not in html


@given(st.text())
@example("```\n# heading\n````\n<b>")
def test_a_block_cannot_be_left_by_its_text(text: str) -> None:
    html = to_html(f"{code_block(text)}\n\nend")
    assert html.count("<pre>") == 1
    assert html.rstrip().endswith("<p>end</p>")


def test_raw_html_scripts_and_foreign_links_do_not_survive() -> None:
    html = to_html("<img src=x onerror=1>\n\n[a](javascript:alert(1)) [b](http://x.example) ![c](https://x.example/p.png)")
    assert "<img" not in html
    assert "javascript:alert(1)" not in html.replace("[a](javascript:alert(1))", "")
    assert 'href="http://' not in html


def test_control_characters_and_reordering_are_removed() -> None:
    assert visible("a\x1b[31mb\x1b]0;title\x07c\u202ed\x00e\r\nf") == "abcde\nf"


@given(st.text(min_size=1))
@example(HOSTILE)
@example("it's")
def test_a_value_is_one_word_for_a_posix_shell(text: str) -> None:
    shown = subprocess.run(["sh", "-c", f"printf %s {sh(text)}"], capture_output=True, check=True, timeout=5)
    assert shown.stdout.decode() == one_line(text, 2_000)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("vm-pay-01", "vm-pay-01"),
        ("rg.app(prod)", "'rg.app(prod)'"),
        ("it's", "'it''s'"),
        ("it’s", "'it’’s'"),
        ("$(reboot)", "'$(reboot)'"),
        ("-Force", "'-Force'"),
        ("", "''"),
    ],
)
def test_a_value_is_one_word_for_powershell(value: str, word: str) -> None:
    assert powershell(value) == word


@pytest.mark.skipif(not shutil.which("pwsh"), reason="PowerShell is not installed")
def test_powershell_reads_the_word_back() -> None:
    shown = subprocess.run(["pwsh", "-NoProfile", "-c", f"Write-Host -NoNewline {powershell(HOSTILE)}"], capture_output=True)
    assert shown.stdout.decode() == one_line(HOSTILE)


def test_a_comment_cannot_be_left() -> None:
    assert "\n" not in comment("a\nreboot")


def test_a_title_is_one_line_of_limited_length() -> None:
    assert one_line("a\nb\tc  d") == "a b c d"
    assert len(one_line("x" * 999, 100)) == 100


def test_a_resource_id_cannot_end_a_markdown_link() -> None:
    assert url_path("/subscriptions/s/resourceGroups/rg(x) y") == "/subscriptions/s/resourceGroups/rg%28x%29%20y"
