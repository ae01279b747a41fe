"""Reading JSON from outside: every field may be missing, null or of another type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from handlers.markup import one_line, visible
from handlers.model import ResourceId

LONGEST_MESSAGE = 8_192
Json = Mapping[str, Any]


def part(body: object, *path: str) -> dict[str, Any]:
    """The object at a path; an empty one when anything on the way is missing or something else. Keys fold their case."""
    for key in path:
        body = value(body, key)
    return body if isinstance(body, dict) else {}


def value(body: object, *names: str) -> Any:
    """The first of `names` that an object has, whatever the case of its keys; None when it has none."""
    if not isinstance(body, dict):
        return None
    for name in names:
        if name in body:
            return body[name]
    folded = {key.lower(): found for key, found in body.items() if isinstance(key, str)}
    return next((folded[name.lower()] for name in names if name.lower() in folded), None)


def text(body: object, *names: str) -> str:
    """The first of `names` that holds text (or a number), on one line; empty otherwise."""
    for name in names:
        found = value(body, name)
        if isinstance(found, str) and found.strip():
            return one_line(found, 2_000)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
    return ""


def prose(body: object, *names: str) -> str:
    """Like `text`, for messages: lines stay, control characters go, cut to 8 KiB."""
    for name in names:
        if isinstance(found := value(body, name), str) and found.strip():
            return visible(found).replace("\x1b", "").strip()[:LONGEST_MESSAGE]
    return ""


def objects(body: object, *path: str) -> list[dict[str, Any]]:
    """The objects in the array at a path."""
    *way, last = path
    found = value(part(body, *way), last)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def fold(word: str) -> str:
    """For comparing: lower case, without spaces."""
    return re.sub(r"\s+", "", word).lower()


def severity(found: str) -> str:
    """`Sev0` … `Sev4` from `Sev1`, `1` or `sev 1`; empty for anything else."""
    match = re.fullmatch(r"(?:sev)?\s*([0-4])", found.strip(), re.IGNORECASE)
    return f"Sev{match[1]}" if match else ""


def vault_of(item_id: str) -> str:
    """The vault's id in a protected item's id, else empty."""
    vault, found, _ = _split(item_id, "/backupfabrics/")
    return vault if found and ResourceId.parse(vault) else ""


def item_of(resource_id: str) -> str:
    """The protected item's id in an id or operation target that may go on behind it; empty when there is none."""
    match = re.match(
        r"(?i)(/subscriptions/.+?/backupFabrics/[^/]+/protectionContainers/[^/]+/protectedItems/[^/?#\s]+)", resource_id
    )
    return match[1] if match else ""


def vm_of(item_id: str) -> str:
    """The VM that a VM's protected item is named for: `…;iaasvmcontainerv2;<group>;<vm>` in the vault's subscription.

    A guess of last resort: a vault may protect VMs of another subscription of its tenant.
    """
    parts = item_id.rpartition("/")[2].split(";")
    subscription = re.match(r"(?i)/subscriptions/([^/]+)/", item_id)
    if len(parts) != 4 or parts[1].lower() != "iaasvmcontainerv2" or not subscription:
        return ""
    return f"/subscriptions/{subscription[1]}/resourceGroups/{parts[2]}/providers/Microsoft.Compute/virtualMachines/{parts[3]}"


def workload_of(item_id: str, said: str = "") -> str:
    """`AzureIaasVM` for a VM, else the type as sent or as the item's name begins (`SQLDataBase;…`)."""
    kind = item_id.rpartition("/")[2].partition(";")[0] or said
    return "AzureIaasVM" if kind.lower() in ("vm", "azureiaasvm", "azurevm", "virtualmachine", "iaasvm") else kind


def error_code(*texts: str) -> str:
    """The code behind an `aka.ms/AB-<code>` link, else a word that looks like a backup error code."""
    for found in texts:
        if match := re.search(r"aka\.ms/AB-([A-Za-z][A-Za-z0-9]{3,79})", found[:16_384], re.IGNORECASE):
            return match[1]
    return ""


def walk(body: object) -> Iterator[str]:
    """All text in a value, however deep; used to recognise, never to trust."""
    waiting = [body]
    while waiting:
        match waiting.pop():
            case dict() as found:
                waiting += found.values()
            case list() as found:
                waiting += found
            case str() as found:
                yield found


def _split(text_: str, separator: str) -> tuple[str, str, str]:
    index = text_.lower().find(separator)
    return (text_[:index], separator, text_[index:]) if index >= 0 else (text_, "", "")
