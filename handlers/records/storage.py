"""The app's own storage account: its queue, its blob containers and its table, reached with the settings of `AzureWebJobsStorage`.

A connection string, or the identity form: https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from handlers.azure.credentials import storage_credential

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient
    from azure.storage.blob import ContainerClient
    from azure.storage.queue import QueueClient

QUEUE, TABLE = "alerts", "incidents"
ALERT_BLOBS, INCIDENT_BLOBS = "alerts", "incidents"
CALL_SECONDS = 10
PATIENCE: dict[str, Any] = {
    "retry_total": 1,
    "retry_connect": 1,
    "retry_read": 1,
    "initial_backoff": 0,
    "increment_base": 1,
    "connection_timeout": 3,
    "read_timeout": 10,
}
"""Action groups wait for the answer: two quick tries, then 503, and they come again."""


class StorageDown(Exception):
    """The storage account could not be reached; nothing was accepted."""


class Storage:
    """The clients, each made and its queue, container or table created when it is first needed.

    `creating=False`: nothing is created, so that a right to read is enough.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, *, creating: bool = True) -> None:
        self._environment, self._creating = environment, creating
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}

    def queue(self) -> QueueClient:
        def make() -> QueueClient:
            from azure.storage.queue import BinaryBase64DecodePolicy, BinaryBase64EncodePolicy, QueueClient

            coding: dict[str, Any] = {
                "message_encode_policy": BinaryBase64EncodePolicy(),
                "message_decode_policy": BinaryBase64DecodePolicy(),
            }
            if connection := self._environment.get("AzureWebJobsStorage"):
                queue = QueueClient.from_connection_string(connection, QUEUE, **coding, **PATIENCE)
            else:
                queue = QueueClient(self._address("queue"), QUEUE, credential=self._credential(), **coding, **PATIENCE)
            self._create(queue.create_queue)
            return queue

        return self._once("queue", make)

    def blobs(self, container: str) -> ContainerClient:
        def make() -> ContainerClient:
            from azure.storage.blob import ContainerClient

            if connection := self._environment.get("AzureWebJobsStorage"):
                blobs = ContainerClient.from_connection_string(connection, container, **PATIENCE)
            else:
                blobs = ContainerClient(self._address("blob"), container, credential=self._credential(), **PATIENCE)
            self._create(blobs.create_container)
            return blobs

        return self._once(f"blobs {container}", make)

    def table(self) -> TableClient:
        def make() -> TableClient:
            from azure.data.tables import TableClient

            patience: dict[str, Any] = {"retry_total": 3, "connection_timeout": 3, "read_timeout": 10}
            if connection := self._environment.get("AzureWebJobsStorage"):
                table = TableClient.from_connection_string(connection, TABLE, **patience)
            else:
                table = TableClient(self._address("table"), TABLE, credential=self._credential(), **patience)
            self._create(table.create_table)
            return table

        return self._once("table", make)

    def answers(self) -> bool:
        """Whether the queue, the table and the blobs can be reached."""
        from azure.core.exceptions import AzureError

        try:
            self.queue().get_queue_properties(timeout=CALL_SECONDS)
            self.blobs(INCIDENT_BLOBS).get_container_properties(timeout=CALL_SECONDS)
            next(iter(self.table().list_entities(results_per_page=1, select=["PartitionKey"])), None)
        except (AzureError, StorageDown):
            return False
        return True

    def _address(self, service: str) -> str:
        uri = self._environment.get(f"AzureWebJobsStorage__{service}ServiceUri")
        account = self._environment.get("AzureWebJobsStorage__accountName")
        if not uri and not account:
            raise StorageDown(f"AzureWebJobsStorage or AzureWebJobsStorage__{service}ServiceUri is not set")
        return uri or f"https://{account}.{service}.core.windows.net"

    def _credential(self) -> TokenCredential:
        return self._once("credential", lambda: storage_credential(self._environment))

    def _once[T](self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            made: T = self._made[name]
            return made

    def _create(self, create: Callable[[], Any]) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            if self._creating:
                create()
        except ResourceExistsError:
            pass
