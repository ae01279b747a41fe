"""A storage account in memory, for tests that need thousands of calls or a clock of their own.

It does what Azurite does with the calls that the app makes; tests/records/test_rows.py runs against both.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError

_CLAUSE = re.compile(r"(\w+) (eq|gt|ge|lt|le) ('(?:[^']|'')*'|\d+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


class Entity(dict[str, Any]):
    """A row as the SDK returns it."""

    metadata: Mapping[str, str]


class MemoryTable:
    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Entity] = {}
        self._etags = count(1)
        self.writes = 0
        """How many calls wrote; a transaction is one."""

    def get_entity(self, partition: str, key: str) -> Entity:
        if (partition, key) not in self._rows:
            raise ResourceNotFoundError("no such row")
        return self._rows[partition, key]

    def create_entity(self, entity: Mapping[str, Any]) -> dict[str, str]:
        return self._one(("create", entity))

    def update_entity(self, entity: Mapping[str, Any], **options: Any) -> dict[str, str]:
        return self._one(("update", entity, options))

    def upsert_entity(self, entity: Mapping[str, Any], **_: Any) -> dict[str, str]:
        return self._one(("upsert", entity))

    def delete_entity(self, partition: str, key: str) -> None:
        self.writes += 1
        self._rows.pop((partition, key), None)

    def submit_transaction(self, operations: Any) -> list[dict[str, str]]:
        """All or nothing; as in Azure, the status is that of the operation that failed."""
        before, self.writes = dict(self._rows), self.writes + 1
        try:
            return [self._apply(*operation) for operation in operations]
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
            self._rows = before
            make: Any = TableTransactionError
            failed = make(message=str(error))
            failed.status_code = {ResourceExistsError: 409, ResourceModifiedError: 412}.get(type(error), 404)
            raise failed from None

    def query_entities(self, query: str, **_: Any) -> Iterator[Entity]:
        clauses = [
            (name, _COMPARE[how], text.strip("'") if "'" in text else int(text)) for name, how, text in _CLAUSE.findall(query)
        ]
        rows = [self._rows[key] for key in sorted(self._rows)]
        return iter([row for row in rows if all(name in row and compare(row[name], value) for name, compare, value in clauses)])

    def list_entities(self, **_: Any) -> Iterator[Entity]:
        return iter(list(self._rows.values()))

    def _one(self, operation: Any) -> dict[str, str]:
        self.writes += 1
        return self._apply(*operation)

    def _apply(self, kind: str, entity: Mapping[str, Any], options: Mapping[str, Any] = {}) -> dict[str, str]:
        key = (entity["PartitionKey"], entity["RowKey"])
        held = self._rows.get(key)
        if kind == "create" and held is not None:
            raise ResourceExistsError("the row is there")
        if kind in ("update", "delete"):
            if held is None:
                raise ResourceNotFoundError("no such row")
            if options.get("etag") and options["etag"] != held.metadata["etag"]:
                raise ResourceModifiedError("the row has changed")
        if kind == "delete":
            del self._rows[key]
            return {}
        etag = f'W/"{next(self._etags)}"'
        self._rows[key] = Entity(entity)
        self._rows[key].metadata = {"etag": etag}
        return {"etag": etag}


@dataclass
class MemoryMessage:
    id: str
    content: bytes
    pop_receipt: str = "receipt"
    inserted_on: datetime | None = None


class MemoryQueue:
    """Messages in the order in which they were sent. Nothing comes later: that is what PatientQueue is for."""

    def __init__(self) -> None:
        self._messages: list[MemoryMessage] = []
        self._ids = count(1)

    def send_message(self, content: bytes, **_: Any) -> MemoryMessage:
        self._messages.append(MemoryMessage(str(next(self._ids)), content))
        return self._messages[-1]

    def receive_messages(self, **_: Any) -> list[MemoryMessage]:
        taken, self._messages = self._messages, []
        return taken

    def update_message(self, *_: Any, **__: Any) -> MemoryMessage:
        """Nothing comes later here."""
        return MemoryMessage("", b"")

    def delete_message(self, *_: Any, **__: Any) -> None:
        """A received message is gone already."""

    def clear_messages(self) -> None:
        self._messages.clear()


@dataclass
class MemoryBlob:
    name: str
    content: bytes
    last_modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    etag: str = ""

    def readall(self) -> bytes:
        return self.content


class MemoryBlobs:
    def __init__(self) -> None:
        self._blobs: dict[str, MemoryBlob] = {}

    def upload_blob(self, name: str, content: bytes, *, overwrite: bool = False, **_: Any) -> None:
        if name in self._blobs and not overwrite:
            raise ResourceExistsError("the blob is there")
        self._blobs[name] = MemoryBlob(name, content)

    def download_blob(self, name: str, **_: Any) -> MemoryBlob:
        if name not in self._blobs:
            raise ResourceNotFoundError("no such blob")
        return self._blobs[name]

    def list_blob_names(self, *, name_starts_with: str = "") -> list[str]:
        return [name for name in sorted(self._blobs) if name.startswith(name_starts_with)]

    def list_blobs(self) -> list[MemoryBlob]:
        return list(self._blobs.values())

    def delete_blob(self, name: str, **_: Any) -> None:
        self._blobs.pop(name, None)


class MemoryStorage:
    """Stands for `handlers.records.storage.Storage`."""

    def __init__(self) -> None:
        self._table, self._queue = MemoryTable(), MemoryQueue()
        self._blobs: dict[str, MemoryBlobs] = {}

    def table(self) -> MemoryTable:
        return self._table

    def queue(self) -> MemoryQueue:
        return self._queue

    def blobs(self, container: str) -> MemoryBlobs:
        return self._blobs.setdefault(container, MemoryBlobs())
