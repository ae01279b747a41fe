"""A runbook says the same in every markup: its words, its steps, and every command line as it is to be copied."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from handlers.runbook.markup import to_html
from handlers.tickets.engine.markups import MARKUPS, size, size_in_bytes
from handlers.tickets.engine.markups.tree import GAP, parse
from tests.conftest import ROOT
from tests.golden import FOLDER

PAGES = sorted(FOLDER.glob("*.md"))
SCHEMAS = ROOT.parent / "shared" / "samples" / "ticket_apis"
PAGE = """\
# Backup of `vm_1` failed

**Error:** `a-b`. See *What to do* & <b>.

- one
  - two `(x)`

3. Ask for `l`; then:

   **Deletes** · Bash:

   ```bash
   az x --query "[?a=='b']" \\
     --yes

   az y
   ```

4. Wait.

[Portal](https://portal.azure.com/#resource/a/b) and [bad](http://x.example).
"""


def shown(markup: str, page: str = PAGE) -> Any:
    return MARKUPS[markup].render(page)


def texts_of(shown: Any) -> Iterator[str]:
    """The texts in a JSON markup."""
    match shown:
        case {"text": str(text)}:
            yield text
        case str(text):
            yield text
        case {"content": list(inner)} | {"items": list(inner)} | {"inlines": list(inner)} | list(inner):
            for one in inner:
                yield from texts_of(one)


def as_read(markup: str, shown: Any) -> str:
    """What a person sees and copies."""
    text = shown if isinstance(shown, str) else "\n".join(texts_of(shown))
    if markup in ("html", "html_monospace", "textile"):
        text = re.sub(r"</?(pre|code|p|strong|li|ol|ul|h\d|a|em)\b[^>]*>", "", text)
    return unescape(text) if markup in ("html", "html_monospace", "mrkdwn", "wiki") else text


@cache
def code_lines(page: str) -> set[str]:
    def blocks(nodes: Any) -> Iterator[str]:
        for node in nodes:
            yield from [node.content] if node.type == "fence" else blocks(node.children)

    return {line.strip() for block in blocks(parse(page)) for line in block.split("\n")}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
@pytest.mark.parametrize("markup", MARKUPS)
def test_every_command_line_arrives_unchanged(markup: str, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lines = {line.strip() for line in as_read(markup, shown(markup, text)).split("\n")}
    assert code_lines(text) - lines == set()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_github_flavoured_markdown_is_the_same_document(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert to_html(shown("gfm", text)).replace(GAP, "") == to_html(text)
    assert shown("gfm", shown("gfm", text)) == shown("gfm", text)


def schema_errors(name: str, document: Any) -> list[str]:
    path = SCHEMAS / name
    if not path.is_file():
        pytest.skip("the vendors' descriptions are not here")
    schema = json.loads(path.read_text(encoding="utf-8"))
    return [error.message[:200] for error in jsonschema_rs.validator_for(schema).iter_errors(document)]


def blocks_of_every_shape(markup: str) -> list[Any]:
    """The blocks of all runbooks that differ in more than their words."""
    pages = [shown(markup, page.read_text(encoding="utf-8")) for page in PAGES]
    blocks = [block for page in pages for block in (page["content"] if markup == "adf" else page)]
    return list({re.sub(r'"(text|href|url)": "(\\.|[^"\\])+"', "", json.dumps(block)): block for block in blocks}.values())


@pytest.mark.slow
def test_jira_takes_every_block_of_every_runbook() -> None:
    document = {"version": 1, "type": "doc", "content": blocks_of_every_shape("adf")}
    assert schema_errors("adf-full.schema.json", document) == []


ODD = "> # h\n>\n> | a | b |\n> |---|---|\n> | `c` | **d** |\n\n- # h\n- > q\n- ```\n  ```\n-\n\n| a |\n|---|\n| b |\n\n---\n\n**`a`** x  \ny\n\n```\n```\n"


def test_jira_takes_what_runbooks_do_not_hold_today() -> None:
    assert schema_errors("adf-full.schema.json", shown("adf", ODD)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "paragraph", "content": [{"type": "text", "text": ""}]},
        {"type": "paragraph", "content": [{"type": "text", "text": "a", "marks": [{"type": "code"}, {"type": "strong"}]}]},
        {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "heading", "attrs": {"level": 1}}]}]},
    ],
)
def test_jira_refuses_a_wrong_document(wrong: Any) -> None:
    assert schema_errors("adf-full.schema.json", {"version": 1, "type": "doc", "content": [wrong]}) != []


def card(body: Any) -> dict[str, Any]:
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


@pytest.mark.slow
def test_teams_takes_every_block_of_every_runbook() -> None:
    assert schema_errors("adaptive-card-1.5.schema.json", card(blocks_of_every_shape("card"))) == []


def test_teams_takes_what_runbooks_do_not_hold_today_and_refuses_a_wrong_card() -> None:
    assert schema_errors("adaptive-card-1.5.schema.json", card(shown("card", ODD))) == []
    assert schema_errors("adaptive-card-1.5.schema.json", card([{"type": "RichTextBlock"}])) != []


def test_an_address_in_what_somebody_else_wrote_is_no_link_in_plain_text_but_a_command_is_copied_as_it_is() -> None:
    text = shown(
        "plain",
        "`https://evil.example/x` `a@b.example`\n\n```text\nhttp://evil.example www.evil.example\n```\n\n```bash\ncurl https://aka.ms\n```\n",
    )
    assert not re.search(r"\w://evil|www\.|\w@\w", text)
    assert "curl https://aka.ms\n" in text


def test_plain() -> None:
    assert shown("plain") == (
        "Backup of vm_1 failed\n=====================\n\n"
        "Error: a-b. See “What to do” & <b>.\n\n"
        "- one\n  - two (x)\n\n"
        "3. Ask for l; then:\n\n"
        "   Deletes · Bash:\n\n"
        "       az x --query \"[?a=='b']\" \\\n         --yes\n\n       az y\n\n"
        "4. Wait.\n\n"
        "Portal: https://portal.azure.com/#resource/a/b and bad.\n"
    )


def test_mrkdwn() -> None:
    assert shown("mrkdwn") == (
        "*Backup of `vm_1` failed*\n\n"
        "*Error:* `a-b`. See _What to do_ &amp; &lt;b&gt;.\n\n"
        "• one\n    ◦ two `(x)`\n\n"
        "*3.* Ask for `l`; then:\n\n"
        "*Deletes* · Bash:\n\n"
        "```\naz x --query \"[?a=='b']\" \\\n  --yes\n\naz y\n```\n\n"
        "*4.* Wait.\n\n"
        "<https://portal.azure.com/#resource/a/b|Portal> and bad.\n"
    )


def test_wiki() -> None:
    assert unescape(shown("wiki")) == (
        "h1. Backup of {{vm_1}} failed\n\n"
        "*Error:* {{a-b}}. See _What to do_ & <b>.\n\n"
        "* one\n** two {{(x)}}\n\n"
        "*3.* Ask for {{l}}; then:\n\n"
        "*Deletes* · Bash:\n\n"
        "{noformat}\naz x --query \"[?a=='b']\" \\\n  --yes\n\naz y\n{noformat}\n\n"
        "*4.* Wait.\n\n"
        "[Portal|https://portal.azure.com/#resource/a/b] and bad.\n"
    )


def test_textile() -> None:
    assert shown("textile") == (
        "h1. Backup of @vm_1@ failed\n\n"
        "*Error:* @a-b@. See _What to do_ &#38; &#60;b&#62;.\n\n"
        "* one\n** two @(x)@\n\n"
        "*3.* Ask for @l@; then:\n\n"
        "*Deletes* · Bash:\n\n"
        '<pre><code class="bash">\naz x --query "[?a==\'b\']" \\\n  --yes\n\naz y</code></pre>\n\n'
        "*4.* Wait.\n\n"
        '"Portal":https://portal.azure.com/#resource/a/b and bad.\n'
    )


def test_markdown() -> None:
    assert shown("markdown") == (
        "# Backup of `vm_1` failed\n\n"
        "**Error:** `a-b`. See *What to do* & &#60;b&#62;.\n\n"
        "- one\n    - two `(x)`\n\n"
        "**3.** Ask for `l`; then:\n\n"
        "**Deletes** · Bash:\n\n"
        "```bash\naz x --query \"[?a=='b']\" \\\n  --yes\n\naz y\n```\n\n"
        "**4.** Wait.\n\n"
        "[Portal](https://portal.azure.com/#resource/a/b) and bad.\n"
    )


def test_code_of_request_tracker_names_its_letters() -> None:
    assert "<pre><code" in shown("html")
    assert re.findall(r"<pre[^>]*>(?:<code)?", shown("html_monospace")) == ['<pre style="font-family: monospace">']


@pytest.mark.parametrize("markup", ["gfm", "markdown", "textile"])
def test_a_macro_in_a_command_stays_as_it_is_and_has_no_colours(markup: str) -> None:
    command = "docker inspect --format {{json}} x && az vm list --query {{include(Start)}}"
    text = shown(markup, f"```bash\n{command}\n```\n")
    assert f"\n{command}" in text
    assert "bash" not in text
    assert "bash" in shown(markup, "```bash\naz vm list\n```\n")


@pytest.mark.parametrize("markup", ["gfm", "markdown", "textile"])
def test_a_macro_that_would_end_behind_its_block_is_broken_up(markup: str) -> None:
    assert f"{{{GAP}{{collapse(x)" in shown(markup, "```\n{{collapse(x)\n```\n\n```\n}}\n```\n")
    assert GAP not in shown(markup, "```\n{{collapse(x)\na\n}}\n```\n")


def test_adf() -> None:
    heading, error, bullets, steps, links = shown("adf")["content"]
    assert heading["content"][1] == {"type": "text", "text": "vm_1", "marks": [{"type": "code"}]}
    assert error["content"][0] == {"type": "text", "text": "Error:", "marks": [{"type": "strong"}]}
    assert [block["type"] for block in bullets["content"][0]["content"]] == ["paragraph", "bulletList"]
    assert steps["attrs"] == {"order": 3}
    assert [[block["type"] for block in step["content"]] for step in steps["content"]] == [
        ["paragraph", "paragraph", "codeBlock"],
        ["paragraph"],
    ]
    assert steps["content"][0]["content"][2]["attrs"] == {"language": "bash"}
    assert [text["marks"][0]["attrs"]["href"] for text in links["content"] if "marks" in text] == [
        "https://portal.azure.com/#resource/a/b"
    ]


def test_card() -> None:
    heading, _error, one, two, step, wait, links = shown("card")
    assert heading["inlines"][1] == {
        "type": "TextRun",
        "text": "vm_1",
        "size": "ExtraLarge",
        "weight": "Bolder",
        "fontType": "Monospace",
    }
    assert [list(texts_of(block)) for block in (one, two, wait)] == [["• ", "one"], ["\u2003◦ ", "two ", "(x)"], ["4. ", "Wait."]]
    assert step["type"] == "Container"
    assert next(texts_of(step)) == "3. "
    assert step["items"][-1]["style"] == "emphasis"
    assert [run["selectAction"]["url"] for run in links["inlines"] if "selectAction" in run] == [
        "https://portal.azure.com/#resource/a/b"
    ]
    assert shown("card", "## O que fazer")[0]["type"] == "TextBlock"


def test_a_mark_is_left_out_where_a_system_would_not_know_it() -> None:
    assert shown("mrkdwn", "a**b**c *d*. (**e**) **f** **f**g") == "abc _d_. (*e*) *f* fg\n"
    assert shown("textile", "a**b**c [x](https://x.example)y") == 'abc "x":https://x.example y\n'


def test_sizes_are_characters_of_a_text_and_bytes_of_json() -> None:
    assert size("é") == 1
    assert size_in_bytes("é") == 2
    assert size({"a": "é"}) == size_in_bytes({"a": "é"}) == 10
    assert MARKUPS["adf"].size(shown("adf")) == len(json.dumps(shown("adf"), ensure_ascii=False, separators=(",", ":")).encode())
