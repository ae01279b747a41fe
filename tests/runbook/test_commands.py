"""The command lines of runbooks: what each is labelled, what stands before and after it, and that it does what it says."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.diagnosis import catalogue
from handlers.model import Command, Os
from handlers.runbook.templates import actions, words_of
from handlers.settings import LANGUAGES
from tests.conftest import ROOT
from tools import check_commands
from tools.command_samples import samples

installed = pytest.mark.skipif(
    not check_commands.is_installed(), reason="the checker of commands is not there: make check-commands"
)
ran_by_hand = pytest.mark.skipif(not os.environ.get("RUN_AZ"), reason="takes a minute: RUN_AZ=1, or make check-commands")
ALL = [command for sample in samples().values() for action in actions() for command in sample(action)]
CHANGING = sorted(name for name, action in actions().items() if action.effect != "reads")
UNDOS = {action.undo for action in actions().values() if action.undo and not actions()[action.undo].look}
"""What is only ever done to take a change back. What stands for itself too has a check before it."""


@installed
@pytest.mark.server
@pytest.mark.timeout(300)
def test_the_checker_has_nothing_to_say_about_any_template_with_ordinary_hostile_or_no_values_and_about_how_to_deploy(
    tmp_path: Path,
) -> None:
    ran = check_commands.check(*check_commands.render_all(tmp_path / "commands"), *check_commands.deployment_pages(tmp_path))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@installed
@ran_by_hand
@pytest.mark.timeout(300)
def test_the_checker_has_nothing_to_say_about_the_golden_runbooks() -> None:
    ran = check_commands.check(check_commands.GOLDEN)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@installed
@ran_by_hand
@pytest.mark.timeout(900)
def test_the_real_az_runs_every_block_that_only_reads() -> None:
    ran = check_commands.run_az(*sorted(check_commands.GOLDEN.glob("*.md")))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_az_command_names_its_subscription() -> None:
    """`az lock --ids` takes the default subscription whatever the id says, so an id is enough for the others only."""
    scripts = [
        c.line for name in ("windows", "none") for action in actions() for c in samples()[name](action) if c.shell == "bash"
    ]
    lines = {line for script in scripts for line in re.split(r"\n|\$\(|\| *xargs[^|]*?(?=az )", script)}
    calls = {call for line in lines for call in re.findall(r"\baz [a-z].*", line)}
    elsewhere = ("az account list", "az ad sp show", "az rest ")
    named = re.compile(r" --subscription | --ids ")
    assert [call for call in calls if not call.startswith(elsewhere) and not named.search(call + " ")] == []
    assert [call for call in calls if call.startswith("az lock") and "--subscription" not in call] == []


def test_a_command_about_a_key_vault_works_in_the_key_vaults_subscription() -> None:
    from tools.command_samples import ELSEWHERE

    commands = [c for c in samples()["windows"]("allow_backup_in_key_vault") if c.shell == "bash"]
    assert commands
    assert all(f"--subscription {ELSEWHERE}" in command.line for command in commands)


def test_the_container_has_the_four_parts_that_az_needs() -> None:
    (line,) = {c.line for c in samples()["windows"]("show_protected_item") if c.shell == "bash"}
    assert "-c 'IaasVMContainer;iaasvmcontainerv2;rg-app;vm-01' -n 'VM;iaasvmcontainerv2;rg-app;vm-01'" in line


@pytest.mark.parametrize("action", CHANGING)
def test_a_change_has_a_look_before_it_and_says_what_one_should_see_afterwards(action: str) -> None:
    if action in UNDOS:
        return
    look = actions()[action].look
    assert look, "nothing is shown before it"
    assert actions()[look].effect == "reads"
    for language in LANGUAGES:
        assert words_of(language)["expected"].get(action, "").endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_changes_say_what_one_should_see_afterwards(language: str) -> None:
    assert set(words_of(language)["expected"]) == set(CHANGING) - UNDOS


def test_what_stops_the_vm_or_its_network_is_labelled_as_downtime() -> None:
    stopping = re.compile(
        r"az vm (deallocate|restart|resize)|(Stop|Restart)-AzVM|VmSize = |netplan (try|apply)|nmcli con up|Set-NetIPInterface"
    )
    assert {c.action for c in ALL if stopping.search(c.line)} == {name for name, a in actions().items() if a.effect == "downtime"}
    assert words_of("en")["effects"]["downtime"] == "**causes downtime**"
    assert words_of("pt-BR")["effects"]["downtime"] == "**causa indisponibilidade**"


def test_one_block_installs_with_one_package_manager() -> None:
    blocks = [c.line for c in samples()["none"]("update_linux_agent") if c.role == "act"]
    managers = [set(re.findall(r"apt-get install|yum install|zypper|tdnf", block)) for block in blocks]
    assert len(blocks) == 6
    assert all(len(names) == 1 for names in managers)


@pytest.mark.parametrize("action", ["remove_windows_agent", "install_windows_agent"])
def test_the_old_agent_goes_only_when_the_new_one_lies_there_signed(action: str) -> None:
    (line,) = {c.line for c in samples()["windows"](action) if c.role == "act"}
    before, _, after = line.partition("-eq 'Valid') {")
    assert "Get-AuthenticodeSignature" in before
    assert re.search(r"sc\.exe delete|msiexec\.exe", after)
    assert not re.search(r"sc\.exe|msiexec", before)


def test_a_service_tag_has_a_rule_of_its_own() -> None:
    line = next(c.line for c in samples()["windows"]("allow_backup_traffic") if c.role == "act" and c.shell == "bash")
    assert '--destination-address-prefixes "$tag" ' in line
    assert "-g rg-network --nsg-name nsg-shop" in line, "the group's own resource group, not the VM's"


def _linux_scripts(action: str) -> Iterator[tuple[str, str]]:
    for distribution in ("ubuntu", "rhel"):
        commands = samples()[f"linux_{distribution}"](action)
        yield tuple(next(c.line for c in commands if c.role == role) for role in ("act", "undo"))  # type: ignore[misc]


OPTIONS = [
    ("log_verbosely", ["Logs.Verbose"]),
    ("switch_extensions_on", ["Extensions.Enabled"]),
    ("let_linux_agent_update", ["AutoUpdate.Enabled", "AutoUpdate.UpdateToLatestVersion"]),
]


@pytest.mark.parametrize(("action", "options"), OPTIONS)
@pytest.mark.parametrize("before", ["{}=n\n", "# {}=n\n", "", "{}=y\n", "Other.{}=n\n"])
def test_an_option_of_the_linux_agent_is_set_or_added_and_undone_to_what_it_was(
    action: str, options: list[str], before: str, tmp_path: Path
) -> None:
    for script, undo in _linux_scripts(action):
        was = "# Microsoft Azure Linux Agent Configuration\n" + "".join(before.format(option) for option in options)
        (tmp_path / "waagent.conf").write_text(was, encoding="utf-8")
        _run(script, tmp_path)
        now = (tmp_path / "waagent.conf").read_text(encoding="utf-8").splitlines()
        assert [line for line in now if line in [f"{option}=y" for option in options]] == [f"{option}=y" for option in options]
        _run(undo, tmp_path)
        assert (tmp_path / "waagent.conf").read_text(encoding="utf-8") == was
        assert (tmp_path / "restarted").read_text(encoding="utf-8").count("restart") == 2, "the agent reads its file as it starts"
        (tmp_path / "restarted").unlink()
        assert sorted(path.name for path in tmp_path.glob("waagent.conf*")) == ["waagent.conf"]


def _run(script: str, folder: Path) -> None:
    """Runs a script with `folder` for /etc, without root and without services."""
    programs = {"sudo": 'exec "$@"', "systemctl": f'echo "$@" >> {folder}/restarted'}
    for name, body in programs.items():
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    here = script.replace("/etc/", f"{folder}/").replace("find /etc ", f"find {folder} ")
    subprocess.run(["bash", "-e", "-c", here], check=True, env={"PATH": f"{folder}/bin:{os.environ['PATH']}"}, timeout=20)


AGENT_OF_LINUX = {"agent_outdated_linux", "agent_stopped_linux", "backup_extension_failed"}


@pytest.mark.parametrize("code", sorted(c for c, e in catalogue.entries().items() if AGENT_OF_LINUX & set(e.causes)))
def test_every_code_of_the_linux_agent_shows_how_to_start_it_and_how_to_log_verbosely(code: str) -> None:
    for cause in AGENT_OF_LINUX & set(catalogue.entries()[code].causes):
        text = (ROOT / f"templates/en/causes/{cause}.md.j2").read_text(encoding="utf-8")
        assert {"restart_linux_agent", "log_verbosely", "collect_linux_logs"} <= set(re.findall(r'run\("(\w+)"', text))


def test_logs_are_for_the_support_case_and_not_for_the_ticket() -> None:
    for language, words in (("en", "not to this ticket"), ("pt-BR", "não a este chamado")):
        folder = ROOT / f"templates/{language}/causes"
        texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.j2")]
        assert all(words in text for text in texts if "collect_linux_logs" in text or "collect_windows_logs" in text)


def test_a_lock_on_the_whole_subscription_gets_no_command_that_removes_it() -> None:
    from handlers.model import Lock, Verdict
    from tests.test_languages import SUBSCRIPTION, runbook

    wide = Lock(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/keep", "keep", "CanNotDelete", SUBSCRIPTION)
    page = runbook("restore_point_group_locked", Verdict.CONFIRMED, Os.WINDOWS, {"restore_point_group_locks": (wide,)}, "en")
    lines = [command.line for step in page.steps["restore_point_group_locked"] for command in step.commands]
    assert any("az lock show" in line for line in lines)
    assert not [line for line in lines if re.search(r"lock delete|Remove-AzResourceLock", line)]


def test_a_look_that_an_earlier_step_has_shown_is_named_by_its_number() -> None:
    from handlers.model import Verdict
    from tests.test_languages import RICH, runbook

    page = runbook("agent_outdated_windows", Verdict.CONFIRMED, Os.WINDOWS, RICH, "en")
    assert "Check first, as in step 2." in page.markdown
    looks = [c for step in page.steps["agent_outdated_windows"] for c in step.commands if c.role == "look"]
    assert all(isinstance(command, Command) for command in looks)
    assert len(looks) > len({command.line for command in looks}), "the ticket event has them all"
