"""Azurite, Microsoft's storage emulator, as a process of ours. https://learn.microsoft.com/azure/storage/common/storage-use-azurite"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.processes import end, end_with_parent

ROOT = Path(__file__).parent.parent
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's documented, public development key."""
PATIENCE_SECONDS = 30


def find_azurite() -> Path:
    """The `azurite` command: AZURITE, then this project's node_modules. SystemExit with one line when there is none."""
    for found in (os.environ.get("AZURITE"), ROOT / "node_modules" / ".bin" / "azurite"):
        if found and Path(found).exists():
            return Path(found)
    raise SystemExit("Azurite is not installed: run `make setup` (it needs Node.js 20 with npm).")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running_azurite(
    command: Path | None = None, *, port: int = 0, folder: Path | None = None, access_log: Path | None = None
) -> Iterator[str]:
    """Azurite on free loopback ports (or blob on `port`, queue and table on the next two); yields its connection string.

    In memory unless `folder` is given: then it survives its process. `access_log`: gets a line for each request.
    """
    node = shutil.which("node")
    if not node:
        raise SystemExit("Node.js is not installed: Azurite needs it.")
    ports = [port + offset if port else free_port() for offset in range(3)]
    services = [part for name, at in zip(("blob", "queue", "table"), ports, strict=True) for part in (f"--{name}Port", str(at))]
    where = ["--location", str(folder)] if folder else ["--inMemoryPersistence"]
    process = subprocess.Popen(
        [
            node,
            str((command or find_azurite()).resolve()),
            *services,
            *where,
            *(() if access_log else ("--silent",)),
            "--skipApiVersionCheck",
            "--disableTelemetry",
        ],
        stdout=access_log.open("a") if access_log else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=end_with_parent,
        text=True,
    )
    try:
        _wait(ports, process)
        yield connection_string(*ports)
    finally:
        end(process)


def connection_string(blob: int, queue: int, table: int) -> str:
    ends = {"Blob": blob, "Queue": queue, "Table": table}
    parts = [f"{name}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for name, port in ends.items()]
    return ";".join(["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={KEY}", *parts])


def _wait(ports: list[int], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    for port in ports:
        while True:
            if process.poll() is not None:
                said = process.stderr.read() if process.stderr else ""
                raise SystemExit(f"Azurite ended: {said.strip()[-500:]}")
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > until:
                raise SystemExit("Azurite did not start in time.")
            time.sleep(0.05)
