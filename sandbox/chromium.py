"""Headless Chromium: what a page shows."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=3000")  # fmt: skip


def find_chromium() -> str | None:
    """The browser's command, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page_source(url: str) -> str:
    """The page's DOM after its scripts have run."""
    return _run(url, "--dump-dom").decode()


def save_picture(url: str, file: Path, width: int, height: int) -> None:
    """The top of the page as a PNG."""
    _run(url, f"--screenshot={file}", f"--window-size={width},{height}", "--disable-lcd-text")


def _run(url: str, *flags: str) -> bytes:
    command = find_chromium()
    if command is None:
        raise RuntimeError("Chromium is not installed.")
    with TemporaryDirectory() as profile:
        done = subprocess.run(
            [command, *FLAGS, f"--user-data-dir={profile}", *flags, url], capture_output=True, timeout=60, check=True
        )
    return done.stdout
