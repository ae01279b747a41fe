"""A long text in pieces: nothing is lost, each is short enough, and code is fenced in each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.tickets.engine.chunks import FENCE, chunks

LINE = st.text(st.sampled_from("ab &<`"), max_size=40).filter(lambda line: FENCE not in line)


@st.composite
def pages(draw: st.DrawFn) -> str:
    blocks = []
    for lines in draw(st.lists(st.lists(LINE, max_size=6), max_size=12)):
        blocks.append("\n".join([FENCE, *lines, FENCE]) if draw(st.booleans()) else "\n".join(lines))
    return draw(st.sampled_from(["\n\n", "\n"])).join(blocks)


@given(pages(), st.integers(24, 200))
def test_pieces_are_short_enough_fence_their_code_and_hold_everything(page: str, most: int) -> None:
    found = chunks(page, most)
    assert all(len(piece) <= most for piece in found)
    assert all(piece.count(FENCE) % 2 == 0 for piece in found)
    assert all(piece.strip() for piece in found)
    assert _words("".join(found)) == _words(page)


def _words(text: str) -> str:
    return "".join(text.replace(FENCE, "").split())


def test_a_text_that_fits_is_one_piece() -> None:
    assert chunks("a\n\nb", 20) == ["a\n\nb"]
    assert chunks("", 20) == []


def test_a_text_is_cut_at_its_last_empty_line() -> None:
    assert chunks("one\ntwo\n\nthree\nfour\n\nfive", 25) == ["one\ntwo\n\nthree\nfour", "five"]


def test_code_is_kept_whole_where_it_can_be() -> None:
    assert chunks(f"text\n\n{FENCE}\naz one\n\naz two\n{FENCE}", 36) == [f"text\n\n{FENCE}\naz one\n\naz two\n{FENCE}"]
    assert chunks(f"some words\n\n{FENCE}\naz one\n\naz two\n{FENCE}", 36) == [
        "some words",
        f"{FENCE}\naz one\n\naz two\n{FENCE}",
    ]


def test_code_that_is_too_long_is_fenced_in_each_piece() -> None:
    found = chunks(f"{FENCE}\n" + "\n".join(f"command {number}" for number in range(10)) + f"\n{FENCE}", 50)
    assert all(piece.startswith(f"{FENCE}\ncommand") and piece.endswith(f"\n{FENCE}") for piece in found)
    assert [line for piece in found for line in piece.split("\n")[1:-1]] == [f"command {number}" for number in range(10)]


@pytest.mark.parametrize("length", [100, 101, 1000])
def test_a_line_that_is_too_long_is_cut(length: int) -> None:
    found = chunks("x" * length, 50)
    assert "".join(found) == "x" * length
    assert max(map(len, found)) <= 50
