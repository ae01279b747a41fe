"""The queue: bodies of any size come out as they went in, nobody from outside can forge a note of ours, waits are spread."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.records.alert_queue import ALERT, LARGEST_MESSAGE_BYTES, MARK, AlertQueue, Message
from handlers.records.storage import Storage

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


@pytest.mark.parametrize("kind", [ALERT, "storm", "second_look"])
def test_a_body_from_outside_that_looks_like_a_note_of_ours_stays_a_body(storage: Storage, queue: AlertQueue, kind: str) -> None:
    body = json.dumps({MARK: kind, "blob": "2026/x.json", "fields": {"incident": "0"}}).encode()
    queue.put(body)
    message = opened(storage, queue)
    assert (message.kind, message.content) == (ALERT, body)


def test_a_note_carries_its_fields(storage: Storage, queue: AlertQueue) -> None:
    queue.note("second_look", incident="abc", failures=2)
    message = opened(storage, queue)
    assert (message.kind, message.fields) == ("second_look", {"incident": "abc", "failures": 2})


def test_what_is_put_back_is_out_of_sight_until_its_time(storage: Storage, queue: AlertQueue) -> None:
    queue.put_back(Message(content=b"{}"), 600, NOW)
    assert taken(storage) == []
    assert storage.queue().get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize("size", [100, LARGEST_MESSAGE_BYTES - 10, 200 * 1024])
def test_what_is_put_back_keeps_its_body_its_age_and_its_count(storage: Storage, queue: AlertQueue, size: int) -> None:
    body = json.dumps("x" * size).encode()
    queue.put(body)
    queue.put_back(opened(storage, queue), 1, NOW)
    import time

    time.sleep(1.6)
    message = opened(storage, queue)
    assert (message.content, message.tries, message.since is not None) == (body, 1, True)


def test_what_could_not_be_posted_is_kept_once_and_can_be_dropped(queue: AlertQueue) -> None:
    for _ in range(2):
        queue.keep_unposted(b'{"a": 1}', "TICKET_URL answered 400")
    ((name, body, why),) = queue.unposted()
    assert (body, why) == (b'{"a": 1}', "TICKET_URL answered 400")
    queue.drop_unposted(name)
    assert list(queue.unposted()) == []
