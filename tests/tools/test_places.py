"""What `make docs` writes into files that are otherwise written by hand."""

import pytest

from tools.places import Place

PAGE = "# Page\n\nLanguages: `en`.\nBy hand.\nLanguages: none.\n"


def place(before: str = "Languages: ", after: str = ".\n") -> Place:
    return Place("page.md", before, after, "`en`, `de`")


def test_the_text_is_put_into_each_such_place_and_the_rest_stays() -> None:
    assert place().put_into(PAGE) == "# Page\n\nLanguages: `en`, `de`.\nBy hand.\nLanguages: `en`, `de`.\n"
    assert place().put_into(place().put_into(PAGE)) == place().put_into(PAGE)


@pytest.mark.parametrize("lost", [place(before="Systems: "), place(after="!\n")])
def test_a_place_that_is_not_there_is_named(lost: Place) -> None:
    with pytest.raises(ValueError, match=r"page\.md has no text between"):
        lost.put_into(PAGE)
