"""Alert bodies for tests: the project's own samples, and the published ones beside the project when they are there."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from handlers.alerts import read
from handlers.model import Alert, Ignored

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests" / "samples" / "alerts"
"""About failed backups and restores; what lies in `other` is not."""
OTHER = OWN / "other"
PUBLISHED = ROOT / ".." / "shared" / "samples" / "alerts"

SUBSCRIPTION = "7d1f4a52-0c3e-4b7a-9a51-2f6e8c90b1d4"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-Vaults-Sul/providers/Microsoft.RecoveryServices/vaults/rsv-sul-01"


def vm_id(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-erp/providers/Microsoft.Compute/virtualMachines/{name}"


def item_id(name: str) -> str:
    container = f"iaasvmcontainerv2;rg-erp;{name}"
    return f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{container}/protectedItems/VM;{container}"


def sample(name: str) -> Any:
    """A sample of the project's own, by its file's name."""
    path = next(path for folder in (OWN, OTHER) if (path := folder / f"{name}.json").is_file())
    return json.loads(path.read_text(encoding="utf-8"))


def samples_in(folder: Path) -> dict[str, Any]:
    """The bodies in a folder by the names of their files; none when there is no such folder."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def changed(body: Any, *path: str | int, to: Any) -> Any:
    """A copy of the body with another value at the path."""
    body = deepcopy(body)
    *way, last = path
    holder = body
    for step in way:
        holder = holder[step]
    holder[last] = to
    return body


def one_alert(body: Any) -> Alert:
    (found,) = read(body)
    assert isinstance(found, Alert), found
    return found


def one_reason(body: Any) -> str:
    """Why the body is ignored."""
    (found,) = read(body)
    assert isinstance(found, Ignored), found
    return found.reason
