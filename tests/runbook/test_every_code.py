"""The rules of a ticket hold for every error code of the catalogue, on both systems and in both languages."""

from __future__ import annotations

from collections import Counter

import pytest

from handlers.model import Diagnosis, Os, Runbook, Verdict
from handlers.runbook.render import render
from handlers.runbook.templates import words_of
from handlers.settings import LANGUAGES
from tests.every_code import codes, diagnoses
from tests.runbook.test_first_screen import MOST, MOST_FIRST, MOST_WITH_CAUSE, SAID_BEFORE, blocks, first_screen, table

pytestmark = pytest.mark.server
LABELS = {"en": ("Risk: ", "Cause:", "Phase:", "Run first"), "pt-BR": ("Risco: ", "Causa:", "Fase:", "Execute primeiro")}


@pytest.fixture(scope="module", params=[(os, language) for os in Os for language in LANGUAGES], ids=lambda each: "-".join(each))
def tickets(request: pytest.FixtureRequest) -> tuple[str, dict[str, tuple[Diagnosis, Runbook]]]:
    """The language, and by code the diagnosis with its page."""
    os, language = request.param
    return language, {code: (each, render(each, language)) for code, each in diagnoses(os).items()}


def test_every_code_of_the_catalogue_is_here() -> None:
    assert len(codes()) >= 135


def test_the_first_screen_has_fifteen_lines_with_risk_cause_phase_and_one_command_that_only_reads(
    tickets: tuple[str, dict[str, tuple[Diagnosis, Runbook]]],
) -> None:
    language, by_code = tickets
    for code, (_, page) in by_code.items():
        screen = first_screen(page.markdown)
        assert screen.count("\n") < MOST_FIRST, code
        assert [label for label in LABELS[language] if screen.count(f"- **{label}") != 1] == [], code
        assert len(blocks(screen)) == 1, code
        assert f"({words_of(language)['effects']['reads']})" in screen, code


def test_a_code_with_causes_says_which_is_confirmed_or_that_none_is(
    tickets: tuple[str, dict[str, tuple[Diagnosis, Runbook]]],
) -> None:
    language, by_code = tickets
    none = {
        "en": "No cause could be confirmed",
        "pt-BR": "Não foi possível confirmar nenhuma causa",
    }
    for code, (diagnosis, page) in by_code.items():
        confirmed = Verdict.CONFIRMED in diagnosis.verdicts.values()
        assert (none[language] in first_screen(page.markdown)) is (not confirmed and bool(diagnosis.findings)), code


def test_a_ticket_is_short_and_says_each_command_once(tickets: tuple[str, dict[str, tuple[Diagnosis, Runbook]]]) -> None:
    for code, (diagnosis, page) in tickets[1].items():
        most = MOST_WITH_CAUSE if Verdict.CONFIRMED in diagnosis.verdicts.values() else MOST
        assert page.markdown.count("\n") <= most, code
        lines = (line.strip() for block in blocks(page.markdown) for line in block.split("\n"))
        said = Counter(line for line in lines if line and not SAID_BEFORE.match(line))
        assert {line for line, count in said.items() if count > 1} == set(), code


def test_every_fact_that_a_finding_names_is_in_the_table_once_and_no_cell_is_empty(
    tickets: tuple[str, dict[str, tuple[Diagnosis, Runbook]]],
) -> None:
    language, by_code = tickets
    labels = words_of(language)["facts"]
    for code, (diagnosis, page) in by_code.items():
        rows = table(page.markdown)
        named = {labels[evidence.fact] for finding in diagnosis.findings for evidence in finding.evidence}
        assert sorted(cells[0] for cells in rows) == sorted(named), code
        assert [cells for cells in rows if {"", "–", "`0`"} & set(cells)] == [], code
