"""A file that is based on another system's."""

import pytest

from handlers.tickets.engine.definition import DefinitionError, load
from handlers.tickets.engine.own_file import checked


def test_what_a_file_does_not_say_is_taken_from_the_other_entry_by_entry() -> None:
    made = checked('based_on = "redmine"\ntext.markup = "gfm"\noptions.team = { about = "the team" }\n', "own.toml")
    redmine = load("redmine")
    assert (made.text.markup, made.text.most, made.text.title) == ("gfm", redmine.text.most, redmine.text.title)
    assert set(made.options) == {*redmine.options, "team"}
    assert made.open == redmine.open


def test_steps_are_replaced_as_a_whole() -> None:
    made = checked('based_on = "redmine"\n[[update]]\npath = "/notes"\n', "own.toml")
    assert [step.path for step in made.update] == ["/notes"]


@pytest.mark.parametrize(
    ("file", "base"), [("own.toml", '"nobody"'), ("redmine.toml", '"redmine"'), ("own.toml", '"../redmine"'), ("own.toml", "7")]
)
def test_the_other_must_be_a_system_that_comes_with_the_app(file: str, base: str) -> None:
    with pytest.raises(DefinitionError, match=f"{file}: based_on"):
        checked(f"based_on = {base}\n", file)
