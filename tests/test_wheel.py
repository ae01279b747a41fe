"""`pipx install .`: the wheel has everything that the command needs, and runs without the project beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox.azure import running_azure
from sandbox.scenario import load_scenarios
from sandbox.terminal import environment
from tests.cli.terminal import LOCKED, vm_of
from tools.package import ROOT, allowed

pytestmark = pytest.mark.server
BESIDES = ("pyproject.toml", "setup.py", "requirements-terminal.txt", "README.md", "LICENSE")
OFFLINE = ("--no-deps", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy: setuptools writes beside what it builds."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in (*allowed(ROOT), *map(Path, BESIDES)):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    build = [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "-w", str(out), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_modules_and_the_templates_compiled_and_asks_for_what_a_terminal_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as package:
        names = package.namelist()
        metadata = package.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"handlers", "templates", "backup_runbooks"}
    wanted = {path.as_posix() for path in allowed(ROOT) if path.parts[0] in ("handlers", "templates")}
    assert wanted <= set(names)
    assert any(name.startswith("templates/compiled/") for name in names)
    assert "Requires-Dist: rich==" in metadata
    assert "Requires-Dist: mcp==" in metadata


def test_the_installed_command_diagnoses_without_the_project_beside_it(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    subprocess.run([sys.executable, "-m", "pip", "install", *OFFLINE, "--target", str(target), str(wheel)], check=True)
    with running_azure([one for one in load_scenarios() if one.name == LOCKED]) as azure:
        env = {**os.environ, **environment(azure.url), "PYTHONPATH": str(target)}
        command = [str(target / "bin" / "backup-runbooks"), "diagnose", "--vm", vm_of(LOCKED), "--format", "markdown"]
        shown = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert shown.returncode == 1, shown.stderr
    assert shown.stdout.startswith("# Backup of `vm-pay-01` failed")
