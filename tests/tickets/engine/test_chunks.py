"""A long text in pieces: nothing is lost, each is short enough, and code is fenced in each."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.runbook.markup import markdown_parser
from handlers.tickets.engine.chunks import chunks

FENCE = "```"
LINE = st.text(st.sampled_from("ab &<`~"), max_size=100).filter(lambda line: not re.search("`{3}|~{3}", line))


@st.composite
def code(draw: st.DrawFn) -> str:
    """A code block; in it may stand what would end another one."""
    mark, length = draw(st.sampled_from("`~")), draw(st.integers(3, 6))
    other, indent = "`~".replace(mark, ""), " " * draw(st.integers(0, 3))
    no_end = st.sampled_from([mark * (length - 1), other * 3, other * 6, f"{mark * length}a"])
    lines = draw(st.lists(LINE | no_end, max_size=6))
    end = mark * draw(st.integers(length, length + 2)) + draw(st.sampled_from(["", " "]))
    return "\n".join([indent + mark * length + draw(st.sampled_from(["", "sh", "text"])), *lines, indent + end])


@st.composite
def pages(draw: st.DrawFn) -> str:
    blocks = draw(st.lists(code() | st.lists(LINE, max_size=6).map("\n".join), max_size=12))
    return draw(st.sampled_from(["\n\n", "\n"])).join(blocks)


@given(st.text(st.sampled_from("ab `~\n")), st.integers(1, 40))
def test_whatever_a_text_looks_like_nothing_is_lost_and_no_piece_is_too_long(text: str, most: int) -> None:
    pieces = chunks(text, most)
    shown = iter("".join(pieces))
    assert all(len(piece) <= most for piece in pieces)
    assert all(letter in shown for letter in text if letter in "ab")


def parsed(page: str) -> tuple[str, str]:
    """What stands in a page's code blocks and what does not, without blanks, for a parser that knows all of CommonMark."""
    blocks = [block for block in markdown_parser().parse(page) if block.type == "fence"]
    lines = page.split("\n")
    for start, end in (block.map or [0, 0] for block in blocks):
        lines[start:end] = [""] * (end - start)
    return squeezed("".join(block.content for block in blocks)), squeezed("".join(lines))


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(pages(), st.integers(48, 200))
def test_pieces_are_short_enough_fence_their_code_and_hold_everything(page: str, most: int) -> None:
    pieces = chunks(page, most)
    assert all(len(piece) <= most for piece in pieces)
    assert all(piece.strip() for piece in pieces)
    code, text = parsed(page)
    assert "".join(parsed(piece)[0] for piece in pieces) == code
    assert "".join(parsed(piece)[1] for piece in pieces) == text


@pytest.mark.parametrize(
    "text", ["a\n\nb", "<<<<<<<\n``\n`<<<<<<<<<", "one line", f"{FENCE}\na\n\nb\n{FENCE}", f"{FENCE}\nnot closed"]
)
def test_a_text_that_fits_is_one_piece(text: str) -> None:
    assert chunks(text, len(text)) == [text]
    assert chunks(text, 24) == [text]


def test_an_empty_text_has_no_pieces() -> None:
    assert chunks("", 20) == chunks("\n\n \n", 20) == []


def test_a_text_is_cut_at_its_last_empty_line() -> None:
    assert chunks("one\ntwo\n\nthree\nfour\n\nfive", 24) == ["one\ntwo\n\nthree\nfour", "five"]


def test_a_text_without_empty_lines_is_cut_between_lines() -> None:
    assert chunks("first line\nsecond line\nthird line", 24) == ["first line\nsecond line", "third line"]


def test_code_is_kept_whole_where_it_can_be() -> None:
    code = f"{FENCE}\naz one\n\naz two\n{FENCE}"
    assert chunks(f"text\n\n{code}", 28) == [f"text\n\n{code}"]
    assert chunks(f"some words\n\n{code}", 32) == ["some words", code]
    assert chunks(f"some words\n{code}", 28) == ["some words", code]


def test_code_that_is_too_long_is_fenced_in_each_piece() -> None:
    found = chunks(f"{FENCE}\n" + "\n".join(f"command {number}" for number in range(10)) + f"\n{FENCE}", 50)
    assert all(piece.startswith(f"{FENCE}\ncommand") and piece.endswith(f"\n{FENCE}") for piece in found)
    assert [line for piece in found for line in piece.split("\n")[1:-1]] == [f"command {number}" for number in range(10)]


@pytest.mark.parametrize("fence", ["`" * 3, "`" * 6, "~~~", "   ~~~~"])
def test_code_is_fenced_in_each_piece_as_it_was_and_keeps_its_language(fence: str) -> None:
    pieces = chunks(f"{fence}sh\n" + "az vm list\n" * 4 + "``\n" + fence, 48)
    assert len(pieces) > 1
    assert all(piece.startswith(f"{fence}sh\n") and piece.endswith(f"\n{fence}") for piece in pieces)


def test_code_that_is_not_closed_is_closed_in_each_piece() -> None:
    assert chunks(f"{FENCE}\naz one\naz two", 16) == [f"{FENCE}\naz one\n{FENCE}", f"{FENCE}\naz two\n{FENCE}"]


def test_a_fence_that_leaves_no_room_for_code_is_text() -> None:
    assert chunks("`" * 10 + "\na b", 12) == ["`" * 10, "a b"]


@pytest.mark.parametrize("length", [50, 51, 53, 100, 101, 1000])
def test_a_line_that_is_too_long_is_cut(length: int) -> None:
    pieces = chunks("x" * length, 50)
    assert "".join(pieces) == "x" * length
    assert max(map(len, pieces)) <= 50


def test_a_line_is_cut_so_that_no_piece_begins_with_a_fence_that_is_none() -> None:
    assert chunks(f"{'x' * 18} {FENCE} yyy", 20) == ["x" * 17, f"x {FENCE} yyy"]
    assert chunks("x" * 10 + "`" * 40, 20) == ["x" * 9, "x" + "`" * 19, "`" * 20, "`"]
