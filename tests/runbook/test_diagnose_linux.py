"""The diagnosis script for inside a Linux VM: a line for each cause, nothing secret, and no file system that stays frozen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from copy import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from handlers.diagnosis import catalogue
from handlers.model import Os, Runbook
from handlers.model.parts import joined
from handlers.runbook.render import render
from handlers.runbook.templates import pieces
from handlers.settings import LANGUAGES
from tests.conftest import ROOT
from tests.diagnosis.test_codes import diagnosis_of, failure_of
from tools.command_samples import NOW, samples

SCRIPT = next(command.line for command in samples()["linux_ubuntu"]("diagnose_linux"))
CAUSES = pieces("diagnose_linux")
SHELLCHECK = shutil.which("shellcheck") or str(ROOT / "build/commands-venv/bin/shellcheck")
VERDICTS = ("FOUND", "CHECK", "OK", "ABSENT")
SECRET = "sig=2bZ0secret"
LOG = "var/log/azure/Microsoft.Azure.RecoveryServices.VMSnapshotLinux"
BEFORE, DURING = (f"{NOW + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}" for hours in (-20, 1))
pytestmark = pytest.mark.skipif(not Path("/usr/bin/findmnt").exists(), reason="needs Linux and util-linux")


class Machine:
    """A folder for /etc/azure, /etc/waagent.conf and /var/log/azure, and programs that stand in for those of the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        (folder / "bin").mkdir()
        self.program("curl", "printf '200 '")
        self.program("pgrep", "exit 1")
        self.program("findmnt", "true")

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
        path.chmod(mode)
        return path

    def program(self, name: str, body: str) -> None:
        path = self.write(f"bin/{name}", f"#!/bin/bash\n{body}\n", 0o755)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def mounted(self, *paths: str) -> None:
        """What findmnt lists beside the root; a path may stand there twice."""
        full = [f"8:{number} rw,relatime {path}" for number, path in enumerate(paths, 16)]
        lines = "\n".join(f'echo "{line}"' for line in full)
        bare = "\n".join(f'echo "{path}"' for path in paths)
        self.program("findmnt", f'case "$*" in *" /") echo 8:1 ;; *MAJ*) {lines or "true"} ;; *) {bare or "true"} ;; esac')

    def script(self) -> str:
        """The script with this folder for the machine's, in which a disk may lie, unlike in /tmp."""
        text = SCRIPT.replace("|tmp|", "|") if (self.folder / "data").exists() else SCRIPT
        for name in ("etc/azure", "etc/waagent.conf", "var/log/azure", "var/log/audit"):
            text = text.replace(f"/{name}", f"{self.folder}/{name}")
        return text

    def start(self, change: Callable[[str], str] = str) -> subprocess.Popen[str]:
        environment = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "CALLS": str(self.calls)}
        return subprocess.Popen(["bash", "-c", change(self.script())], text=True, env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip

    def output(self, change: Callable[[str], str] = str) -> str:
        out, errors = self.start(change).communicate(timeout=120)
        assert errors == ""
        return out

    def lines(self, change: Callable[[str], str] = str) -> dict[str, tuple[str, str]]:
        """By cause its verdict and what is said of it."""
        said = [line.split(maxsplit=2) for line in self.output(change).splitlines()]
        return {name: (verdict, rest[0] if rest else "") for verdict, name, *rest in said}

    def called(self) -> list[str]:
        return self.calls.read_text(encoding="utf-8").split() if self.calls.exists() else []

    def wait_for(self, call: str) -> None:
        """Against a hang only: a minute."""
        for _ in range(600):
            if call in self.called():
                return
            time.sleep(0.1)
        raise AssertionError(f"{call} never came: {self.called()}")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@cache
def page_of(code: str, language: str, system: Os | None = Os.LINUX) -> Runbook:
    diagnosis = diagnosis_of(failure_of(code, "Backup"), system or Os.LINUX)
    return render(replace(diagnosis, os=system), language)


def decided(text: str) -> set[str]:
    """The causes that a text's scripts have a line for."""
    return set(re.findall(r"say \S+ (\w+)", text)) & set(CAUSES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ticket_has_the_pieces_of_its_own_causes_and_the_page_has_all(language: str) -> None:
    page = page_of("NoExtensionStatusButStatusBlobAvailable", language)
    own = decided(page.markdown)
    assert {"fs_freeze_failed", "mount_inaccessible"} <= own < set(page.steps)
    assert decided(joined(page.parts)) == set(CAUSES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_below_the_script_names_its_lines(language: str) -> None:
    page = page_of("UserErrorFsFreezeFailed", language)
    below = page.markdown.partition(") </dev/null")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(\w+)`", below)) & set(CAUSES)
    assert {"fs_freeze_failed", "duplicate_mounts", "mount_inaccessible"} <= listed == decided(page.markdown)


def test_a_check_that_the_script_makes_is_not_there_once_more() -> None:
    """But as the first command of the ticket."""
    inside = page_of("UserErrorFsFreezeFailed", "en").markdown.partition("### Inside the VM")[2]
    assert "mounted twice: /'" not in inside


def test_a_windows_ticket_has_nothing_of_it_and_one_of_an_unknown_system_has_it() -> None:
    code = "ExtensionInstallationFailure"
    assert decided(joined(page_of(code, "en", Os.WINDOWS).parts)) == set()
    assert decided(page_of(code, "en", None).markdown)


def test_every_piece_belongs_to_a_cause_of_linux() -> None:
    assert [name for name in CAUSES if catalogue.cause(name).os is Os.WINDOWS] == []


@pytest.mark.parametrize("cause", ["", *CAUSES])
def test_the_script_and_each_piece_alone_is_sound_bash(cause: str, tmp_path: Path) -> None:
    from handlers.runbook.templates import environment

    template = environment("sh").get_template("commands/diagnose_linux.sh.j2")
    path = tmp_path / "diagnose.sh"
    path.write_text(template.render(window_start=NOW, causes=[cause]) if cause else SCRIPT, encoding="utf-8")
    subprocess.run(["bash", "-n", str(path)], check=True, timeout=60)
    if Path(SHELLCHECK).is_file():
        ran = subprocess.run(
            [SHELLCHECK, "-s", "bash", "-S", "warning", str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        used = ("SC2034",) if cause else ()
        assert [line for line in ran.stdout.splitlines() if "(warning)" in line and not any(code in line for code in used)] == []


def test_on_this_machine_it_says_one_line_for_each_cause_and_what_is_absent() -> None:
    environment = {**os.environ, "FREEZE": "no"}
    ran = subprocess.run(["bash", "-c", SCRIPT], capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert ran.stderr == ""
    lines = [line.split(maxsplit=2) for line in ran.stdout.splitlines()]
    assert sorted(name for _, name, *_ in lines if name in CAUSES) == sorted(CAUSES)
    assert {name for _, name, *_ in lines} <= {*CAUSES, "user", "extension_log"}
    assert {verdict for verdict, *_ in lines} <= set(VERDICTS)
    assert all(len(line) == 3 for line in lines), "each says why"


def test_without_an_agent_it_names_what_is_absent(machine: Machine) -> None:
    lines = machine.lines()
    assert lines["extension_log"][0] == "ABSENT"
    assert lines["backup_extension_failed"] == ("ABSENT", "no log of the extension")
    assert lines["agent_extensions_switched_off"][0] == "ABSENT"
    assert lines["script_failed"] == ("OK", "no scripts are configured")


def test_nothing_but_the_script_reads_what_is_typed_after_it() -> None:
    """A responder pastes it: whatever stands behind it must not be swallowed by a program of it."""
    ran = subprocess.run(
        ["bash"], input=f"export FREEZE=no\n{SCRIPT}\necho the end\n", capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.stdout.endswith("the end\n")


ASCII, LATIN = "[SnapshotThread]\ntimeout = 60\n", "[SnapshotThread]\n# exceção\ntimeout = 60\n"
CASES = [
    ("fs_freeze_failed", f"{LOG}/extension.log", f"{DURING} : Failed to FIFREEZE: /data\n", "FOUND", "Failed to FIFREEZE: /data"),
    ("fs_freeze_failed", f"{LOG}/extension.log", f"{BEFORE} : Failed to FIFREEZE: /data\n", "OK", "no failed freeze"),
    (
        "fs_freeze_failed",
        f"{LOG}/extension.log",
        f"{DURING.replace('-', '/')} [Error]\nFailed to receive timely Thaw from parent\n",
        "FOUND",
        "Thaw",
    ),
    ("mount_inaccessible", f"{LOG}/extension.log", f"{DURING} : Failed to open: /mnt/old\n", "FOUND", "/mnt/old"),
    (
        "backup_extension_failed",
        f"{LOG}/extension.log",
        f"{DURING} StatusCode.FailedRetryableFsFreezeTimeout,\n",
        "FOUND",
        "FsFreezeTimeout",
    ),
    ("backup_extension_failed", f"{LOG}/extension.log", f"{DURING} StatusCode.success,\n", "OK", ""),
    ("python_missing_linux", f"{LOG}/shell.log", "x- 3 returned from handle.py\n", "CHECK", "ended with 3"),
    ("python_missing_linux", f"{LOG}/shell.log", "x- 3 returned from handle.py\nx- 0 returned from handle.py\n", "OK", ""),
    ("vmbackup_conf_not_ascii", "etc/azure/vmbackup.conf", ASCII, "OK", ""),
    ("vmbackup_conf_not_ascii", "etc/azure/vmbackup.conf", LATIN, "FOUND", "line 2"),
    ("database_script_misconfigured", "etc/azure/workload.conf", "[workload]\nworkload_name = \ncredString = \n", "OK", ""),
    (
        "database_script_misconfigured",
        "etc/azure/workload.conf",
        "[workload]\nworkload_name = oracle\nlinux_user = nobody-here\n",
        "FOUND",
        "linux_user",
    ),
    (
        "database_script_misconfigured",
        "etc/azure/workload.conf",
        "[workload]\nworkload_name = oracle\nipc_folder = /no/such\n",
        "FOUND",
        "ipc_folder",
    ),
    ("agent_extensions_switched_off", "etc/waagent.conf", "Extensions.Enabled=n\n", "FOUND", ""),
    ("agent_extensions_switched_off", "etc/waagent.conf", "# Extensions.Enabled=n\nExtensions.Enabled=y\n", "OK", ""),
]


@pytest.mark.parametrize(("cause", "name", "text", "verdict", "said"), CASES)
def test_a_cause_is_found_by_what_lies_there(machine: Machine, cause: str, name: str, text: str, verdict: str, said: str) -> None:
    machine.write(name, text)
    found = machine.lines()[cause]
    assert found[0] == verdict, found
    assert said in found[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="root owns the scripts")
@pytest.mark.parametrize(
    ("modes", "verdict", "said"),
    [
        ((0o600, 0o700), "OK", ""),
        ((0o644, 0o700), "FOUND", "644"),
        ((0o600, 0o755), "FOUND", "pre.sh: root 755"),
        ((0o600, None), "FOUND", "missing"),
    ],
)
def test_scripts_must_be_roots_alone(machine: Machine, modes: tuple[int, int | None], verdict: str, said: str) -> None:
    pre = machine.folder / "pre.sh"
    if modes[1] is not None:
        machine.write("pre.sh", "", modes[1])
    machine.write(
        "etc/azure/VMSnapshotScriptPluginConfig.json",
        f'{{"preScriptLocation" : "{pre}", "preScriptParams": ["{SECRET}"]}}',
        modes[0],
    )
    found = machine.lines()["script_failed"]
    assert found[0] == verdict, found
    assert said in found[1]


@pytest.mark.parametrize(("failed", "verdict"), [("", "CHECK"), (f"{DURING} : Failed to FITHAW: /data\n", "FOUND")])
def test_a_path_that_is_mounted_twice_is_found_by_its_failed_freeze(machine: Machine, failed: str, verdict: str) -> None:
    machine.mounted("/data", "/data")
    machine.write(f"{LOG}/extension.log", f"{DURING} : freezing the mount: /data\n{failed}")
    assert machine.lines()["duplicate_mounts"][0] == verdict


def test_what_the_agents_files_hold_of_secrets_is_not_printed(machine: Machine) -> None:
    machine.write(
        f"{LOG}/extension.log",
        f"{DURING} StatusCode.FailedPrepostPreScriptFailed, https://x.blob/?{SECRET} Failed to get {SECRET}\n",
    )
    machine.write(f"{LOG}/shell.log", f"{SECRET} 3 returned from handle.py\n")
    machine.write("etc/azure/workload.conf", f"[workload]\nworkload_name = oracle\ncredString = {SECRET}\n")
    machine.write("etc/waagent.conf", f"Extensions.Enabled=n\nHttpProxy.Host={SECRET}\n")
    machine.write("etc/azure/vmbackup.conf", f"{SECRET} \xe9\n")
    assert "secret" not in machine.output()


# ------------------------------------------------------------------ the freeze

RECORDED = 'echo "$1" >> "$CALLS"'


def with_a_disk(machine: Machine, fsfreeze: str) -> Path:
    disk = machine.folder / "data"
    disk.mkdir()
    machine.mounted(str(disk))
    machine.program("fsfreeze", fsfreeze)
    return disk


def hurried(script: str) -> str:
    """It waits a second for a freeze, not ten."""
    return script.replace("read -r -t 10", "read -r -t 1").replace("within 10 s", "within 1 s")


def test_a_file_system_is_frozen_and_thawed_at_once(machine: Machine) -> None:
    with_a_disk(machine, RECORDED)
    assert machine.lines()["fs_freeze_failed"] == ("OK", "no failed freeze since the job, and each tried file system freezes now")
    assert machine.called() == ["-f", "-u"]


def test_what_somebody_else_has_frozen_is_not_thawed(machine: Machine) -> None:
    with_a_disk(machine, f'{RECORDED}; [ "$1" = -u ]')
    verdict, said = machine.lines()["fs_freeze_failed"]
    assert (verdict, "refused" in said) == ("CHECK", True)
    assert machine.called() == ["-f"]


def test_while_a_backup_runs_nothing_is_frozen(machine: Machine) -> None:
    with_a_disk(machine, RECORDED)
    machine.program("pgrep", "exit 0")
    assert machine.lines()["fs_freeze_failed"][0] == "OK"
    assert machine.called() == []


@pytest.mark.parametrize("path", ["/", "/usr", "/var/lib", "/tmp", "/boot"])
def test_the_systems_own_file_systems_are_never_frozen(machine: Machine, path: str) -> None:
    machine.mounted(path)
    machine.program("fsfreeze", RECORDED)
    if path == "/":
        machine.program("findmnt", 'case "$*" in *" /") echo 8:16 ;; *MAJ*) echo "8:16 rw /" ;; *) echo / ;; esac')
    assert machine.lines()["fs_freeze_failed"][0] == "OK"
    assert machine.called() == []


def test_without_the_freeze_nothing_is_frozen(machine: Machine) -> None:
    with_a_disk(machine, RECORDED)
    machine.output(lambda script: f"FREEZE=no\n{script}")
    assert machine.called() == []


def test_a_freeze_that_takes_long_is_told_and_thawed_when_it_comes(machine: Machine) -> None:
    gate = machine.folder / "gate"
    os.mkfifo(gate)
    with_a_disk(machine, f'[ "$1" = -f ] && read -r _ < {gate}; {RECORDED}')
    verdict, said = machine.lines(hurried)["fs_freeze_failed"]
    assert (verdict, "did not freeze within 1 s" in said) == ("CHECK", True)
    gate.write_text("go\n", encoding="utf-8")
    machine.wait_for("-u")


def test_it_thaws_also_when_the_script_is_killed_in_between(machine: Machine) -> None:
    gate = machine.folder / "gate"
    os.mkfifo(gate)
    with_a_disk(machine, f'{RECORDED}; [ "$1" = -f ] && read -r _ < {gate}; exit 0')
    running = machine.start()
    machine.wait_for("-f")
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    gate.write_text("go\n", encoding="utf-8")
    machine.wait_for("-u")


def test_it_thaws_also_when_the_process_that_froze_is_killed(machine: Machine) -> None:
    with_a_disk(machine, f'{RECORDED}; [ "$1" = -f ] && kill -KILL $PPID; exit 0')
    verdict, said = machine.lines()["fs_freeze_failed"]
    assert (verdict, "thawed twice" in said) == ("CHECK", True)
    assert machine.called() == ["-f", "-u"]


@pytest.fixture(autouse=True)
def no_real_freeze() -> Iterator[None]:
    """Every run of this file has a stand-in for fsfreeze, or leaves the freeze out."""
    yield
    assert re.search(r"FREEZE:-yes", SCRIPT)
