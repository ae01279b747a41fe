"""The app's own storage: the alert queue, and the blobs of bodies that are too large for a queue message.

A queue message is an alert body as its source sent it, or `{"claim": "<blob name>"}` when the body lies in the container
`alerts` (https://learn.microsoft.com/azure/architecture/patterns/claim-check): a message holds 64 KiB, base64 takes a third.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueClient

QUEUE, CONTAINER = "alerts", "alerts"
LARGEST_MESSAGE_BYTES = 48 * 1024
KEPT_SECONDS = 7 * 24 * 3600
"""How long a message waits in the queue: longer than a long weekend."""
CALL_SECONDS = 10


class StorageDown(Exception):
    """The queue or the blob container could not be reached; nothing was accepted."""


class AlertQueue:
    """The queue `alerts`, and its claim check. Made from the app's `AzureWebJobsStorage` settings."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._queue: QueueClient | None = None
        self._blobs: BlobServiceClient | None = None

    def put(self, body: bytes) -> None:
        """Queue a body of UTF-8 JSON. Raises StorageDown; then nothing was queued."""
        from azure.core.exceptions import AzureError

        try:
            message = body if len(body) <= LARGEST_MESSAGE_BYTES and not _is_claim(body) else self._store(body)
            self._queue_client().send_message(message, time_to_live=KEPT_SECONDS, timeout=CALL_SECONDS)
        except AzureError as error:
            raise StorageDown(type(error).__name__) from error

    def body(self, message: bytes) -> bytes:
        """The alert body that a queue message stands for."""
        if not _is_claim(message):
            return message
        blob = self._blob_client().get_blob_client(CONTAINER, json.loads(message)["claim"])
        content: bytes = blob.download_blob(timeout=CALL_SECONDS).readall()
        return content

    def answers(self) -> bool:
        """Whether the queue can be reached."""
        from azure.core.exceptions import AzureError

        try:
            self._queue_client().get_queue_properties(timeout=CALL_SECONDS)
        except (AzureError, StorageDown):
            return False
        return True

    def _store(self, body: bytes) -> bytes:
        name = f"{datetime.now(UTC):%Y/%m/%d}/{uuid.uuid4()}.json"
        blob = self._blob_client().get_blob_client(CONTAINER, name)
        blob.upload_blob(body, timeout=CALL_SECONDS)
        return json.dumps({"claim": name}).encode()

    def _queue_client(self) -> QueueClient:
        with self._lock:
            if self._queue is None:
                from azure.storage.queue import BinaryBase64DecodePolicy, BinaryBase64EncodePolicy, QueueClient

                options: dict[str, Any] = {
                    "message_encode_policy": BinaryBase64EncodePolicy(),
                    "message_decode_policy": BinaryBase64DecodePolicy(),
                    **_patience(),
                }
                connection = self._environment.get("AzureWebJobsStorage")
                queue = (
                    QueueClient.from_connection_string(connection, QUEUE, **options)
                    if connection
                    else QueueClient(self._service_uri("queue"), QUEUE, credential=self._credential(), **options)
                )
                _create(queue.create_queue)
                self._queue = queue
            return self._queue

    def _blob_client(self) -> BlobServiceClient:
        with self._lock:
            if self._blobs is None:
                from azure.storage.blob import BlobServiceClient

                connection = self._environment.get("AzureWebJobsStorage")
                blobs = (
                    BlobServiceClient.from_connection_string(connection, **_patience())
                    if connection
                    else BlobServiceClient(self._service_uri("blob"), credential=self._credential(), **_patience())
                )
                _create(lambda: blobs.create_container(CONTAINER))
                self._blobs = blobs
            return self._blobs

    def _service_uri(self, service: str) -> str:
        uri = self._environment.get(f"AzureWebJobsStorage__{service}ServiceUri")
        account = self._environment.get("AzureWebJobsStorage__accountName")
        if not uri and not account:
            raise StorageDown(f"AzureWebJobsStorage or AzureWebJobsStorage__{service}ServiceUri is not set")
        return uri or f"https://{account}.{service}.core.windows.net"

    def _credential(self) -> Any:
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        client_id = self._environment.get("AzureWebJobsStorage__clientId")
        if self._environment.get("AzureWebJobsStorage__credential") == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        return DefaultAzureCredential()


def _is_claim(body: bytes) -> bool:
    """Whether a message is a claim check. A body from outside that looks like one is stored, so that it cannot pass for ours."""
    if len(body) > 200 or b'"claim"' not in body:
        return False
    try:
        envelope = json.loads(body)
    except ValueError:
        return False
    return isinstance(envelope, dict) and set(envelope) == {"claim"} and isinstance(envelope["claim"], str)


def _patience() -> dict[str, Any]:
    """Action groups wait for the answer: two quick tries, then 503, and they come again."""
    return {
        "retry_total": 1,
        "retry_connect": 1,
        "retry_read": 1,
        "initial_backoff": 0,
        "increment_base": 1,
        "connection_timeout": 3,
        "read_timeout": 10,
    }


def _create(create: Any) -> None:
    from azure.core.exceptions import ResourceExistsError

    try:
        create()
    except ResourceExistsError:
        pass
