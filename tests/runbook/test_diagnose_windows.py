"""The script for inside the VM: one that only reads, with a line for each cause that it can decide."""

from __future__ import annotations

import re
from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.diagnosis import catalogue
from handlers.facts import GIVEN, all_facts
from handlers.model import (
    Alert,
    Diagnosis,
    Failure,
    Finding,
    Os,
    Reading,
    Reason,
    ResourceId,
    Runbook,
    Unknown,
    Verdict,
    VirtualMachine,
)
from handlers.model.parts import joined
from handlers.runbook.render import render
from handlers.runbook.templates import pieces
from handlers.settings import LANGUAGES
from tests.runbook.test_first_screen import blocks
from tests.test_languages import VAULT, VM

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
WINDOWS_GUEST = {
    "agent_certificate_missing", "agent_not_installed", "agent_outdated_windows", "agent_unresponsive_windows", "antivirus_blocking",
    "app_control_blocking", "backup_extension_failed", "bitlocker_locked", "com_plus_stopped", "desktop_heap_exhausted", "dhcp_disabled",
    "dotnet_broken", "extension_files_missing", "machine_keys_permissions_changed", "os_disk_full", "proxy_interferes", "reboot_pending",
    "sql_vss_conflict", "tls_too_weak", "vcredist_missing", "vss_provider_not_registered", "vss_service_failed", "vss_writer_failed",
    "wireserver_blocked",
}  # fmt: skip
"""The causes of the Windows families that can be seen inside the VM."""
CMDLETS = re.compile(r"(?<![\w$'\"\\.-])([A-Z][a-z]+)-([A-Z]\w+)")
READING = {"Get", "Test", "Find", "Where", "ForEach", "Select", "Sort", "Out", "Write"}
PROGRAMS = ("vssadmin.exe list writers", "vssadmin.exe list providers", "bitsadmin.exe /Util /GetIEProxy LOCALSYSTEM")
SECRETS = r"KeyProtector|RecoveryPassword|ProtectedSettings|PrivateKey|Export-|goalstate|\.xml|sig="


def page_of(causes: list[str], os: Os | None = Os.WINDOWS, language: str = "en", verdict: Verdict = Verdict.UNKNOWN) -> Runbook:
    """A runbook on which nothing but the guest can decide these causes."""
    values: dict[str, Any] = dict.fromkeys((*all_facts(), *GIVEN), Unknown(Reason.NO_DATA))
    values["vm"] = VirtualMachine(VM, "vm-01", "westeurope", os, "Succeeded")
    readings = {name: Reading(value, "x", NOW) for name, value in values.items()}
    failure = Failure(Alert("x"), None, NOW, ResourceId.parse(VAULT), None, "vm-01", ResourceId.parse(VM), "AzureIaasVM")
    findings = tuple(
        Finding(cause, verdict, why=Unknown(Reason.GUEST_ONLY) if verdict is Verdict.UNKNOWN else None) for cause in causes
    )
    return render(Diagnosis(failure, catalogue.error_of("ExtensionSnapshotFailedCOM"), findings, readings, os), language)


def script_of(text: str) -> str:
    (script,) = (block for block in blocks(text) if "function Test-Cause" in block)
    return script


def whole() -> str:
    """The script of the page, which has every cause."""
    text = joined(page_of(["bitlocker_locked"]).parts)
    return max((block for block in blocks(text) if "function Test-Cause" in block), key=len)


def test_every_cause_of_the_windows_families_that_the_guest_shows_has_a_check() -> None:
    assert set(pieces("diagnose_windows")) == WINDOWS_GUEST
    assert [cause for cause in WINDOWS_GUEST if catalogue.cause(cause).os is Os.LINUX] == []


def test_the_page_has_one_script_with_a_line_for_each_of_them() -> None:
    assert len(re.findall(r"^Test-Cause ", whole(), re.MULTILINE)) == len(WINDOWS_GUEST)


def test_the_ticket_has_the_checks_of_its_own_causes() -> None:
    page = page_of(["com_plus_stopped", "vss_provider_not_registered"])
    causes = re.findall(r"^Test-Cause (\w+) \{ ", script_of(page.markdown), re.MULTILINE)
    assert causes == ["com_plus_stopped", "vss_provider_not_registered"]


