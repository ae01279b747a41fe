"""Every code makes a ticket that fits: its title, causes of its operation and system, a first screen, words of what failed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handlers.diagnosis import catalogue
from handlers.diagnosis.diagnose import diagnose, facts_needed
from handlers.model import Alert, Diagnosis, Failure, Job, JobError, JobTask, Os, Reading, Reason, ResourceId, Runbook, Unknown
from handlers.model import VirtualMachine as Machine
from handlers.model.failure import VM_WORKLOAD, operation_named
from handlers.model.parts import joined
from handlers.model.storm import members_of, opened
from handlers.runbook.render import render, render_storm
from handlers.runbook.templates import words_of
from handlers.settings import LANGUAGES
from tests.conftest import ROOT
from tests.runbook.test_first_screen import MOST_FIRST, blocks, first_screen
from tests.stories.test_storm_life import incident
from tests.test_languages import VAULT, VM

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
FACTS = next((path for folder in ROOT.parents if (path := folder / "shared/facts/error_codes.yaml").is_file()), None)
CODES = tuple(code for code in catalogue.entries() if code != "unknown")
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
LABELS = {"en": ("Risk: ", "Cause:", "Phase:", "Run first"), "pt-BR": ("Risco: ", "Causa:", "Fase:", "Execute primeiro")}
FAILED_BACKUP = {
    "en": r"(?<!Configuring the )backup (?:of \S+ )?failed|failed backup|backup-now|run the backup again|Run a backup",
    "pt-BR": r"falha no backup|backup que falhou|backup-now|execute o backup de novo|Executar um backup",
}
"""What a ticket never says when something else than a backup failed, but where the words are Azure's or the catalogue's."""
PLACEHOLDERS = (
    r"<(?:vm|vault|vm-group|vault-group|vm-id|vault-id|subscription|resource group|name)>|\{(?!http_code)\w+\}|\{\{|\}\}|\{%"
)
ONLY_THE_VMS_BACKUP = {"backup_extension_failed", "antivirus_blocking", "backup_in_progress"}
"""Causes that concern VMSnapshot or other backups of the VM: they cannot be why a database's backup failed."""


def failure_of(code: str, operation: str, workload: str = VM_WORKLOAD) -> Failure:
    job = Job(
        "job-1", "Failed", operation, "vm-01", started_at=NOW - timedelta(hours=1), ended_at=NOW, scheduled=True,
        errors=(JobError(0, code, "Azure said so.", ("Do what Azure recommends.",)),), tasks=(JobTask("Some Task", "Failed"),),
    )  # fmt: skip
    vault, vm, named = ResourceId.parse(VAULT), ResourceId.parse(VM), operation_named(operation)
    return Failure(Alert("x"), job, NOW, vault, None, "vm-01", vm, workload, operation=named)


def diagnosis_of(failure: Failure, os: Os) -> Diagnosis:
    """What is known when Azure tells nothing but the VM itself."""
    error = catalogue.classify(failure.alert, failure.job)
    values: dict[str, Any] = dict.fromkeys(facts_needed(failure, error), Unknown(Reason.FORBIDDEN))
    values |= {"vm": Machine(VM, "vm-01", "westeurope", os, "Succeeded", "ubuntu" if os is Os.LINUX else "")}
    return diagnose(failure, error, {name: Reading(value, "x", NOW) for name, value in values.items()})


@cache
def walked(language: str) -> tuple[tuple[str, Os, Diagnosis, Runbook], ...]:
    """All codes on both systems, each rendered once for all tests."""
    return tuple(_walk(language))


def _walk(language: str) -> Iterator[tuple[str, Os, Diagnosis, Runbook]]:
    for code in CODES:
        operation = {"backup": "Backup", "restore": "Restore", "configure": "ConfigureBackup", "register": "Register"}
        for os in Os:
            diagnosis = diagnosis_of(failure_of(code, operation[catalogue.entry(code).operation]), os)
            yield code, os, diagnosis, render(diagnosis, language)


@LANGUAGE
def test_a_ticket_names_its_code_what_it_means_and_microsofts_article(language: str) -> None:
    for code, _, diagnosis, page in walked(language):
        known = catalogue.entry(code)
        assert diagnosis.error.code == code
        assert known.title[language] in page.title, code
        assert f"`{code}`. {known.title[language]};" in page.markdown, code
        assert known.means[language] in page.markdown, code
        assert f"]({known.doc})" in page.markdown, code


