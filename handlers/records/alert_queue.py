"""The queue `alerts`: what arrived and waits to be worked on, and what was put back until later.

A message is an alert body as its source sent it (so Event Grid may deliver straight into the queue), or an envelope of ours:
a JSON object with the key `backupRunbooks`. A body over 48 KiB lies in a blob and its envelope names it
(https://learn.microsoft.com/azure/architecture/patterns/claim-check): a message holds 64 KiB, base64 takes a third.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from handlers.model import parse_time
from handlers.records.storage import ALERT_BLOBS, CALL_SECONDS, Storage, StorageDown

MARK = "backupRunbooks"
ALERT = "alert"
LARGEST_MESSAGE_BYTES = 48 * 1024
KEPT_SECONDS = 7 * 24 * 3600
"""How long a message waits in the queue, longer than a long weekend. Each put-back begins it anew."""
LONGEST_WAIT_SECONDS = 6 * 3600
SPREAD = 0.25
"""What was put back at once does not come back at once: up to this part is added to each wait."""
UNPOSTED = "unposted/"


@dataclass(frozen=True, slots=True)
class Message:
    """One message, opened."""

    kind: str = ALERT
    """`alert`: `content` is a body from outside. Any other: a note of ours, `fields` say what about."""
    content: bytes = b""
    fields: Mapping[str, Any] = field(default_factory=dict)
    tries: int = 0
    since: datetime | None = None
    """When it first came; None when the message does not say."""
    blob: str = ""
    id: str = ""
    """The queue's own id: the same when the host that worked on it died and it comes again."""


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

    def note(self, kind: str, *, after_seconds: float = 0, **fields: Any) -> None:
        """Queue a note to ourselves."""
        self._send(_pack(kind, fields=fields), after_seconds)

    def put_back(self, message: Message, seconds: float, now: datetime) -> None:
        """The same again, after a while. The caller then lets the message that it works on end well."""
        wait = min(max(seconds, 1) * (1 + random.uniform(0, SPREAD)), LONGEST_WAIT_SECONDS)  # noqa: S311 - spreads load
        state = {"tries": message.tries + 1, "since": (message.since or now).isoformat()}
        if message.kind != ALERT:
            packed = _pack(message.kind, fields=dict(message.fields), **state)
        elif message.blob:
            packed = _pack(ALERT, blob=message.blob, **state)
        else:
            packed = _pack(ALERT, body=message.content.decode("utf-8", "replace"), **state)
            if len(packed) > LARGEST_MESSAGE_BYTES:
                packed = _pack(ALERT, blob=self._store(message.content), **state)
        self._send(packed, wait)

    def open(self, queued: bytes, message_id: str = "") -> Message:
        """What a queue message holds; a large body is fetched from its blob."""
        envelope = _envelope(queued)
        if envelope is None:
            return Message(content=queued, id=message_id)
        blob, tries = str(envelope.get("blob") or ""), int(envelope.get("tries") or 0)
        content = str(envelope.get("body") or "").encode()
        if blob:
            content = self._storage.blobs(ALERT_BLOBS).download_blob(blob, timeout=CALL_SECONDS).readall()
        since = parse_time(envelope.get("since"))
        return Message(str(envelope[MARK]), content, envelope.get("fields") or {}, tries, since, blob, message_id)

    # ---------------------------------------------------------------- what could not be posted at all

    def keep_unposted(self, content: bytes, why: str) -> None:
        """Keep an alert that not even a plain ticket could be posted for; the same alert is kept once."""
        name = f"{UNPOSTED}{uuid.uuid5(uuid.NAMESPACE_OID, content.hex())}.json"
        kept = json.dumps({"why": why, "body": content.decode("utf-8", "replace")}).encode()
        self._storage.blobs(ALERT_BLOBS).upload_blob(name, kept, overwrite=True, timeout=CALL_SECONDS)

    def unposted(self) -> Iterator[tuple[str, bytes, str]]:
        """Name, alert body and reason of everything that is kept."""
        blobs = self._storage.blobs(ALERT_BLOBS)
        for name in blobs.list_blob_names(name_starts_with=UNPOSTED):
            kept = json.loads(blobs.download_blob(name, timeout=CALL_SECONDS).readall())
            yield name, kept["body"].encode(), kept["why"]

    def forget_bodies(self, before: datetime) -> int:
        """Delete the large bodies that came before that day; how many. Their messages are gone: none is kept for so long."""
        blobs, gone = self._storage.blobs(ALERT_BLOBS), 0
        for name in blobs.list_blob_names():
            if name < f"{before:%Y/%m/%d}" and not name.startswith(UNPOSTED):
                blobs.delete_blob(name, timeout=CALL_SECONDS)
                gone += 1
        return gone

    def drop_unposted(self, name: str) -> None:
        self._storage.blobs(ALERT_BLOBS).delete_blob(name, timeout=CALL_SECONDS)

    def _store(self, body: bytes) -> str:
        name = f"{datetime.now(UTC):%Y/%m/%d}/{uuid.uuid4()}.json"
        self._storage.blobs(ALERT_BLOBS).upload_blob(name, body, timeout=CALL_SECONDS)
        return name

    def _send(self, message: bytes, after_seconds: float = 0) -> None:
        self._storage.queue().send_message(
            message, time_to_live=KEPT_SECONDS, visibility_timeout=int(after_seconds), timeout=CALL_SECONDS
        )


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
