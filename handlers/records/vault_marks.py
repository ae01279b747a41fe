"""How far the sweep has read each vault, in table storage: partition `sweep`, one row per vault."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from msgspec import Struct

from handlers.model import parse_time
from handlers.records.storage import Storage

PARTITION = "sweep"


class Mark(Struct, frozen=True):
    vault_id: str
    read_until: datetime | None = None
    unread: str = ""
    """Why the vault could not be read the last time; told once."""


class VaultMarks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def all(self) -> dict[str, Mark]:
        """By vault id in lower case."""
        rows = self._storage.table().query_entities(f"PartitionKey eq '{PARTITION}'")
        return {str(row["vault_id"]).lower(): _mark(row) for row in rows}

    def save(self, mark: Mark) -> None:
        self._storage.table().upsert_entity(
            {
                "PartitionKey": PARTITION,
                "RowKey": hashlib.sha256(mark.vault_id.lower().encode()).hexdigest()[:32],
                "vault_id": mark.vault_id,
                "read_until": mark.read_until.isoformat() if mark.read_until else "",
                "unread": mark.unread,
            }
        )


def _mark(row: Any) -> Mark:
    return Mark(str(row["vault_id"]), parse_time(row.get("read_until")), str(row.get("unread") or ""))