@LANGUAGE
def test_the_first_screen_keeps_its_rules_for_every_code(language: str) -> None:
    for code, os, _, page in walked(language):
        screen = first_screen(page.markdown)
        assert screen.count("\n") < MOST_FIRST, (code, os)
        assert [label for label in LABELS[language] if screen.count(f"- **{label}") != 1] == [], (code, os)
        assert len(blocks(screen)) == 1, (code, os)
        assert f"({words_of(language)['effects']['reads']})" in screen, (code, os)


@LANGUAGE
def test_every_name_is_filled_in(language: str) -> None:
    for code, os, _, page in walked(language):
        known = re.findall(PLACEHOLDERS, page.title + first_screen(page.markdown))
        assert known == [], (code, os)
        assert not re.search(r"\{(item|failed|many)\}", joined(page.parts)), (code, os)


@pytest.mark.parametrize(("operation", "causes"), [("Backup", {"platform_incident"}),
                                                   ("Restore", {"platform_incident", "restore_quota", "restore_sku_unavailable"})])  # fmt: skip
def test_a_code_of_both_has_the_causes_of_what_failed(operation: str, causes: set[str]) -> None:
    assert set(diagnosis_of(failure_of("AllocationFailed", operation), Os.LINUX).verdicts) == causes


def test_a_restore_with_an_unknown_code_has_no_causes_of_a_backup() -> None:
    assert diagnosis_of(failure_of("UserErrorNobodyKnows", "Restore"), Os.LINUX).verdicts == {}


def test_a_ticket_has_the_causes_of_its_code_that_fit_the_system() -> None:
    for code, os, diagnosis, _ in walked(LANGUAGES[0]):
        known = map(catalogue.cause, catalogue.entry(code).causes)
        fails = catalogue.entry(code).operation
        listed = [cause.id for cause in known if cause.os in (None, os) and (cause.operation != "restore" or fails == "restore")]
        assert sorted(finding.cause for finding in diagnosis.findings) == sorted(listed), (code, os)


@LANGUAGE
def test_a_ticket_never_speaks_of_a_failed_backup_when_something_else_failed(language: str) -> None:
    for code, os, _, page in walked(language):
        known = catalogue.entry(code)
        if known.operation != "backup":
            text = f"{page.title}\n{page.markdown}".replace(known.title[language], "").replace(known.means[language], "")
            assert words_of(language)["failed"][known.operation].format(item="vm-01") in page.title, code
            assert re.findall(FAILED_BACKUP[language], text, re.IGNORECASE) == [], (code, os)


@LANGUAGE
def test_a_code_without_causes_shows_azures_message_what_azure_recommends_and_the_article(language: str) -> None:
    for code, os, diagnosis, page in walked(language):
        if not diagnosis.findings:
            assert "`Azure said so.`" in page.markdown, (code, os)
            assert "- `Do what Azure recommends.`" in page.markdown, (code, os)


@LANGUAGE
def test_a_databases_ticket_has_no_command_that_backs_up_the_vm_and_no_cause_of_the_vms_backup(language: str) -> None:
    for code, os, diagnosis, page in walked(language):
        if catalogue.entry(code).workload:
            assert "backup-now" not in page.markdown, (code, os)
            assert not ONLY_THE_VMS_BACKUP & set(diagnosis.verdicts), (code, os)


@pytest.mark.parametrize(
    ("workload", "article"),
    [
        ("SQLDataBase", "backup-sql-server-azure-troubleshoot"),
        ("SAPHanaDatabase", "backup-azure-sap-hana-database-troubleshoot"),
        ("AzureFileShare", "troubleshoot-azure-files"),
    ],
)
def test_another_workload_with_a_code_of_its_own_gets_its_article_and_no_causes_of_a_vm(workload: str, article: str) -> None:
    diagnosis = diagnosis_of(failure_of("UserErrorOfThisWorkload", "Backup", workload), Os.WINDOWS)
    page = render(diagnosis, "en")
    assert diagnosis.findings == ()
    assert f"https://learn.microsoft.com/azure/backup/{article})" in page.markdown
    assert "`Azure said so.`" in page.markdown
    assert "vm-01` in resource group" in page.markdown


def test_what_the_job_says_that_it_is_counts_more_than_what_usually_fails_with_the_code() -> None:
    code = "UserErrorInvalidManagedDiskOperation"
    titles = [render(diagnosis_of(failure_of(code, operation), Os.LINUX), "en").title for operation in ("Backup", "Restore")]
    assert [title.partition(":")[0] for title in titles] == ["Backup of vm-01 failed", "Restore of vm-01 failed"]


