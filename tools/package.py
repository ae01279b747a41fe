"""`make package`: build/backup-runbooks.zip with exactly what `.funcignore` allows, its modules and templates compiled.

Dependencies are not in it: Azure installs requirements.txt when the package is deployed with a remote build.
"""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pathspec

from handlers.runbook.templates import COMPILED, compile_templates

ROOT = Path(__file__).parent.parent
ZIP = ROOT / "build" / "backup-runbooks.zip"
SCRATCH = {"__pycache__", ".git", ".venv", "node_modules", "build"}
"""Folders that are never looked into: they may be large, and the allowlist names none of them."""


def allowed(root: Path) -> Iterator[Path]:
    """The files below `root` that `.funcignore` allows, read as a gitignore is read, relative to `root`."""
    ignored = pathspec.GitIgnoreSpec.from_lines((root / ".funcignore").read_text(encoding="utf-8").splitlines())
    for folder, folders, files in root.walk():
        folders[:] = sorted(set(folders) - SCRATCH)
        for name in sorted(files):
            path = (folder / name).relative_to(root)
            if not ignored.match_file(path.as_posix()):
                yield path


def byte_code(files: dict[Path, Path], scratch: Path) -> dict[Path, Path]:
    """The modules' byte code, by its path in the package.

    Unchecked-hash: byte code that is tied to a time stamp is thrown away after a zip round trip.
    https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode
    """
    found = {}
    for path, source in files.items():
        if path.suffix == ".py" and len(path.parts) > 1:  # the root's byte code would lie outside the allowlist
            place = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
            target = scratch / "byte-code" / place
            py_compile.compile(
                str(source),
                str(target),
                dfile=path.as_posix(),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            found[place] = target
    return found


def build(target: Path = ZIP) -> Path:
    """Write the package; the same tree gives the same bytes. Who reads it meanwhile reads the old one to its end."""
    target.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch, target.name)
        _write(made)
        os.replace(made, target)
    return target


def _write(target: Path) -> None:
    with TemporaryDirectory() as scratch, zipfile.ZipFile(target, "w") as package:
        compile_templates(Path(scratch))
        compiled = COMPILED.relative_to(ROOT)
        files = {path: ROOT / path for path in allowed(ROOT)}
        files |= {compiled / path.name: path for path in sorted(Path(scratch).iterdir())}
        files |= byte_code(files, Path(scratch))
        for path, source in files.items():
            entry = zipfile.ZipInfo(path.as_posix(), (2026, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            package.writestr(entry, source.read_bytes())


def unpack(package: Path, folder: Path) -> bool:
    """Unpack the package beside itself, unless what lies there is the same already; says whether it did.

    azd may read the folder at the same time: it is left alone when nothing changed, and a new one is put in place whole.
    """
    mark = folder.with_suffix(".sha256")
    digest = hashlib.sha256(package.read_bytes() + (ROOT / ".funcignore").read_bytes()).hexdigest()
    if folder.is_dir() and mark.is_file() and mark.read_text(encoding="utf-8") == digest:
        return False
    with TemporaryDirectory(dir=folder.parent) as scratch:
        made, old = Path(scratch, "new"), Path(scratch, "old")
        with zipfile.ZipFile(package) as opened:
            opened.extractall(made)
        shutil.copy(ROOT / ".funcignore", made)
        mark.unlink(missing_ok=True)
        if folder.exists():
            folder.rename(old)
        made.rename(folder)
    mark.write_text(digest, encoding="utf-8")
    return True


if __name__ == "__main__":
    made = build()
    with zipfile.ZipFile(made) as package:
        print(f"{made.relative_to(ROOT)}: {len(package.namelist())} files, {made.stat().st_size / 1024:.0f} KiB")
    if "--unpacked" in sys.argv[1:]:
        print("build/package: " + ("new" if unpack(made, ROOT / "build" / "package") else "as it was"))
