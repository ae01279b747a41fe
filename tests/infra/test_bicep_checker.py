"""The offline checker that lies beside the project knows Azure's own types. Where its folder is absent, this is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.infra.bicep import INFRA

CHECKER = Path(os.environ.get("BICEP_CHECKER") or ROOT.parent / "shared" / "tools" / "bicep")
pytestmark = [pytest.mark.skipif(not CHECKER.is_dir(), reason="the checker does not lie beside the project"), pytest.mark.server]


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKER / "check_bicep.py"), str(folder), "--types", str(CHECKER / "types"), "--strict"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=80)


def test_the_bicep_has_no_error_and_no_warning() -> None:
    done = check(INFRA)
    assert done.stdout == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("file", "good", "bad", "said"),
    [
        (
            "modules/storage.bicep",
            "allowSharedKeyAccess: false",
            "allowSharedKeyAccess: 'no'",
            "'no' given where bool is expected",
        ),
        ("modules/app.bicep", "httpsOnly: true", "httpOnly: true", "httpOnly"),
        ("main.bicep", "params: { principalId: identity.outputs.principalId }", "params: {}", "principalId"),
        ("modules/event-grid.bicep", "@2025-02-15' existing", "@2099-01-01' existing", "2099-01-01"),
    ],
)
def test_a_damaged_copy_is_noticed(tmp_path: Path, file: str, good: str, bad: str, said: str) -> None:
    shutil.copytree(INFRA, tmp_path / "infra")
    damaged = tmp_path / "infra" / file
    text = damaged.read_text(encoding="utf-8")
    assert good in text
    damaged.write_text(text.replace(good, bad, 1), encoding="utf-8")
    done = check(tmp_path / "infra")
    assert done.returncode == 1
    assert said in done.stdout
