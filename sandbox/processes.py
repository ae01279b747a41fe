"""Processes that the sandbox starts: they end with it, however it ends."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
"""Found here and not in the child: between fork and exec, a child of many threads may do next to nothing."""
PATIENCE_SECONDS = 10


def end_with_parent() -> None:
    """For `preexec_fn`: on Linux the process is told to end when the thread that started it ends, even of SIGKILL."""
    if PRCTL:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)


def end(process: subprocess.Popen[Any]) -> None:
    """Ask the process to end; make it, if it does not in time."""
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
