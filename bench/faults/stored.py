"""The app's storage account as somebody sees it who looks in from outside."""

from __future__ import annotations

import json
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient


class Stored:
    """Queue `alerts`, table `incidents`, container `alerts`. What is not there yet is empty."""

    def __init__(self, connection: str) -> None:
        self._queues = {name: QueueClient.from_connection_string(connection, name) for name in ("alerts", "alerts-poison")}
        self._table = TableClient.from_connection_string(connection, "incidents")
        self._blobs = ContainerClient.from_connection_string(connection, "alerts")

    def queued(self, name: str = "alerts") -> int:
        """How many messages the queue holds, in sight or not."""
        try:
            return self._queues[name].get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    def in_sight(self) -> int:
        """How many messages wait to be worked on now (32 at most)."""
        try:
            return len(self._queues["alerts"].peek_messages(max_messages=32))
        except ResourceNotFoundError:
            return 0

    def rows(self, partition: str) -> list[dict[str, Any]]:
        """The rows of a partition without their copies in lists; what is JSON in them is read."""
        try:
            rows = [dict(row) for row in self._table.query_entities(f"PartitionKey eq '{partition}'")]
            return [{name: _read(value) for name, value in row.items()} for row in rows if " " not in row["RowKey"]]
        except ResourceNotFoundError:
            return []

    def large_bodies(self) -> dict[str, bytes]:
        """The bodies that were too long for a message, by blob name."""
        names = [name for name in self._blobs.list_blob_names() if not name.startswith("unposted/")]
        return {name: self._blobs.download_blob(name).readall() for name in names}

    def delete_large_body(self, name: str) -> None:
        self._blobs.delete_blob(name)

    def unposted(self) -> list[str]:
        """Alerts that are kept because not even a plain ticket could be posted."""
        try:
            names = list(self._blobs.list_blob_names(name_starts_with="unposted/"))
            return [str(json.loads(self._blobs.download_blob(name).readall())["body"]) for name in names]
        except ResourceNotFoundError:
            return []


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


DEFAULT = "default"


def ticket_of(row: dict[str, Any], target: str = DEFAULT) -> dict[str, Any]:
    """What the row's ticket at a target shows: `shown`, `status`, `ticket_id` …; empty while nobody has tried to post it."""
    ticket: dict[str, Any] = row["delivery"]["tickets"].get(target, {})
    return ticket


def is_due(row: dict[str, Any]) -> bool:
    """Whether one of the row's own tickets must still change."""
    version, targets = row["delivery"]["version"], row["delivery"]["tickets"] or (DEFAULT,)
    return not row.get("storm") and any(ticket_of(row, target).get("shown", 0) < version for target in targets)
