"""All languages say the same: the same files, headings, steps and commands."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.diagnosis import catalogue
from handlers.facts import GIVEN, all_facts
from handlers.model import (
    Alert,
    Diagnosis,
    Disk,
    DiskKey,
    Error,
    Extension,
    Failure,
    Finding,
    Job,
    KeyVault,
    Lock,
    Os,
    OutboundAccess,
    Reading,
    Reason,
    ResourceId,
    RestorePoint,
    RestorePointCollection,
    Runbook,
    SnapshotPolicy,
    Unknown,
    Verdict,
    VirtualMachine,
)  # fmt: skip
from handlers.runbook.render import render
from handlers.settings import LANGUAGES, languages
from tests.conftest import ROOT

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
others = pytest.mark.parametrize("language", LANGUAGES[1:])
CAUSES = sorted({cause for entry in catalogue.entries().values() for cause in entry.causes})
SUBSCRIPTION = "/subscriptions/11111111-aaaa-bbbb-cccc-000000000001"
VM = f"{SUBSCRIPTION}/resourceGroups/rg.app(prod)/providers/Microsoft.Compute/virtualMachines/vm-01"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv"
KEY_VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults"
RICH: dict[str, Any] = {
    "restore_point_group_locks": (Lock(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/a b", "a b", "ReadOnly", SUBSCRIPTION, "ask $(ops)"),),
    "restore_point_collections": (RestorePointCollection("/c", "AzureBackup_vm-01_1", "AzureBackupRG_x_1", "Succeeded", (RestorePoint("p"),)),),
    "extensions": (Extension("Monitor", "A.B", state="failed/1"), Extension("VMSnapshot", "A.VMSnapshot", state="failed/1")),
    "disks": (Disk("os", "/d", size_gib=40_000, state="ActiveSAS"),),
    "disk_keys": (DiskKey("secret", "https://kv-a.vault.azure.net/secrets/bek/1", f"{KEY_VAULT}/kv-a"),
                  DiskKey("key", "https://kv-a.vault.azure.net/keys/kek/1", f"{KEY_VAULT}/kv-a")),
    "key_vaults": (KeyVault(f"{KEY_VAULT}/kv-a", "kv-a", True, needs=("key", "secret")), KeyVault(f"{KEY_VAULT}/kv-b", "kv-b", True, rbac=True),
                   KeyVault(f"{KEY_VAULT}/kv-c", "kv-c", False, soft_deleted=True)),
    "overlapping_backup_jobs": (Job("j1", "InProgress", "Backup", started_at=NOW), Job("j2", "Completed", "Backup", started_at=NOW, ended_at=NOW)),
    "outbound_access": OutboundAccess(("unmanaged_disk",), False, "nsg-shop/Deny"),
    "snapshot_policy": SnapshotPolicy("policy", "V1", 2),
    "power_state": "stopped",
}  # fmt: skip


def runbook(cause: str, verdict: Verdict, os: Os | None, facts: dict[str, Any], language: str) -> Runbook:
    machine: Any = (
        VirtualMachine(VM, "vm-01", "westeurope", os, "Succeeded", "ubuntu" if os is Os.LINUX else "")
        if facts
        else Unknown(Reason.FORBIDDEN)
    )
    values = {name: Reading(facts.get(name, Unknown(Reason.FORBIDDEN)), "x", NOW) for name in (*all_facts(), *GIVEN)} | {
        "vm": Reading(machine, "x", NOW)
    }
    known = bool(facts)
    failure = Failure(
        Alert("x"),
        None,
        NOW,
        ResourceId.parse(VAULT) if known else None,
        None,
        "vm-01",
        ResourceId.parse(VM) if known else None,
        "AzureIaasVM",
    )
    finding = Finding(cause, verdict, why=Unknown(Reason.GUEST_ONLY) if verdict is Verdict.UNKNOWN else None)
    return render(Diagnosis(failure, Error("UserErrorX"), (finding,), values, os), language)


def files_of(language: str) -> list[str]:
    folder = ROOT / "templates" / language
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def words_of(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "templates" / language / "words.toml").read_text(encoding="utf-8"))


def test_english_is_the_first_language_and_the_others_are_the_folders_beside_it(tmp_path: Path) -> None:
    assert LANGUAGES[0] == "en"
    for name in ("de", "en", "af"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "words.toml").touch()
    (tmp_path / "commands").mkdir()
    assert languages(tmp_path) == ("en", "af", "de")


@others
def test_a_language_has_the_same_files_as_english(language: str) -> None:
    assert files_of(language) == files_of("en")


@others
def test_a_language_has_the_same_words_as_english(language: str) -> None:
    english, other = words_of("en"), words_of(language)
    assert {table: sorted(words) for table, words in other.items()} == {table: sorted(words) for table, words in english.items()}
    for name, text in english["messages"].items():
        assert sorted(re.findall(r"\{\w+\}", other["messages"][name])) == sorted(re.findall(r"\{\w+\}", text)), name


@others
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("os", [Os.WINDOWS, Os.LINUX, None])
@pytest.mark.parametrize("facts", [RICH, {}], ids=["rich", "bare"])
def test_a_cause_has_the_same_headings_steps_and_commands_as_in_english(
    cause: str, os: Os | None, facts: dict[str, Any], language: str
) -> None:
    english, other = (runbook(cause, Verdict.CONFIRMED, os, facts, each) for each in ("en", language))
    assert re.findall(r"^#+", other.markdown, re.M) == re.findall(r"^#+", english.markdown, re.M)
    assert [step.commands for step in other.steps[cause]] == [step.commands for step in english.steps[cause]]
    assert len(english.steps[cause]) > 0
    assert other.titles[cause] != english.titles[cause]


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("os", [Os.WINDOWS, Os.LINUX])
def test_only_the_affected_vms_system_appears(cause: str, os: Os) -> None:
    if (only := catalogue.cause(cause).os) and only is not os:
        return
    lines = "\n".join(
        c.line for step in runbook(cause, Verdict.UNKNOWN, os, RICH, "en").steps[cause] for c in step.commands if c.run == "guest"
    )
    foreign = ("systemctl", "sudo ") if os is Os.WINDOWS else ("Get-Service", "Get-WinEvent", "msiexec", "Test-NetConnection")
    assert [word for word in foreign if word in lines] == []


@pytest.mark.parametrize("cause", CAUSES)
def test_a_change_is_labelled_and_never_the_first_thing_unless_nothing_can_be_looked_at(cause: str) -> None:
    page = runbook(cause, Verdict.CONFIRMED, None, RICH, "en")
    for step in page.steps[cause]:
        for command in step.commands:
            assert command.effect in ("reads", "changes", "deletes", "downtime")
            if command.effect == "deletes":
                looks = [found for found in step.commands if found.role == "look"]
                assert looks, f"{command.action} deletes without a look before it"


@pytest.mark.parametrize("cause", CAUSES)
def test_names_with_parentheses_and_spaces_are_quoted_in_every_command(cause: str) -> None:
    for step in runbook(cause, Verdict.CONFIRMED, None, RICH, "en").steps[cause]:
        for command in step.commands:
            assert not re.search(r"(?<!['\w/.;])rg\.app\(prod\)(?!['\w/;])", command.line.replace("'", "'")), command.line
            unquoted = re.sub(r"'(?:[^']|'\"'\"'|'')*'|\"[^\"]*\"", "", command.line)
            assert "(prod)" not in unquoted, command.line


def test_every_shell_line_is_valid_bash() -> None:
    import subprocess

    for cause in CAUSES:
        for os in (Os.LINUX, None):
            for step in runbook(cause, Verdict.CONFIRMED, os, RICH, "en").steps[cause]:
                for command in step.commands:
                    if command.shell == "bash":
                        checked = subprocess.run(["bash", "-n"], input=command.line.encode(), capture_output=True)
                        assert checked.returncode == 0, f"{command.action}: {checked.stderr.decode()}\n{command.line}"
