"""Every API version in infra/ is the newest stable one: one that is not fails Bicep's own rule when it is two years old."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA
from tests.infra.test_bicep_checker import CHECKER
from tools.api_versions import newest_stable, outdated, pins

TODAY = date(2026, 11, 26)
KNOWN = {"Microsoft.Some/things": ["2020-01-01", "2024-05-01", "2026-01-01-preview"]}


@pytest.mark.skipif(not CHECKER.is_dir(), reason="the checker's index of API versions does not lie beside the project")
def test_no_newer_stable_version_is_known() -> None:
    index = json.loads((CHECKER / "types" / "index.json").read_text(encoding="utf-8"))
    assert outdated(INFRA, index["types"], TODAY) == []
    unknown = [kind for file in INFRA.rglob("*.bicep") for kind, _ in pins(file.read_text(encoding="utf-8"))
               if not newest_stable(kind, index["types"])]  # fmt: skip
    assert unknown == []


def test_an_old_version_is_told_with_its_age_and_the_newest_one(tmp_path: Path) -> None:
    (tmp_path / "x.bicep").write_text("resource x 'microsoft.some/Things@2020-01-01' = {}\n", encoding="utf-8")
    (told,) = outdated(tmp_path, KNOWN, TODAY)
    assert told == "x.bicep: microsoft.some/Things@2020-01-01 is 2521 days old; the newest is 2024-05-01"


def test_a_preview_is_no_newer_version_and_a_silenced_pin_is_left_alone(tmp_path: Path) -> None:
    pin = "resource x 'Microsoft.Some/things@{}' = {{}}\n"
    (tmp_path / "x.bicep").write_text(
        pin.format("2024-05-01") + "#disable-next-line use-recent-api-versions\n" + pin.format("2020-01-01"), encoding="utf-8"
    )
    assert outdated(tmp_path, KNOWN, TODAY) == []
