"""The queue: bodies of any size come out as they went in, nobody from outside can forge a note of ours, waits are spread."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.records.alert_queue import ALERT, LARGEST_MESSAGE_BYTES, MARK, AlertQueue, BodyIsGone, Message
from handlers.records.storage import ALERT_BLOBS, Storage

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


@pytest.fixture
def storage(own_azurite: str) -> Storage:
    """A storage account with an empty queue."""
    found = Storage({"AzureWebJobsStorage": own_azurite})
    found.queue().clear_messages()
    return found


@pytest.fixture
def queue(storage: Storage) -> AlertQueue:
    return AlertQueue(storage)


def taken(storage: Storage) -> list[Any]:
    return list(storage.queue().receive_messages(max_messages=32, visibility_timeout=60))


def opened(storage: Storage, queue: AlertQueue) -> Message:
    (message,) = taken(storage)
    return queue.open(message.content, message.id)


@pytest.mark.parametrize("size", [10, LARGEST_MESSAGE_BYTES, LARGEST_MESSAGE_BYTES + 1, 256 * 1024])
def test_a_body_of_any_size_comes_out_as_it_went_in(storage: Storage, queue: AlertQueue, size: int) -> None:
    body = json.dumps("é" * size).encode()[:size]
    queue.put(body)
    message = opened(storage, queue)
    assert (message.kind, message.content) == (ALERT, body)


def test_a_small_body_lies_in_the_queue_as_its_source_sent_it(storage: Storage, queue: AlertQueue) -> None:
    queue.put(b'{"schemaId": "x"}')
    assert [message.content for message in taken(storage)] == [b'{"schemaId": "x"}']


@pytest.mark.parametrize("kind", [ALERT, "storm", "second_reading"])
def test_a_body_from_outside_that_looks_like_a_note_of_ours_stays_a_body(storage: Storage, queue: AlertQueue, kind: str) -> None:
    body = json.dumps({MARK: kind, "blob": "2026/x.json", "fields": {"incident": "0"}}).encode()
    queue.put(body)
    message = opened(storage, queue)
    assert (message.kind, message.content) == (ALERT, body)


def test_a_note_carries_its_fields(storage: Storage, queue: AlertQueue) -> None:
    queue.note("second_reading", incident="abc", failures=2)
    message = opened(storage, queue)
    assert (message.kind, message.fields) == ("second_reading", {"incident": "abc", "failures": 2})


def test_a_note_for_later_is_out_of_sight_until_its_time(storage: Storage, queue: AlertQueue) -> None:
    queue.note("due", after_seconds=600)
    assert taken(storage) == []
    assert storage.queue().get_queue_properties().approximate_message_count == 1


def test_a_note_that_has_not_come_yet_can_be_moved_up(storage: Storage, queue: AlertQueue) -> None:
    queue.move(queue.note("due", after_seconds=600), 0)
    assert opened(storage, queue).kind == "due"


def test_a_note_that_has_not_come_yet_can_be_withdrawn(storage: Storage, queue: AlertQueue) -> None:
    queue.withdraw(queue.note("due", after_seconds=600))
    assert storage.queue().get_queue_properties().approximate_message_count == 0


def test_a_note_that_has_come_already_is_neither_moved_nor_withdrawn(storage: Storage, queue: AlertQueue) -> None:
    note = queue.note("due")
    opened(storage, queue)
    queue.move(note, 600)
    queue.withdraw(note)


def test_a_body_whose_blob_is_gone_is_named(storage: Storage, queue: AlertQueue) -> None:
    queue.put(json.dumps("x" * 200 * 1024).encode())
    blobs = storage.blobs(ALERT_BLOBS)
    for name in list(blobs.list_blob_names()):
        blobs.delete_blob(name)
    with pytest.raises(BodyIsGone):
        opened(storage, queue)


def test_a_stored_body_comes_back_and_one_that_is_gone_is_empty(queue: AlertQueue) -> None:
    name = queue.store_body(b'{"odd": 1}')
    assert queue.store_body(b'{"odd": 1}') == name
    assert (queue.body(name), queue.body("gone.json")) == (b'{"odd": 1}', b"")


def test_what_could_not_be_posted_is_kept_once_and_can_be_dropped(queue: AlertQueue) -> None:
    for _ in range(2):
        queue.keep_unposted(b'{"a": 1}', "TICKET_URL answered 400")
    ((name, body, why),) = queue.unposted()
    assert (body, why) == (b'{"a": 1}', "TICKET_URL answered 400")
    queue.drop_unposted(name)
    assert list(queue.unposted()) == []