@LANGUAGE
def test_a_storm_of_restores_speaks_of_restores(language: str) -> None:
    code = "UserErrorSkuNotAvailable"
    storm = opened(None, "westeurope", code, NOW)
    assert storm
    members = members_of([incident(number, code=code) for number in range(2)])
    page = render_storm(storm, members, diagnosis_of(failure_of(code, "Restore"), Os.LINUX), language)
    many = words_of(language)["many"]["restore"]
    assert page.title.startswith(f"2 {many}")
    assert page.markdown.startswith(f"# 2 {many}")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Restore point creation failed due to a COM+ error.", "ExtensionSnapshotFailedCOM"),
        ("insufficient memory available in COM+ memory quota", "ExtensionInstallProviderCOMMemoryQuotaReached"),
        ("VSS Writers in bad state", "ExtensionFailedVssWriterInBadState"),
        ("failed to install Visual C++ Redistributable for Visual Studio 2012", "ExtensionVCRedistInstallationFailure"),
        ("due to inadequate VM resources", "ExtensionFailedTimeoutVMNetworkUnresponsive"),
        ("Shared disks is not supported", "UserErrorSharedDiskBackupNotSupported"),
        ("too many concurrent 'Create RestorePoint' requests", "UserErrorBackupOperationInProgress"),
        (
            "Changes were made to the Virtual Machine while the operation 'Create Restore Point' ran",
            "ExtensionOperationInProgress",
        ),
    ],
)
def test_a_wrapper_is_taken_for_what_its_message_says(message: str, code: str) -> None:
    job = Job("j", errors=(JobError(0, "VMRestorePointClientError", message),))
    assert catalogue.classify(Alert("x"), job).code == code


@pytest.mark.parametrize(
    ("number", "code"), [(320001, "ResourceNotFound"), (400094, "BCMV2VMNotFound"), (380008, "AzureVmOffline")]
)
def test_the_documented_numbers_lead_to_their_codes(number: int, code: str) -> None:
    assert catalogue.classify(Alert("x"), Job("j", errors=(JobError(number, "", ""),))).code == code


def test_a_code_with_a_hyphen_is_found_in_a_sentence() -> None:
    assert catalogue.classify(Alert("x", message="Failed: Pre-ScriptNotFound."), None).code == "Pre-ScriptNotFound"


def test_the_tables_read_one_by_one_are_those_of_the_whole_file() -> None:
    whole = tomllib.loads(catalogue.TABLES.read_text(encoding="utf-8"))
    assert list(catalogue.entries()) == list(whole)
    for key in ("aliases", "numbers", "messages"):
        stated = {str(value): code for code, table in whole.items() for value in table.get(key, ())}
        assert catalogue._listed(key) == stated
    for code, table in whole.items():
        known = catalogue.entry(code)
        assert {key: list(value) if isinstance(value := getattr(known, key), tuple) else value for key in table} == table


def test_only_the_tables_that_are_met_are_parsed() -> None:
    catalogue.entry.cache_clear()
    catalogue.classify(Alert("x", error_code="UserErrorSkuNotAvailable"), None)
    assert catalogue.entry.cache_info().currsize == 1


@pytest.mark.skipif(FACTS is None, reason="the researched facts are not there")
def test_the_catalogue_agrees_with_the_researched_facts() -> None:
    import yaml

    causes = {path.stem for path in Path(catalogue.CAUSES).glob("[a-z]*.py")}
    assert FACTS
    facts = yaml.safe_load(FACTS.read_text(encoding="utf-8"))["codes"]
    assert [fact["code"] for fact in facts] == list(CODES)
    for fact in facts:
        known = catalogue.entry(fact["code"])
        unfit = ONLY_THE_VMS_BACKUP if known.workload else set()
        named = [cause["id"] for cause in fact["causes"] if cause["id"] in causes - unfit]
        assert (known.category, known.transient, list(known.causes)) == (fact["category"], fact["transient"], named), known.code
        assert known.operation == "backup" or known.operation in fact["operation"], known.code
        assert list(known.numbers) == fact["numeric_ids"], known.code
        assert {catalogue.fold(name) for name in fact["aliases"] if " " not in name} <= spellings(known), known.code


def spellings(known: catalogue.Entry) -> set[str]:
    return {catalogue.fold(name) for name in (known.code, *known.aliases)}
