"""A ticketing system's own server as a process on loopback, for as long as a test needs it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from sandbox.processes import end, end_with_parent

PATIENCE_SECONDS = 120


def free_port() -> int:
    """Free now. Somebody else may take it before the server does: then the server ends, and the test says so."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


@contextmanager
def started(command: Sequence[str | Path], url: str, log: Path) -> Iterator[None]:
    """From when the server answers at `url`."""
    with log.open("w") as lines:
        process = subprocess.Popen(command, stdout=lines, stderr=lines, start_new_session=True, preexec_fn=end_with_parent)
        try:
            _wait(url, process, log)
            yield
        finally:
            end(process)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended: {log.read_text()[-1000:]}")
        try:
            requests.get(url, timeout=PATIENCE_SECONDS)
            return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise RuntimeError("The server did not start in time.")
