"""The queue `alerts`: what arrived and waits to be worked on, and notes of the app to itself.

A message is an alert body as its source sent it (so Event Grid may deliver straight into the queue), or an envelope of ours:
a JSON object with the key `backupRunbooks`. A body over 48 KiB lies in a blob and its envelope names it
(https://learn.microsoft.com/azure/architecture/patterns/claim-check): a message holds 64 KiB, base64 takes a third.
"""

from __future__ import annotations

import json
import logging
import math
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from handlers.model import parse_time
from handlers.records.storage import ALERT_BLOBS, CALL_SECONDS, Storage, StorageDown

log = logging.getLogger(__name__)

MARK = "backupRunbooks"
ALERT = "alert"
LARGEST_MESSAGE_BYTES = 48 * 1024
KEPT_SECONDS = 7 * 24 * 3600
"""How long a message waits in the queue, longer than a long weekend."""
UNPOSTED = "unposted/"


class Message(Struct, frozen=True):
    """One message, opened."""

    kind: str = ALERT
    """`alert`: `content` is a body from outside. Any other: a note of ours, `fields` say what about."""
    content: bytes = b""
    fields: Mapping[str, Any] = field(default_factory=dict)
    since: datetime | None = None
    """When it first came; None when the message does not say."""
    blob: str = ""
    id: str = ""
    """The queue's own id: the same when the host that worked on it died and it comes again."""


class Sent(Struct, frozen=True):
    """A note that lies in the queue and has not come yet, as the queue names it."""

    id: str
    receipt: str


class BodyIsGone(LookupError):
    """The blob that a message names is not there."""


class AlertQueue:
    """Puts bodies and notes into the queue and opens what comes out."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(self, body: bytes) -> None:
        """Queue a body of UTF-8 JSON. Raises StorageDown; then nothing was queued."""
        from azure.core.exceptions import AzureError

        try:
            raw = len(body) <= LARGEST_MESSAGE_BYTES and _envelope(body) is None
            self._send(body if raw else _pack(ALERT, blob=self._store(body), since=_now()))
        except AzureError as error:
            raise StorageDown(type(error).__name__) from error

    def note(self, kind: str, *, after_seconds: float = 0, **fields: Any) -> Sent:
        """Queue a note to ourselves, which comes after so many seconds."""
        return self._send(_pack(kind, fields=fields), after_seconds)

    def move(self, note: Sent, seconds: float) -> Sent:
        """Let a note that has not come yet come after so many seconds from now."""
        from azure.core.exceptions import AzureError

        try:
            visible = math.ceil(max(seconds, 0))
            moved = self._storage.queue().update_message(note.id, note.receipt, visibility_timeout=visible, timeout=CALL_SECONDS)
            return Sent(note.id, str(moved.pop_receipt))
        except AzureError as error:
            log.info("a note comes when it was to come: %s", type(error).__name__)
            return note

    def withdraw(self, note: Sent) -> None:
        """Delete a note that has not come yet, because nothing is left to do."""
        from azure.core.exceptions import AzureError

        try:
            self._storage.queue().delete_message(note.id, note.receipt, timeout=CALL_SECONDS)
        except AzureError as error:
            log.info("a note comes though nothing is left: %s", type(error).__name__)

    def open(self, queued: bytes, message_id: str = "") -> Message:
        """What a queue message holds; a large body is fetched from its blob. Raises BodyIsGone."""
        from azure.core.exceptions import ResourceNotFoundError

        envelope = _envelope(queued)
        if envelope is None:
            return Message(content=queued, id=message_id)
        blob = str(envelope.get("blob") or "")
        content = str(envelope.get("body") or "").encode()
        if blob:
            try:
                content = self._storage.blobs(ALERT_BLOBS).download_blob(blob, timeout=CALL_SECONDS).readall()
            except ResourceNotFoundError:
                raise BodyIsGone(blob) from None
        since = parse_time(envelope.get("since"))
        return Message(str(envelope[MARK]), content, envelope.get("fields") or {}, since, blob, message_id)

    # ---------------------------------------------------------------- what could not be posted at all

    def keep_unposted(self, content: bytes, why: str) -> None:
        """Keep an alert that not even a plain ticket could be posted for; the same alert is kept once."""
        name = f"{UNPOSTED}{uuid.uuid5(uuid.NAMESPACE_OID, content.hex())}.json"
        kept = json.dumps({"why": why, "body": content.decode("utf-8", "replace")}).encode()
        self._storage.blobs(ALERT_BLOBS).upload_blob(name, kept, overwrite=True, timeout=CALL_SECONDS)

    def unposted(self) -> Iterator[tuple[str, bytes, str]]:
        """Name, alert body and reason of everything that is kept. What cannot be read is logged and left out."""
        blobs = self._storage.blobs(ALERT_BLOBS)
        for name in blobs.list_blob_names(name_starts_with=UNPOSTED):
            try:
                kept = json.loads(blobs.download_blob(name, timeout=CALL_SECONDS).readall())
                yield name, kept["body"].encode(), kept["why"]
            except (ValueError, KeyError):
                log.exception("what is kept cannot be read: %s", name)

    def delete_bodies(self, before: datetime) -> int:
        """Delete the bodies that came before that day; how many. Their messages are gone: none lives for so long."""
        blobs, gone = self._storage.blobs(ALERT_BLOBS), 0
        for name in blobs.list_blob_names():
            if name < f"{before:%Y/%m/%d}" and not name.startswith(UNPOSTED):
                blobs.delete_blob(name, timeout=CALL_SECONDS)
                gone += 1
        return gone

    def drop_unposted(self, name: str) -> None:
        self._storage.blobs(ALERT_BLOBS).delete_blob(name, timeout=CALL_SECONDS)

    def store_body(self, body: bytes) -> str:
        """Keep a body in a blob of its own; the blob's name. The same body of a day is kept once."""
        name = f"{datetime.now(UTC):%Y/%m/%d}/{uuid.uuid5(uuid.NAMESPACE_OID, body.hex())}.json"
        self._storage.blobs(ALERT_BLOBS).upload_blob(name, body, overwrite=True, timeout=CALL_SECONDS)
        return name

    def body(self, name: str) -> bytes:
        """A body that was stored; empty when it is gone."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._storage.blobs(ALERT_BLOBS).download_blob(name, timeout=CALL_SECONDS).readall()
        except ResourceNotFoundError:
            return b""

    def _store(self, body: bytes) -> str:
        name = f"{datetime.now(UTC):%Y/%m/%d}/{uuid.uuid4()}.json"
        self._storage.blobs(ALERT_BLOBS).upload_blob(name, body, timeout=CALL_SECONDS)
        return name

    def _send(self, message: bytes, after_seconds: float = 0) -> Sent:
        sent = self._storage.queue().send_message(
            message, time_to_live=KEPT_SECONDS, visibility_timeout=math.ceil(after_seconds), timeout=CALL_SECONDS
        )
        return Sent(sent.id, str(sent.pop_receipt))


def _pack(kind: str, **fields: Any) -> bytes:
    return json.dumps({MARK: kind, **fields}, ensure_ascii=False).encode()


def _envelope(message: bytes) -> dict[str, Any] | None:
    """The envelope that a message is, or None. A body from outside that looks like one goes into a blob: it cannot pass for ours."""
    if MARK.encode() not in message[:100]:
        return None
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get(MARK), str) else None


def _now() -> str:
    return datetime.now(UTC).isoformat()
