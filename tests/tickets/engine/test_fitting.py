"""A page that is too long for a system gives up its parts in order of worth; what is confirmed and its commands stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.model.parts import CUTS, Part, joined, ticket_text
from handlers.runbook.markup import code_block
from handlers.tickets.engine.fitting import fitted
from handlers.tickets.engine.markups import MARKUPS
from tests.tickets.changes import HOSTILE, PLAIN, failed, storm
from tests.tickets.engine.test_markups import as_read

pytestmark = pytest.mark.slow

LIMITS = (60_000, 20_000, 12_000, 8_000, 4_000, 1_000)
REMEMBERING = {name: replace(markup, render=cache(markup.render)) for name, markup in MARKUPS.items()}
"""The markups, each page rendered once: to fit one page into many limits is to render the same shortened pages again and again."""
every_markup = pytest.mark.parametrize("markup", MARKUPS)


def commands(page: str) -> list[str]:
    """The lines of the commands of a page."""
    lines, inside = [], False
    for line in page.split("\n"):
        if line.strip().startswith("```"):
            inside = not inside
        elif inside and line.strip():
            lines.append(line.strip())
    return lines


def marked_page() -> tuple[Part, ...]:
    """One part of each kind, each with its name in it."""
    return (
        Part("# Backup failed\n\nconfirmed-cause\n\n```bash\naz lock delete --subscription s --ids /x\n```\n\n"),
        *(Part(f"{kind.replace('_', '-')}-part {'and more words ' * 20}\n\n", (kind,)) for kind in CUTS),
        Part("the-end\n"),
    )


@every_markup
def test_a_page_that_fits_is_all_that_a_ticket_has_of_it(markup: str) -> None:
    parts = failed().parts
    assert fitted(parts, REMEMBERING[markup], 1_000_000) == REMEMBERING[markup].render(ticket_text(parts))


@every_markup
@pytest.mark.parametrize("most", LIMITS)
@pytest.mark.parametrize(
    "parts", [failed().parts, failed(name=HOSTILE).parts, storm(affected=300).parts], ids=[PLAIN, HOSTILE, "storm"]
)
def test_a_page_is_never_longer_than_the_system_takes(markup: str, most: int, parts: Sequence[Part]) -> None:
    assert REMEMBERING[markup].size(fitted(parts, REMEMBERING[markup], most)) <= most


@every_markup
def test_parts_are_given_up_in_order_of_worth(markup: str) -> None:
    parts = marked_page()
    seen = []
    for most in range(REMEMBERING[markup].size(REMEMBERING[markup].render(joined(parts))), 0, -50):
        shown = as_read(markup, fitted(parts, REMEMBERING[markup], most))
        there = tuple(kind for kind in CUTS if f"{kind.replace('_', '-')}-part" in shown)
        if there and "the-end" in shown:
            seen.append(there)
    assert list(dict.fromkeys(seen)) == [CUTS[index:] for index in range(1, len(CUTS))]


@every_markup
@pytest.mark.parametrize(
    "parts", [failed().parts, failed(name=HOSTILE).parts, storm(affected=300).parts], ids=[PLAIN, HOSTILE, "storm"]
)
def test_the_confirmed_causes_commands_stay_while_there_is_room_for_them(markup: str, parts: Sequence[Part]) -> None:
    least = joined(parts, CUTS)
    room = REMEMBERING[markup].size(REMEMBERING[markup].render(least))
    assert commands(least)
    for most in [limit for limit in LIMITS if limit >= room] + [room]:
        shown = {line.strip() for line in as_read(markup, fitted(parts, REMEMBERING[markup], most)).split("\n")}
        assert set(commands(least)) - shown == set()


@every_markup
def test_even_with_no_room_for_all_the_first_steps_of_what_is_confirmed_stay(markup: str) -> None:
    parts = failed().parts
    least = joined(parts, CUTS)
    room = REMEMBERING[markup].size(REMEMBERING[markup].render(least))
    shown = as_read(markup, fitted(parts, REMEMBERING[markup], room * 4 // 5))
    assert "A lock prevents the deletion of old restore points" in shown
    assert "az lock delete --subscription" in shown
    assert shown.rstrip().endswith("…")
    kept = [line.strip() for line in shown.split("\n") if line.strip() in set(commands(least))]
    assert kept == commands(least)[: len(kept)], "it is shortened from its end"


@every_markup
def test_a_command_is_never_cut_in_two(markup: str) -> None:
    parts = failed().parts
    whole = set(commands(ticket_text(parts)))
    for most in range(300, 9_000, 370):
        shown = as_read(markup, fitted(parts, REMEMBERING[markup], most))
        assert all(line.strip() in whole for line in shown.split("\n") if line.strip().startswith("az "))


@every_markup
@pytest.mark.parametrize("most", [300, 1_000, 4_000])
def test_a_long_body_that_nobody_could_read_is_shown_as_far_as_it_fits(markup: str, most: int) -> None:
    body = "\n".join(f'"line {number}": "```` @here <b>",' for number in range(600))
    shown = fitted((Part(f"Look at it.\n\n{code_block(body, 'json', 20_000)}\n"),), REMEMBERING[markup], most)
    assert REMEMBERING[markup].size(shown) <= most
    assert '"line 0":' in as_read(markup, shown)
    assert REMEMBERING[markup].size(shown) > most * 0.6


@every_markup
def test_a_fence_that_holds_fences_ends_where_its_own_end_is(markup: str) -> None:
    page = f"# Backup failed\n\n{code_block('```', 'text')}\n\nfirst\n\nsecond\n\n{'third ' * 200}\n"
    shown = as_read(markup, fitted((Part(page),), REMEMBERING[markup], 900))
    assert "first" in shown
    assert "second" in shown
    assert "third" not in shown


REST = "This is not all: the [whole runbook](https://runbooks.example/1) did not fit here."


@every_markup
def test_a_page_that_lacks_something_says_at_its_end_where_all_of_it_is(markup: str) -> None:
    parts = failed().parts
    whole = REMEMBERING[markup].size(REMEMBERING[markup].render(ticket_text(parts)))
    assert "This is not all" not in as_read(markup, fitted(parts, REMEMBERING[markup], whole, REST))
    for most in (whole - 1, whole // 2, 4_000):
        shown = fitted(parts, REMEMBERING[markup], most, REST)
        assert REMEMBERING[markup].size(shown) <= most
        assert "This is not all" in as_read(markup, shown)[-400:]
        assert "https://runbooks.example/1" in str(shown)


def test_a_page_that_is_cut_ends_at_a_whole_step() -> None:
    parts = failed().parts
    for most in range(1_200, 6_000, 150):
        shown = fitted(parts, REMEMBERING["plain"], most, REST)
        *_, last, rest = shown.strip().split("\n\n")
        assert rest.startswith("This is not all")
        assert not last.rstrip().endswith(":"), "no line that announces a command without the command"
        assert not set(last.split("\n")[-1]) <= set("=-·"), "no heading without what it is of"


@every_markup
def test_nothing_at_all_fits_into_nothing_and_no_part_is_no_page(markup: str) -> None:
    render: Any = REMEMBERING[markup].render
    assert fitted((Part("x" * 100),), REMEMBERING[markup], 1) == render("…\n")
    assert fitted((), REMEMBERING[markup], 1_000) == render("\n")


@every_markup
@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.text(max_size=60), st.lists(st.sampled_from([*CUTS, "!members"]), max_size=2))), st.integers(200, 2_000)
)
def test_any_page_can_be_made_to_fit(markup: str, pieces: list[tuple[str, list[str]]], most: int) -> None:
    shown = fitted(tuple(Part(text, tuple(kinds)) for text, kinds in pieces), REMEMBERING[markup], most)
    assert REMEMBERING[markup].size(shown) <= most
    assert json.dumps(shown)
