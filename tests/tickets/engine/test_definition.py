"""A ticketing system's file: what is wrong in one is said in one line that names the place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.tickets.engine.definition import DefinitionError, bundled, check_expressions, load, read

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
    made = read(GOOD, "desk.toml")
    assert (made.name, made.file, made.open[0].path, made.open[0].method) == ("Desk", "desk.toml", "/tickets", "POST")
    check_expressions(made)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Desk"', 'name = "Desk"\ncolour = "red"', "desk.toml: colour: there is no such key; known are "),
        ("most = 1000", "most = 1000\nleast = 1", r"desk.toml: text.least: there is no such key; known are markup, most, title"),
        ('about = "by severity"', 'about = "x"\nmust = true', "desk.toml: options.priorities.must: there is no such key"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\nverb = "x"\n[[update]]', r"desk.toml: open\[0\].verb: there is no such key"),
        ('id = "= one.id"', 'id = "= one.id"\nnumber = "x"', "desk.toml: ticket.number: there is no such key"),
        ("most = 1000", "", "desk.toml: text: lacks 'most'"),
        ('about = "by severity"', "", "desk.toml: options.priorities: lacks 'about'"),
        ('id = "= one.id"', "", "desk.toml: ticket: lacks 'id'"),
        ('path = "/tickets"\n[[update]]', "[[update]]", r"desk.toml: open\[0\]: lacks 'path'"),
        ('name = "Desk"', "", "desk.toml: name: is missing"),
        ('docs = "https://desk.example.com/api"', "", "desk.toml: docs: is missing"),
        ('[[open]]\npath = "/tickets"', "", "desk.toml: open: is missing"),
        ("[[resolve]]", "[[reopen]]", "desk.toml: resolve: is missing"),
        ("[[open]]", "[open]", r"desk.toml: open: must be steps, each begun with \[\[open\]\]"),
        ('closed = "= one.closed"', 'closed = "one.closed"', "desk.toml: ticket.closed: must be an expression, begun with ="),
        ('carries_key = "= one', 'carries_key = "one', "desk.toml: ticket.carries_key: must be an expression"),
        ('candidates = "= answer"', 'candidates = "answer"', r"desk.toml: find\[0\].take.candidates: must be an expression"),
        ("candidates =", "found =", "desk.toml: find: its last step takes no `candidates`"),
        ('carries_key = "= one.key == key"', "", "desk.toml: ticket.carries_key: is missing, and without it"),
        ('"plain"', '"markdown"', "desk.toml: text.markup: 'markdown' is not one of none, gfm, html"),
        ('name = "Desk"', 'name = "Desk"\nauth.kind = "kerberos"', "desk.toml: auth.kind: 'kerberos' is not one of"),
        ('name = "Desk"', 'name = "Desk', "desk.toml: not TOML: .*line 1"),
        ('name = "Desk"', "name = 7", "desk.toml: name: must be a text"),
        ('name = "Desk"', 'name = "Desk"\nneeds_user = "yes"', "desk.toml: needs_user: must be true or false"),
        ("most = 1000", 'most = "1000"', "desk.toml: text.most: must be a number"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\nquery = 5\n[[update]]', r"desk.toml: open\[0\].query: must be a table"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\naccept = 404\n[[update]]', r"desk.toml: open\[0\].accept: must be a list"),
        ('path = "/tickets"\n[[update]]', 'path = "/tickets"\nwhen = true\n[[update]]', r"desk.toml: open\[0\].when: must be a text"),
        ('take = { candidates = "= answer" }', "take = { candidates = 5 }", r"desk.toml: find\[0\].take: must be a table of texts"),
        ('[options.project]\nabout = "the project\'s key"\nrequired = true\n', "", None),
        ("[ticket]", "[[ticket]]", "desk.toml: ticket: must be a table"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, said: str | None) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if said is None:
        read(text, "desk.toml")
        return
    with pytest.raises(DefinitionError, match=said) as caught:
        read(text, "desk.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["when", "expect", "permanent", "gone"])
def test_a_condition_of_a_step_must_be_an_expression(key: str) -> None:
    text = GOOD.replace('[[update]]\npath = "/tickets/{ticket.id}"', f'[[update]]\npath = "/x"\n{key} = "true"')
    with pytest.raises(DefinitionError, match=rf"update\[0\].{key}: must be an expression, begun with ="):
        read(text, "desk.toml")


def test_a_ticket_that_is_read_needs_to_know_what_closed_is() -> None:
    text = GOOD.replace('closed = "= one.closed"\n', "") + '[[read]]\nmethod = "GET"\npath = "/x"\n'
    with pytest.raises(DefinitionError, match=r"ticket.closed: is missing"):
        read(text, "desk.toml")


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
        check_expressions(read("\n".join(lines), "desk.toml"))
    except DefinitionError as error:
        said = str(error)
    assert said.startswith("desk.toml: ")


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
    made = read(GOOD.replace(old, new, 1), "desk.toml")
    with pytest.raises(DefinitionError, match=f"^desk.toml: {place}: "):
        check_expressions(made)


# ---------------------------------------------------------------- a team's own


def test_a_teams_own_file_is_read_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(GOOD, encoding="utf-8")
    assert load("webhook", str(tmp_path / "own.toml")).file == "own.toml"


def test_a_teams_own_file_may_be_its_text_itself() -> None:
    made = load("webhook", GOOD)
    assert (made.name, made.file) == ("Desk", "TICKET_TARGET_FILE")
    with pytest.raises(DefinitionError, match=r"^TICKET_TARGET_FILE: colour: "):
        load("webhook", "colour = 1\n" + GOOD)


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "nowhere.toml", tmp_path, tmp_path / "binary"):
        with pytest.raises(DefinitionError, match=r"^TICKET_TARGET_FILE cannot be read: "):
            load("webhook", str(path))


@pytest.mark.parametrize("name", ["nobody", "", "../tickets/webhook", "webhook.toml", "/etc/passwd"])
def test_a_system_that_is_not_bundled_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(DefinitionError, match=r"TICKET_TARGET is .*; it must be one of: .*webhook") as caught:
        load(name)
    assert all(other in str(caught.value) for other in bundled())


# ---------------------------------------------------------------- options


def test_a_required_option_is_asked_for_with_what_it_is() -> None:
    made = read(GOOD, "desk.toml")
    for given_ in ({}, {"project": ""}, {"project": None}):
        with pytest.raises(DefinitionError, match=r"TICKET_OPTIONS lacks 'project' for desk.toml: the project's key"):
            made.options_of(given_)


def test_an_unknown_option_is_told_with_those_that_are_known() -> None:
    with pytest.raises(
        DefinitionError, match=r"TICKET_OPTIONS holds 'projct', which desk.toml does not know; known: project, priorities"
    ):
        read(GOOD, "desk.toml").options_of({"project": "A", "projct": "B"})


def test_a_table_that_is_given_replaces_single_entries_of_its_default() -> None:
    options = read(GOOD, "desk.toml").options_of({"project": "A", "priorities": {"Sev0": "P0"}})
    assert options == {"project": "A", "priorities": {"Sev0": "P0", "Sev1": "P2"}}


@pytest.mark.parametrize("given_", [False, "none", 0])
def test_a_default_can_be_switched_off(given_: Any) -> None:
    assert read(GOOD, "desk.toml").options_of({"project": "A", "priorities": given_})["priorities"] == given_


def test_the_start_of_the_app_needs_no_jinja() -> None:
    code = "import sys\nfrom handlers.tickets.engine.definition import bundled, load\n[load(name) for name in bundled()]\nassert 'jinja2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
