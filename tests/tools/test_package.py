"""The unpacked package, which azd may read while a hook makes it: it is left alone when nothing changed, and a new one is put in place whole."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools.package import unpack


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packed(tmp_path / "package.zip", "print(1)")


def packed(file: Path, text: str) -> Path:
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr(zipfile.ZipInfo("function_app.py"), text)
    return file


def test_it_is_made_once_and_has_what_azd_leaves_out(package: Path, tmp_path: Path) -> None:
    assert unpack(package, tmp_path / "package")
    assert sorted(path.name for path in (tmp_path / "package").iterdir()) == [".funcignore", "function_app.py"]


def test_the_same_package_again_touches_nothing(package: Path, tmp_path: Path) -> None:
    unpack(package, tmp_path / "package")
    (tmp_path / "package" / "read by azd").touch()
    assert not unpack(package, tmp_path / "package")
    assert (tmp_path / "package" / "read by azd").exists()


def test_a_changed_package_takes_the_place_of_the_old_one(package: Path, tmp_path: Path) -> None:
    unpack(package, tmp_path / "package")
    assert unpack(packed(package, "print(2)"), tmp_path / "package")
    assert (tmp_path / "package" / "function_app.py").read_text(encoding="utf-8") == "print(2)"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package", "package.sha256", "package.zip"]


def test_a_folder_that_somebody_deleted_is_made_again(package: Path, tmp_path: Path) -> None:
    unpack(package, tmp_path / "package")
    (tmp_path / "package").rename(tmp_path / "elsewhere")
    assert unpack(package, tmp_path / "package")


def test_one_that_cannot_be_read_leaves_the_old_one(package: Path, tmp_path: Path) -> None:
    unpack(package, tmp_path / "package")
    package.write_bytes(b"no zip")
    with pytest.raises(zipfile.BadZipFile):
        unpack(package, tmp_path / "package")
    assert (tmp_path / "package" / "function_app.py").exists()
