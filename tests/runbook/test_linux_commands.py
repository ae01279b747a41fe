"""The commands that change files of a Linux VM: what they change, and that their undo gives back what was there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from handlers.runbook.render import commands_of
from tests.diagnosis.test_codes import diagnosis_of, failure_of
from tools.command_samples import samples

OPTION = {"option": "MountsToSkip", "value": "/data,/mnt/old disk"}


def scripts(action: str, **arguments: str) -> tuple[str, str]:
    """The lines of a change and of its undo."""
    from handlers.model import Os

    commands = commands_of(diagnosis_of(failure_of("UserErrorFsFreezeFailed", "Backup"), Os.LINUX), action, arguments, "en")
    return tuple(next(c.line for c in commands if c.role == role) for role in ("act", "undo"))  # type: ignore[return-value]


def run(script: str, folder: Path) -> None:
    """With `folder` for /etc/azure, without root."""
    for name in ("sudo", "vi"):
        path = folder.parent / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('#!/bin/sh\n[ "${0##*/}" = vi ] && exec sed -i s/old/new/ "$1"\nexec "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    here = script.replace("/etc/azure", str(folder))
    subprocess.run(["bash", "-e", "-c", here], check=True, timeout=20, env={"PATH": f"{folder.parent}/bin:{os.environ['PATH']}"})


def listed(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "[SnapshotThread]\nMountsToSkip = /data,/mnt/old disk\n"),
        ("[SnapshotThread]\ntimeout = 60\n", "[SnapshotThread]\nMountsToSkip = /data,/mnt/old disk\ntimeout = 60\n"),
        (
            "[SnapshotThread]\nMountsToSkip: /x\ntimeout = 60",
            "[SnapshotThread]\nMountsToSkip = /data,/mnt/old disk\ntimeout = 60",
        ),
        ("timeout = 60", "timeout = 60\n[SnapshotThread]\nMountsToSkip = /data,/mnt/old disk\n"),
    ],
)
def test_an_option_of_the_extension_is_set_and_undone_to_what_it_was(before: str | None, after: str, tmp_path: Path) -> None:
    folder = tmp_path / "azure"
    if before is not None:
        folder.mkdir()
        (folder / "vmbackup.conf").write_text(before, encoding="utf-8")
    was = listed(folder)
    change, undo = scripts("set_vmbackup_option", **OPTION)
    run(change, folder)
    assert (folder / "vmbackup.conf").read_text(encoding="utf-8").lstrip() == after
    run(undo, folder)
    assert listed(folder) == was


def test_what_is_not_ascii_is_removed_and_comes_back_with_the_undo(tmp_path: Path) -> None:
    folder = tmp_path / "azure"
    folder.mkdir()
    was = "\ufeff[SnapshotThread]\r\n# exceção\ttimeout\ntimeout = 60\n".encode()
    (folder / "vmbackup.conf").write_bytes(was)
    change, undo = scripts("rewrite_vmbackup_conf")
    run(change, folder)
    assert (folder / "vmbackup.conf").read_bytes() == b"[SnapshotThread]\n# exceo\ttimeout\ntimeout = 60\n"
    run(undo, folder)
    assert listed(folder) == {"vmbackup.conf": was}


@pytest.mark.parametrize(
    ("action", "name"), [("edit_script_settings", "VMSnapshotScriptPluginConfig.json"), ("edit_database_config", "workload.conf")]
)
def test_an_edited_file_comes_back_with_the_undo(action: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "azure"
    folder.mkdir()
    (folder / name).write_text("old\n", encoding="utf-8")
    change, undo = scripts(action)
    run(change, folder)
    assert (folder / name).read_text(encoding="utf-8") == "new\n"
    run(undo, folder)
    assert listed(folder) == {name: b"old\n"}


def test_the_check_of_the_database_settings_leaves_out_the_line_that_may_hold_a_secret(tmp_path: Path) -> None:
    folder = tmp_path / "azure"
    folder.mkdir()
    (folder / "workload.conf").write_text("workload_name = oracle\ncredString = hunter2\n", encoding="utf-8")
    (line,) = {command.line for command in samples()["linux_ubuntu"]("show_database_config")}
    shown = subprocess.run(["bash", "-c", line.replace("/etc/azure", str(folder)).replace("sudo ", "")],
                           capture_output=True, text=True, timeout=20, check=True).stdout  # fmt: skip
    assert "oracle" in shown
    assert "hunter2" not in shown