@pytest.mark.parametrize("cause", sorted(WINDOWS_GUEST))
def test_a_script_of_one_cause_defines_what_it_calls_and_nothing_else(cause: str) -> None:
    script = script_of(page_of([cause]).markdown) if cause not in CHECKED_OUTSIDE else whole()
    defined = set(re.findall(r"^function ([\w-]+)", script, re.MULTILINE))
    called = set(re.findall(r"\b(Test-Cause|Find-\w+) ", re.sub(r"^function .*$", "", script, flags=re.MULTILINE)))
    assert defined == called | {"Test-Cause"}


CHECKED_OUTSIDE = {"agent_not_installed", "agent_outdated_windows", "agent_unresponsive_windows"}
"""Causes whose first check is from outside the VM: the script on the ticket leaves them to it."""


def test_the_script_only_reads() -> None:
    verbs = {verb for verb, _ in CMDLETS.findall(whole())}
    assert verbs <= READING
    programs = re.findall(r"[\w.]+\.exe /?[\w /]+", re.sub(r"[A-Z]:\\\S+|'[^']*'|\"[^\"]*\"", "", whole()))
    assert {program.strip() for program in programs} == set(PROGRAMS)
    assert not re.search(r"[^-]>|\breg add\b|\|\s*Out-File|New-Object|Invoke-|Start-|\bSet-", whole())


def test_the_script_prints_no_secret() -> None:
    assert not re.search(SECRETS, whole(), re.IGNORECASE)
    content = [line for line in whole().split("\n") if "Get-Content" in line]
    assert all("[regex]::Matches(" in line for line in content), "of a log only error codes are printed"


@LANGUAGE
def test_a_ticket_tells_what_the_words_of_a_line_mean_and_which_cause_has_which_line(language: str) -> None:
    page = page_of(["com_plus_stopped", "bitlocker_locked", "desktop_heap_exhausted"], language=language)
    tree = page.markdown.partition("function Test-Cause")[2].partition("```")[2].partition("\n## ")[0]
    line = {"en": "Its line", "pt-BR": "A linha dela"}[language]
    assert all(f"*{word}*" in page.markdown for word in ("FOUND", "CHECK", "OK"))
    assert f"**{page.titles['com_plus_stopped']}**. {line}: `com_plus_stopped`.\n" in tree
    together = [f"`{cause}` {page.titles[cause]}" for cause in ("bitlocker_locked", "desktop_heap_exhausted")]
    assert "; ".join(together) in tree, "one sentence for the causes of a question, since tickets count lines"


def test_a_cause_that_is_possible_keeps_its_reasons() -> None:
    page = page_of(["com_plus_stopped"], verdict=Verdict.POSSIBLE)
    assert re.search(r"^1\. .+ No: \*\*COM\+.+ Its line: `com_plus_stopped`\.$", page.markdown, re.MULTILINE)


def test_where_the_system_is_unknown_the_windows_script_is_there_too() -> None:
    page = page_of(["reboot_pending"], os=None)
    assert "Test-Cause reboot_pending {" in page.markdown
    assert "```bash\n# VMAssist" in page.markdown


def test_a_restore_has_no_script_for_inside_the_vm() -> None:
    diagnosis = Diagnosis(
        replace(Failure(Alert("x"), None, NOW, None, None, "vm-01", ResourceId.parse(VM), "AzureIaasVM")),
        catalogue.error_of("UserErrorInstantRpNotFound"), (), {"vm": Reading(Unknown(Reason.NO_DATA), "x", NOW)}, Os.WINDOWS,
    )  # fmt: skip
    assert "Test-Cause" not in joined(render(diagnosis, "en").parts)


WRITERS = """vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool
(C) Copyright 2001-2013 Microsoft Corp.

Writer name: 'Task Scheduler Writer'
   Writer Id: {d61d61c8-d73a-4eee-8cdd-f6f9786b7124}
   State: [1] Stable
   Last error: No error

Writer name: 'SqlServerWriter'
   State: [8] Failed
   Last error: Non-retryable error

Writer name: 'WMI Writer'
   State: [11] Failed
   Last error: No error

Nome do gravador: 'System Writer'
   Estado: [1] Estável
   Último erro: Nenhum erro
"""


def test_the_pattern_for_writers_sees_states_and_errors_in_what_vssadmin_prints() -> None:
    (pattern,) = re.findall(r"\$line -match '(\\\[.+)'\) \{", whole())
    bad = [line.strip() for line in WRITERS.split("\n") if re.search(pattern, line)]
    assert bad == ["State: [8] Failed", "Last error: Non-retryable error", "State: [11] Failed"]
