"""Azurite, Microsoft's storage emulator, as a process of ours. https://learn.microsoft.com/azure/storage/common/storage-use-azurite"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.processes import end, end_with_parent

ROOT = Path(__file__).parent.parent
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's documented, public development key."""
SERVICES = ("Blob", "Queue", "Table")
LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at http://127\.0\.0\.1:(\d+)")
PATIENCE_SECONDS = 120
"""It takes one second, on a machine that does little else."""


def find_azurite() -> Path:
    """The `azurite` command: AZURITE, then this project's node_modules. SystemExit with one line when there is none."""
    for found in (os.environ.get("AZURITE"), ROOT / "node_modules" / ".bin" / "azurite"):
        if found and Path(found).exists():
            return Path(found)
    raise SystemExit("Azurite is not installed: run `make setup` (it needs Node.js 20 with npm).")


@contextmanager
def running_azurite(command: Path | None = None, *, port: int = 0, folder: Path | None = None) -> Iterator[str]:
    """Azurite on loopback ports that it finds free itself (or blob on `port`, queue and table on the next two); yields its connection string.

    In memory unless `folder` is given: then it survives its process.
    """
    node = shutil.which("node")
    if not node:
        raise SystemExit("Node.js is not installed: Azurite needs it.")
    ports = [port + offset if port else 0 for offset in range(3)]
    services = [part for name, at in zip(SERVICES, ports, strict=True) for part in (f"--{name.lower()}Port", str(at))]
    where = ["--location", str(folder)] if folder else ["--inMemoryPersistence"]
    process = subprocess.Popen(
        [
            node,
            str((command or find_azurite()).resolve()),
            *services,
            *where,
            "--silent",
            "--skipApiVersionCheck",
            "--disableTelemetry",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,
        text=True,
    )
    try:
        listening = _wait_until_listening(process)
        yield connection_string(*(listening[name] for name in SERVICES))
    finally:
        end(process)


def connection_string(blob: int, queue: int, table: int) -> str:
    parts = [
        f"{name}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for name, port in zip(SERVICES, (blob, queue, table), strict=True)
    ]
    return ";".join(["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={KEY}", *parts])


def _wait_until_listening(process: subprocess.Popen[str]) -> dict[str, int]:
    """The port of each service, which Azurite prints when it listens. SystemExit with its words when it ends instead."""
    said: list[str] = []
    ports: dict[str, int] = {}
    patience = threading.Timer(PATIENCE_SECONDS, process.kill)
    patience.start()
    for line in process.stdout or ():
        said.append(line)
        if match := LISTENING.match(line):
            ports[match[1]] = int(match[2])
        if len(ports) == len(SERVICES):
            patience.cancel()
            threading.Thread(target=_read_on, args=(process,), daemon=True).start()
            return ports
    patience.cancel()
    raise SystemExit(f"Azurite ended: {''.join(said).strip()[-500:]}")


def _read_on(process: subprocess.Popen[str]) -> None:
    """Whatever else it prints must not fill the pipe."""
    for _ in process.stdout or ():
        pass
