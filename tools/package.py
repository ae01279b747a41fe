"""`make package`: build/backup-runbooks.zip with exactly what `.funcignore` allows, its templates compiled.

Dependencies are not in it: Azure installs requirements.txt when the package is deployed with a remote build.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pathspec

from handlers.runbook import compile_templates

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


def build(target: Path = ZIP) -> Path:
    """Write the package; the same tree gives the same bytes."""
    compile_templates()
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in allowed(ROOT):
            entry = zipfile.ZipInfo(path.as_posix(), (2026, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            package.writestr(entry, (ROOT / path).read_bytes())
    return target


if __name__ == "__main__":
    made = build()
    with zipfile.ZipFile(made) as package:
        print(f"{made.relative_to(ROOT)}: {len(package.namelist())} files, {made.stat().st_size / 1024:.0f} KiB")
