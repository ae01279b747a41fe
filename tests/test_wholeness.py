"""Nothing is half there: every code has causes, every cause its texts and tests, every fact its label, every setting its page."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from handlers.diagnosis import catalogue
from handlers.facts import GIVEN, all_facts
from handlers.model import Reason, Verdict
from handlers.runbook.page import DIAGNOSES
from handlers.settings import LANGUAGES, SETTING_NAMES
from tests.conftest import ROOT
from tools.docs import written
from tools.new_cause import stubs

SEED_CODES = (
    "UserErrorGuestAgentStatusUnavailable", "GuestAgentSnapshotTaskStatusError", "UserErrorRpCollectionLimitReached",
    "UserErrorKeyVaultPermissionsNotConfigured", "ExtensionSnapshotFailedNoNetwork", "ExtensionOperationFailedForManagedDisks",
    "BackUpOperationFailed", "BackUpOperationFailedV2", "UserErrorUnsupportedDiskSize", "UserErrorBackupOperationInProgress",
)  # fmt: skip
CAUSES = sorted({cause for entry in catalogue.entries().values() for cause in entry.causes})


def test_every_code_of_the_source_document_is_in_the_catalogue() -> None:
    assert set(SEED_CODES) <= set(catalogue.entries())


def test_there_are_at_least_thirty_causes_and_no_module_without_a_code() -> None:
    modules = {path.stem for path in (ROOT / "handlers" / "causes").glob("[a-z]*.py")}
    assert modules == set(CAUSES)
    assert len(modules) >= 30


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_names_known_facts_only(cause: str) -> None:
    assert set(catalogue.cause(cause).facts) <= set(all_facts()) | set(GIVEN)


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cause_has_its_text_in_every_language(cause: str, language: str) -> None:
    text = (ROOT / "templates" / language / "causes" / f"{cause}.md.j2").read_text(encoding="utf-8")
    for block in ("title", "why", "steps"):
        assert f"{{% block {block} %}}" in text
    assert "{% call step() %}" in text


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_has_its_tests(cause: str) -> None:
    named = [path for path in (ROOT / "tests" / "causes").rglob("test_*.py") if cause in path.read_text(encoding="utf-8")]
    assert named


def test_no_stub_of_a_cause_is_left_to_be_filled_in() -> None:
    folders = [
        ROOT / "handlers" / "causes",
        ROOT / "tests" / "causes",
        *(ROOT / "templates" / name / "causes" for name in LANGUAGES),
    ]
    assert [
        path.name
        for folder in folders
        for path in folder.iterdir()
        if path.is_file() and "TODO" in path.read_text(encoding="utf-8")
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_the_code_needs_is_there(language: str) -> None:
    words = tomllib.loads((ROOT / "templates" / language / "words.toml").read_text(encoding="utf-8"))
    assert set(words["facts"]) == set(all_facts()) | set(GIVEN)
    assert set(words["reasons"]) == {reason.value for reason in Reason}
    assert set(words["verdicts"]) == {verdict.value for verdict in Verdict}


def test_every_command_template_has_its_table_and_every_table_a_template() -> None:
    folder = ROOT / "templates" / "commands"
    tables = tomllib.loads((folder / "commands.toml").read_text(encoding="utf-8"))
    files = {path.name.partition(".")[0] for path in folder.glob("*.j2")}
    assert files == set(tables)
    for name, table in tables.items():
        assert table["run"] in ("operator", "guest"), name
        assert table["effect"] in ("reads", "changes", "deletes", "downtime"), name
        assert {table.get("look"), table.get("undo")} - {None} <= set(tables), name
        suffixes = {path.name.split(".")[1] for path in folder.glob(f"{name}.*.j2")}
        assert table["run"] == "guest" or suffixes == {"sh", "ps1"}, name


def test_every_command_is_used() -> None:
    tables = tomllib.loads((ROOT / "templates" / "commands" / "commands.toml").read_text(encoding="utf-8"))
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates" / "en").rglob("*.j2"))
    used = set(re.findall(r'(?:run|actions|script)\("(\w+)"', text)) | set(
        re.findall(r'"(\w+)"', "".join(re.findall(r"actions\(([^)]*)\)", text)))
    )
    used |= set(re.findall(r'return \("(\w+)",\)', (ROOT / "handlers" / "runbook" / "page.py").read_text(encoding="utf-8")))
    used |= {part for name in used if name in tables for part in (tables[name].get("look"), tables[name].get("undo")) if part}
    used |= set(DIAGNOSES.values())
    assert set(tables) - used == set()


def test_every_setting_has_its_place_in_the_docs() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in (*SETTING_NAMES, "AzureWebJobsStorage") if f"`{name}`" not in text] == []


def test_what_is_written_from_the_code_is_what_the_code_says() -> None:
    """docs/causes.md, the lists of ticketing systems, languages, verdicts and settings, and the role in Azure."""
    assert [path.name for path, text in written().items() if path.read_text(encoding="utf-8") != text] == [], "run `make docs`"


def test_every_dependency_has_its_line_in_the_decisions() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    named = [line.split("==")[0] for file in ("requirements.txt", "requirements-dev.txt")
             for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if "==" in line]  # fmt: skip
    assert [name for name in named if not name.startswith("types-") and f"`{name}`" not in text] == []


def test_a_new_cause_gets_stubs_for_every_place_that_it_needs() -> None:
    paths = {path.relative_to(ROOT).as_posix() for path in stubs("clock_is_wrong")}
    texts = {f"templates/{language}/causes/clock_is_wrong.md.j2" for language in LANGUAGES}
    assert paths == {"handlers/causes/clock_is_wrong.py", "tests/causes/test_clock_is_wrong.py"} | texts


@pytest.mark.parametrize("cause", ["", "agent", "Agent_X", "../../x_y", "agent_not_installed"])
def test_a_bad_or_taken_cause_id_is_refused(cause: str) -> None:
    with pytest.raises(ValueError, match="ID="):
        stubs(cause)


def test_no_file_holds_the_marks_of_a_merge() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    texts = [ROOT / name for name in listed if name.endswith((".md", ".py", ".toml", ".j2", ".yaml", ".bicep"))]
    assert [
        path.name
        for path in texts
        if path.is_file() and any(line.startswith(marks) for line in path.read_text(encoding="utf-8").splitlines())
    ] == []
