"""What a responder reads keeps to the terms of docs/terms.md, and is the same in every language but for the words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest

from handlers.settings import LANGUAGES
from tests.conftest import ROOT
from tests.test_languages import files_of, words_of

TERMS = ROOT / "docs" / "terms.md"
ALLOWED = {("pt-BR", "cofre"): r"\bcofres?\b(?! de chaves| dos Serviços de Recuperação)"}
"""A term that is ruled out only where it stands alone."""
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def ruled_out(language: str) -> dict[str, re.Pattern[str]]:
    """The terms that the table rules out, each as a pattern."""
    rows = re.findall(
        r"^\| ([\w-]+) \| (.+?) \| .+ \|$", TERMS.read_text(encoding="utf-8").partition("## Not used")[2], re.MULTILINE
    )
    terms = [term for of, term in rows if of == language]
    return {term: re.compile(ALLOWED.get((language, term), rf"\b{re.escape(term)}\b"), re.IGNORECASE) for term in terms}


def prose(template: str) -> str:
    """Without Jinja, code and addresses."""
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", template, flags=re.DOTALL)
    return re.sub(r"`[^`\n]*`|\]\(\S+\)|\{\w+\}", " ", text)


def texts_of(language: str) -> Iterator[tuple[str, str]]:
    """Every text that a ticket in a language may show, with its place."""
    folder = ROOT / "templates" / language
    yield from ((name, prose((folder / name).read_text(encoding="utf-8"))) for name in files_of(language) if name.endswith(".j2"))
    for table, words in words_of(language).items():
        yield from ((f"words.toml [{table}] {name}", prose(text)) for name, text in words.items())
    codes = tomllib.loads((ROOT / "handlers/diagnosis/error_codes.toml").read_text(encoding="utf-8"))
    yield from (
        (code, texts[language]) for code, entry in codes.items() for texts in (entry["title"], entry.get("means")) if texts
    )


@LANGUAGE
def test_no_text_has_a_term_that_the_list_rules_out(language: str) -> None:
    terms = ruled_out(language)
    assert len(terms) > 10
    used = [(place, term) for place, text in texts_of(language) for term, pattern in terms.items() if pattern.search(text)]
    assert used == []


DOCS = (
    "agents",
    "changes",
    "decisions",
    "deploy",
    "page",
    "reliability",
    "risk",
    "routes",
    "sandbox",
    "scale",
    "security",
    "settings",
    "terminal",
)


def test_the_readme_the_docs_and_the_desk_of_the_sandbox_keep_to_the_list() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in DOCS), *(ROOT / "sandbox" / "desk").glob("*.j2")]
    pages += [ROOT / "infra" / "README.md", *(ROOT / "docs" / "tickets").glob("*.md")]
    terms = ruled_out("en")
    used = [
        (page.name, term) for page in pages for term, pattern in terms.items() if pattern.search(prose(page.read_text("utf-8")))
    ]
    assert used == []


def test_the_list_is_read_as_it_stands() -> None:
    vault = ruled_out("pt-BR")["cofre"]
    assert vault.search("no cofre permanecem")
    assert not vault.search("no cofre de chaves e no cofre dos Serviços de Recuperação")
    assert ruled_out("en")["gone"].search("It is gone.")


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_language_fills_in_the_same_values_as_english(language: str) -> None:
    for table, words in words_of("en").items():
        for name, text in words.items():
            placeholders = (sorted(re.findall(r"\{\w+\}", each)) for each in (text, words_of(language)[table][name]))
            assert len({tuple(each) for each in placeholders}) == 1, f"[{table}] {name}"


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_language_names_the_same_values_and_commands_in_each_template(language: str) -> None:
    for name in files_of("en"):
        if name.endswith(".j2"):
            assert printed(language, name) == printed("en", name), name


def printed(language: str, name: str) -> set[str]:
    """What a template prints, but for words of its own."""
    text = (ROOT / "templates" / language / name).read_text(encoding="utf-8")
    return {re.sub(r' (or|else) "[^"]*"', "", each) for each in re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL)}
