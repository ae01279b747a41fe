"""A team's own ticketing system: what is wrong in its file is said in one line that names the place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.tickets.engine.definition import AuthKind, DefinitionError, load
from handlers.tickets.engine.markups import MARKUPS, NO_MARKUP
from handlers.tickets.engine.own_file import checked
from tests.conftest import ROOT

GOOD = """\
name = "Desk"
docs = "https://desk.example.com/api"

[options.project]
about = "the project's key"
required = true
[options.priorities]
about = "by severity"
default = { Sev0 = "P1", Sev1 = "P2" }

[text]
markup = "plain"
most = 1000
title = 100

[ticket]
id = "= one.id"
closed = "= one.closed"
carries_key = "= one.key == key"

[[open]]
path = "/tickets"
[[update]]
path = "/tickets/{ticket.id}"
[[resolve]]
path = "/tickets/{ticket.id}"
[[find]]
path = "/tickets"
take = { candidates = "= answer" }
"""


def test_a_good_file_is_read() -> None:
    made = checked(GOOD, "desk.toml")
    assert (made.name, made.file, made.open[0].path, made.open[0].method) == ("Desk", "desk.toml", "/tickets", "POST")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Desk"', 'name = "Desk"\ncolour = "red"', "desk.toml: Object contains unknown field `colour`"),
        ('name = "Desk"', 'name = "Desk"\n"a\\nb" = 1', "desk.toml: Object contains unknown field `a b`"),
        ("most = 1000", "most = 1000\nleast = 1", "desk.toml: text: Object contains unknown field `least`"),
        ('about = "by severity"', 'about = "x"\nmust = true', "desk.toml: options.priorities: Object contains unknown field `must`"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\nverb = "x"\n[[update]]', r"desk.toml: open\[0\]: Object contains unknown field `verb`"),
        ('id = "= one.id"', 'id = "= one.id"\nnumber = "x"', "desk.toml: ticket: Object contains unknown field `number`"),
        ("most = 1000", "", "desk.toml: text: Object missing required field `most`"),
        ('about = "by severity"', "", "desk.toml: options.priorities: Object missing required field `about`"),
        ('id = "= one.id"', "", "desk.toml: ticket: Object missing required field `id`"),
        ('path = "/tickets"\n[[update]]', "[[update]]", r"desk.toml: open\[0\]: Object missing required field `path`"),
        ('name = "Desk"', "", "desk.toml: Object missing required field `name`"),
        ('docs = "https://desk.example.com/api"', "", "desk.toml: Object missing required field `docs`"),
        ('name = "Desk"', 'name = ""', "desk.toml: name: is empty"),
        ('name = "Desk"', 'name = "Desk"\nfile = "x"', "desk.toml: Object contains unknown field `file`"),
        ('[[open]]\npath = "/tickets"', "", "desk.toml: Object missing required field `open`"),
        ("[[resolve]]", "[[reopen]]", "desk.toml: Object missing required field `resolve`"),
        ("[[open]]", "[open]", "desk.toml: open: Expected `array`, got `object`"),
        ('closed = "= one.closed"', 'closed = "one.closed"', "desk.toml: ticket.closed: must be an expression, begun with ="),
        ('carries_key = "= one', 'carries_key = "one', "desk.toml: ticket.carries_key: must be an expression"),
        ('candidates = "= answer"', 'candidates = "answer"', r"desk.toml: find\[0\].take.candidates: must be an expression"),
        ("candidates =", "found =", "desk.toml: find: its last step takes no `candidates`"),
        ('carries_key = "= one.key == key"', "", "desk.toml: ticket.carries_key: is missing, and without it"),
        ('"plain"', '"rtf"', "desk.toml: text.markup: 'rtf' is not one of none, gfm, markdown, html"),
        ('name = "Desk"', 'name = "Desk"\nauth.kind = "kerberos"', "desk.toml: auth.kind: 'kerberos' is not one of"),
        ('name = "Desk"', 'name = "Desk', "desk.toml: not TOML: .*line 1"),
        ('name = "Desk"', "name = 7", "desk.toml: name: Expected `str`, got `int`"),
        ('name = "Desk"', 'name = "Desk"\nneeds_user = "yes"', "desk.toml: needs_user: Expected `bool`, got `str`"),
        ("most = 1000", 'most = "1000"', "desk.toml: text.most: Expected `int`, got `str`"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\nquery = 5\n[[update]]', r"desk.toml: open\[0\].query: Expected `object`, got `int`"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\naccept = 404\n[[update]]', r"desk.toml: open\[0\].accept: Expected `array`, got `int`"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\nwhen = true\n[[update]]', r"desk.toml: open\[0\].when: Expected `str`, got `bool`"),
        ('take = { candidates = "= answer" }', "take = { candidates = 5 }", r"desk.toml: find\[0\].take\[...\]: Expected `str`, got `int`"),
        ('[options.project]\nabout = "the project\'s key"\nrequired = true\n', "", None),
        ("[ticket]", "[[ticket]]", "desk.toml: ticket: Expected `object`, got `array`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, said: str | None) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if said is None:
        checked(text, "desk.toml")
        return
    with pytest.raises(DefinitionError, match=said) as caught:
        checked(text, "desk.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["when", "expect", "permanent", "gone"])
def test_a_condition_of_a_step_must_be_an_expression(key: str) -> None:
    text = GOOD.replace('[[update]]\npath = "/tickets/{ticket.id}"', f'[[update]]\npath = "/x"\n{key} = "true"')
    with pytest.raises(DefinitionError, match=rf"update\[0\].{key}: must be an expression, begun with ="):
        checked(text, "desk.toml")


def test_a_ticket_that_is_read_needs_to_know_what_closed_is() -> None:
    text = GOOD.replace('closed = "= one.closed"\n', "") + '[[read]]\nmethod = "GET"\npath = "/x"\n'
    with pytest.raises(DefinitionError, match=r"ticket.closed: is missing"):
        checked(text, "desk.toml")


ODD_LINES = [
    "", "x = 1", "options = 5", "names = 1", "headers = []", "[options]", "[names]", "[[check]]", "[auth]", "kind = 5", "answers.gone = 5",
    "answers.permanent = ['x']", "[[text]]", "default = 5", "take = []", "json = 1", "\x00",
]  # fmt: skip


@given(st.data())
@settings(deadline=None)
def test_no_file_raises_anything_but_a_definition_error(data: st.DataObject) -> None:
    lines = GOOD.split("\n")
    index = data.draw(st.integers(0, len(lines) - 1))
    line = data.draw(st.sampled_from(ODD_LINES))
    lines[index : index + data.draw(st.integers(0, 2))] = [line]
    said = "desk.toml: "
    try:
        checked("\n".join(lines), "desk.toml")
    except DefinitionError as error:
        said = str(error)
    assert said.startswith("desk.toml: ")


def test_the_page_of_keys_names_every_markup_and_every_kind_of_authentication() -> None:
    page = (ROOT / "docs" / "tickets" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `\[(auth|text)\]` \| (.*) \|$", page, re.MULTILINE))
    assert set(re.findall("`([a-z_]+)`", rows["text"].partition(")")[0])) == {"markup", NO_MARKUP, *MARKUPS}
    assert {kind for kind in AuthKind if f"`{kind}`" in rows["auth"]} == set(AuthKind)


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('id = "= one.id"', 'id = "= one["', "ticket"),
        ('path = "/tickets"\n[[update]]', 'path = "/{ticket..id}"\n[[update]]', "open"),
        ('candidates = "= answer"', 'candidates = "= answer | nothing"', "find"),
        ('path = "/tickets"\n[[update]]', 'path = "/x"\njson.a = { b = ["= 1 +"] }\n[[update]]', "open"),
        ('name = "Desk"', 'name = "Desk"\nnames.x = "= ]"', "names"),
        ('name = "Desk"', 'name = "Desk"\nheaders.x = "= ]"', "headers"),
    ],
)
def test_an_expression_that_cannot_be_read_is_found_before_it_is_needed(old: str, new: str, place: str) -> None:
    with pytest.raises(DefinitionError, match=f"^desk.toml: {place}: "):
        checked(GOOD.replace(old, new, 1), "desk.toml")


# ---------------------------------------------------------------- a team's own


def test_a_teams_own_file_is_read_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(GOOD, encoding="utf-8")
    assert load("webhook", str(tmp_path / "own.toml")).file == "own.toml"


def test_a_teams_own_file_may_be_its_text_itself() -> None:
    made = load("webhook", GOOD)
    assert (made.name, made.file) == ("Desk", "TICKET_TARGET_FILE")
    with pytest.raises(DefinitionError, match=r"^TICKET_TARGET_FILE: Object contains unknown field `colour`"):
        load("webhook", "colour = 1\n" + GOOD)


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "nowhere.toml", tmp_path, tmp_path / "binary"):
        with pytest.raises(DefinitionError, match=r"^TICKET_TARGET_FILE cannot be read: "):
            load("webhook", str(path))
