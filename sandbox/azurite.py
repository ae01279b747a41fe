"""Azurite, Microsoft's storage emulator, as a process of ours. https://learn.microsoft.com/azure/storage/common/storage-use-azurite"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from sandbox.processes import end, end_with_parent

ROOT = Path(__file__).parent.parent
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's documented, public development key."""
SERVICES = ("Blob", "Queue", "Table")
LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at http://127\.0\.0\.1:(\d+)")
MOST_SAID = 100_000
PATIENCE_SECONDS = 120
"""It takes one second, on a machine that does little else."""


def find_azurite() -> Path:
    """The `azurite` command: AZURITE, then this project's node_modules. SystemExit with one line when there is none."""
    for found in (os.environ.get("AZURITE"), ROOT / "node_modules" / ".bin" / "azurite"):
        if found and Path(found).exists():
            return Path(found)
    raise SystemExit("Azurite is not installed: run `make setup` (it needs Node.js 20 with npm).")


@contextmanager
def running_azurite(
    command: Path | None = None, *, port: int = 0, folder: Path | None = None, access_log: Path | None = None
) -> Iterator[str]:
    """Azurite on loopback ports that it finds free itself (or blob on `port`, queue and table on the next two); yields its connection string.

    In memory unless `folder` is given: then it survives its process. `access_log`: gets a line for each request.
    """
    with access_log.open("ab+") if access_log else TemporaryFile() as log:
        before = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            _command_line(command or find_azurite(), port, folder, verbose=access_log is not None),
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_parent, text=True,
        )  # fmt: skip
        try:
            ports = _wait_until_listening(process, lambda: os.pread(log.fileno(), MOST_SAID, before).decode())
            yield connection_string(*(ports[name] for name in SERVICES))
        finally:
            end(process)


def _command_line(command: Path, port: int, folder: Path | None, *, verbose: bool) -> list[str]:
    node = shutil.which("node")
    if not node:
        raise SystemExit("Node.js is not installed: Azurite needs it.")
    ports = [port + offset if port else 0 for offset in range(3)]
    services = [part for name, at in zip(SERVICES, ports, strict=True) for part in (f"--{name.lower()}Port", str(at))]
    where = ["--location", str(folder)] if folder else ["--inMemoryPersistence"]
    more = ["--skipApiVersionCheck", "--disableTelemetry", *([] if verbose else ["--silent"])]
    return [node, str(command.resolve()), *services, *where, *more]


def connection_string(blob: int, queue: int, table: int) -> str:
    parts = [
        f"{name}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for name, port in zip(SERVICES, (blob, queue, table), strict=True)
    ]
    return ";".join(["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={KEY}", *parts])


def _wait_until_listening(process: subprocess.Popen[str], said: Callable[[], str]) -> dict[str, int]:
    """The port of each service, which Azurite says when it listens. SystemExit with its words when it ends instead."""
    until = time.monotonic() + PATIENCE_SECONDS
    while len(ports := dict(LISTENING.findall(said()))) < len(SERVICES):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"Azurite did not start: {said().strip()[-500:]}")
        time.sleep(0.05)
    return {name: int(port) for name, port in ports.items()}
