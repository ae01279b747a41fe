"""A page can be shortened in order of worth: its parts are marked in the templates."""

from __future__ import annotations

import pytest

from handlers.model import Runbook
from handlers.model.parts import CUTS, PAGE, Part, joined, mark, parts_of
from handlers.runbook.render import render
from handlers.settings import LANGUAGES
from tests.golden import FOLDER, SCENARIOS


def test_marks_divide_a_page_and_may_be_nested() -> None:
    page = f"a {mark('x')}b {mark('y')}c{mark('')} d{mark('')} e"
    assert parts_of(page) == (
        Part("a "), Part("b ", ("x",)), Part("c", ("x", "y")), Part(" d", ("x",)), Part(" e"),
    )  # fmt: skip


def test_what_is_given_up_takes_what_is_in_it_along() -> None:
    parts = parts_of(f"a\n{mark('x')}b\n{mark('y')}c\n{mark('')}{mark('')}d")
    assert joined(parts) == "a\nb\nc\nd\n"
    assert joined(parts, ["y"]) == "a\nb\nd\n"
    assert joined(parts, ["x"]) == "a\nd\n"


def test_a_part_may_stand_in_for_one_that_is_given_up() -> None:
    parts = parts_of(f"{mark('members')}all of them{mark('')}{mark('!members')}42{mark('')}")
    assert joined(parts) == "all of them\n"
    assert joined(parts, ["members"]) == "42\n"


def test_an_end_without_a_beginning_does_no_harm() -> None:
    assert joined(parts_of(f"a{mark('')}b")) == "ab\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_confirmed_stays_whatever_is_given_up(pages: dict[str, Runbook], language: str) -> None:
    page = pages[f"restore_point_group_locked.{language}"]
    short = joined(page.parts, CUTS)
    assert "az lock delete" in short
    assert short.startswith(page.markdown.split("\n", 1)[0])
    assert "Remove-AzResourceLock" not in short, "the same command in another shell is given up"
    assert len(short) < 0.7 * len(page.markdown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_kind_that_is_given_up_makes_some_page_shorter(pages: dict[str, Runbook], language: str) -> None:
    own = [page for name, page in pages.items() if name.endswith(language)]
    for kind in set(CUTS) - {"members"}:
        assert any(len(joined(page.parts, {PAGE, kind})) < len(joined(page.parts, {PAGE} - {kind})) for page in own), kind


def test_the_pages_are_the_golden_ones_without_a_mark(pages: dict[str, Runbook]) -> None:
    assert not [name for name, page in pages.items() if "\x02" in page.markdown or "\x03" in page.markdown]
    assert len(pages) == len(LANGUAGES) * len(SCENARIOS) == len(list(FOLDER.glob("*.md")))


@pytest.fixture(scope="module")
def pages() -> dict[str, Runbook]:
    from datetime import UTC, datetime

    from sandbox.azure import running_azure
    from sandbox.scenario import load_scenarios
    from tests.golden import diagnosis_of

    scenarios = [scenario for scenario in load_scenarios() if scenario.name in SCENARIOS]
    with running_azure(scenarios) as azure:
        found = {scenario.name: diagnosis_of(scenario, azure.url, datetime.now(UTC)) for scenario in scenarios}
    return {f"{name}.{language}": render(diagnosis, language) for name, diagnosis in found.items() for language in LANGUAGES}
