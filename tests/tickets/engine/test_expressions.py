"""Expressions in a system's file: values stay values, nothing is pasted into text, nothing reaches out of the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.tickets.engine.expressions import BadExpression, compiled, evaluated, expressions_in, filled, holds

HOSTILE = [
    "''.__class__.__mro__[1].__subclasses__()",
    "one.__init__.__globals__",
    "one['__class__']['__base__']",
    "one | attr('__class__') | attr('__base__')",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "lipsum.__globals__['os'].system('id')",
    "namespace.__init__.__globals__",
    "(one.__class__,)",
    "'{0.__class__}'.format(one)",
    "one.items.__func__",
]


class One:
    """An object whose attributes lead out, if anything can."""

    value = 1


@pytest.mark.parametrize("expression", HOSTILE)
def test_an_expression_cannot_leave_the_sandbox(expression: str) -> None:
    try:
        found = evaluated(f"= {expression}", {"one": One()})
    except BadExpression:
        return
    assert "class" not in str(found), "an object of Python was reached"
    assert not callable(found)


def test_an_expression_that_reaches_for_pythons_insides_is_bad() -> None:
    with pytest.raises(BadExpression, match="asks for what is not there"):
        evaluated("= ''.__class__.__mro__", {})
    with pytest.raises(BadExpression):
        evaluated("= cycler.__init__.__globals__.os", {})


@pytest.mark.parametrize("broken", ["= one[", "= ", "= one two", "= {% if %}", "= one | nothing", "= }}{{ 7 }}", "= 'x"])
def test_a_broken_expression_is_named(broken: str) -> None:
    with pytest.raises(BadExpression) as caught:
        compiled(broken[1:])
    assert repr(broken[1:].strip()) in str(caught.value)


@pytest.mark.parametrize(
    "failing",
    ["one.a.b", "1 / 0", "one | int + 'x'", "'x' | cut(none)", "[1] | compact", "dict(5)", "range(99999999)", "one.missing()"],
)
def test_an_expression_that_fails_is_named_without_the_values_in_it(failing: str) -> None:
    with pytest.raises(BadExpression) as caught:
        evaluated(f"= {failing}", {"one": "hunter2"})
    assert failing in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_is_not_there_is_none() -> None:
    assert evaluated("= nobody", {}) is None
    assert evaluated("= answer.nothing", {"answer": {}}) is None
    assert evaluated("= answer.nothing", {"answer": None}) is None
    assert not holds("= answer.nothing", {"answer": [1]})


def test_a_value_goes_in_as_a_value() -> None:
    names = {"one": {"id": 7}, "many": [1, 2], "text": "= nobody {{ 7 * 7 }}"}
    assert evaluated({"a": "= one.id", "b": "= many", "c": "= text", "d": "plain", "e": 5, "f": True}, names) == {
        "a": 7, "b": [1, 2], "c": "= nobody {{ 7 * 7 }}", "d": "plain", "e": 5, "f": True,
    }  # fmt: skip


@given(st.text())
def test_no_text_is_evaluated_or_changed_on_its_way(text: str) -> None:
    assert evaluated({"a": ["= text", {"b": "= 'x' ~ text"}]}, {"text": text}) == {"a": [text, {"b": f"x{text}"}]}
    assert evaluated("= text", {"text": f"= {text}"}) == f"= {text}"


def test_an_entry_that_is_none_is_left_out_and_an_empty_one_is_not() -> None:
    assert evaluated({"a": "= none", "b": "", "c": 0, "d": {"e": "= nobody"}, "f": ["= none"]}, {}) == {
        "b": "",
        "c": 0,
        "d": {},
        "f": [None],
    }


def test_further_entries_come_last_and_win() -> None:
    table = {"a": 1, "b": 2, "+": "= more"}
    assert evaluated(table, {"more": {"b": 3, "c": "= a"}}) == {"a": 1, "b": 3, "c": "= a"}
    assert evaluated(table, {"more": {"b": None}}) == {"a": 1}
    nothings: list[dict[str, Any]] = [{}, {"more": None}, {"more": {}}]
    for nothing in nothings:
        assert evaluated(table, nothing) == {"a": 1, "b": 2}


@pytest.mark.parametrize("more", ["text", 5, ["a"], [["a", 1]], True])
def test_further_entries_that_are_no_mapping_are_bad(more: Any) -> None:
    with pytest.raises(BadExpression, match="not a mapping"):
        evaluated({"+": "= more"}, {"more": more})


def test_a_lazy_list_is_a_list() -> None:
    assert evaluated("= many | map(attribute='id')", {"many": [{"id": 1}, {"id": 2}]}) == [1, 2]
    assert json.dumps(evaluated({"a": "= many | select"}, {"many": [0, 1]})) == '{"a": [1]}'


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a/b", "/x/a%2Fb"), ("a b?c#d&e=f", "/x/a%20b%3Fc%23d%26e%3Df"), ("../..", "/x/..%2F.."), ("%2e", "/x/%252e"), ("é", "/x/%C3%A9"),
        ("a\r\nb", "/x/a%0D%0Ab"), (7, "/x/7"), ("https://evil.example", "/x/https%3A%2F%2Fevil.example"), ("\ud800", "/x/%3F"), ("{a}", "/x/%7Ba%7D"),
    ],
)  # fmt: skip
def test_a_part_of_a_path_is_percent_encoded(value: Any, path: str) -> None:
    assert filled("/x/{one}", {"one": value}) == path


def test_a_part_of_a_path_may_keep_its_slashes_and_nothing_else() -> None:
    assert filled("/repos/{one | slashes}/issues", {"one": "o/r s?#"}) == "/repos/o/r%20s%3F%23/issues"
    assert filled("{one|slashes}", {"one": "https://evil.example"}) == "https%3A//evil.example"


@pytest.mark.parametrize("value", [None, "", ".", ".."])
def test_a_part_of_a_path_that_would_lead_elsewhere_is_bad(value: Any) -> None:
    with pytest.raises(BadExpression, match="a part of a path"):
        filled("/tickets/{one}/close", {"one": value})


def test_a_path_without_expressions_is_taken_as_it_is() -> None:
    assert filled("/_apis/wit/workitems/$Task", {}) == "/_apis/wit/workitems/$Task"


def test_every_expression_of_a_step_is_found() -> None:
    step = {
        "path": "/a/{b}/{c | slashes}",
        "json": {"d": ["= e", {"+": "= f"}], "g": "h {i}"},
        "query": {"path": "= j"},
        "when": "= k",
    }
    assert {one.strip() for one in expressions_in(step)} == {"b", "c | slashes", "e", "f", "j", "k"}


def test_the_filters() -> None:
    assert evaluated("= 'abcdef' | cut(4)", {}) == "abc…"
    assert evaluated("= 'abcd' | cut(4)", {}) == "abcd"
    assert evaluated("= {'a': none, 'b': 0} | compact", {}) == {"b": 0}
    assert evaluated("= ['x', 'y'] | each('text', type='mrkdwn') | each('text', type='section')", {}) == [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in ("x", "y")
    ]
    assert evaluated("= text | chunks(19)", {"text": "first\n\nsecond\n\nthird"}) == ["first\n\nsecond", "third"]
