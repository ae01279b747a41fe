"""The stories in this process: storage in memory or on Azurite, the simulated Azure over HTTP, a ticket system that remembers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from handlers import dispatch
from handlers.azure.arm import Azure
from handlers.azure.read_budget import ReadBudget
from handlers.model import Incident
from handlers.model.parts import Part
from handlers.model.refusal import Past
from handlers.records.alert_queue import AlertQueue, Sent
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.plain_tickets import PlainTickets
from handlers.records.reminders import Waiting
from handlers.records.storage import Storage
from handlers.records.storms import Storms
from handlers.records.vault_marks import VaultMarks
from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.gate import Gate
from handlers.tickets.posting import NO_PAST, Tickets
from handlers.wiring import Tools
from sandbox.azure import RunningAzure, running_azure
from sandbox.scenario import Scenario, load_scenarios
from tests.memory_storage import MemoryStorage


class Target:
    """A ticket system that remembers what it was given, once per change, and answers what it is told to."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.tries: list[tuple[str, bool]] = []
        self.answers: list[Exception] = []
        """What the next posts end with; empty: they are taken."""
        self.lose_answer = False
        """Take the next post, and cut the connection before the answer."""

    def post(
        self, event: dict[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST, parts: Sequence[Part] = ()
    ) -> Posted:
        self.tries.append((change_id, may_exist))
        if self.answers:
            raise self.answers.pop(0)
        if change_id not in [known for known, _ in self.posts]:
            self.posts.append((change_id, json.loads(json.dumps(event))))
        if self.lose_answer:
            self.lose_answer = False
            raise TicketNotPosted("no answer")
        return Posted(f"T-{event['data']['incident']['id'][:6]}", "https://tickets.example.com/1")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, event in self.posts]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


class Clock:
    """When the test began, and as far ahead as it wants: how fast the machine is plays no part."""

    def __init__(self) -> None:
        self.began, self.ahead = datetime.now(UTC), timedelta()

    def __call__(self) -> datetime:
        return self.began + self.ahead

    def seconds(self) -> float:
        return self().timestamp()


class PatientQueue(AlertQueue):
    """The real queue, but what is sent for later waits here until a test says that it is later."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.later: dict[str, tuple[float, bytes]] = {}
        self.sent = 0
        """How many messages were sent, those for later among them."""

    def _send(self, message: bytes, after_seconds: float = 0) -> Sent:
        self.sent += 1
        if not after_seconds:
            return super()._send(message)
        note = Sent(str(uuid4()), "")
        self.later[note.id] = (after_seconds, message)
        return note

    def move(self, note: Sent, seconds: float) -> Sent:
        if note.id in self.later:
            self.later[note.id] = (seconds, self.later[note.id][1])
        return note

    def withdraw(self, note: Sent) -> None:
        self.later.pop(note.id, None)

    def is_later(self, seconds: float) -> None:
        """Time has passed: what was sent for no longer lies in the queue now."""
        for name, (after, message) in list(self.later.items()):
            self.later[name] = (after - seconds, message)
            if after <= seconds:
                del self.later[name]
                super()._send(message)


@dataclass
class Bench:
    """Everything a story works with, and what a test looks at."""

    tools: Tools
    target: Target
    clock: Clock
    azure: RunningAzure
    storage: Storage
    queue: PatientQueue

    def fire(self, body: Any) -> None:
        self.queue.put(body if isinstance(body, bytes) else json.dumps(body).encode())

    def work(self) -> int:
        """Work on what lies in the queue, as the host does; how many messages."""
        done = 0
        while messages := list(self.storage.queue().receive_messages(max_messages=32, visibility_timeout=600)):
            for message in messages:
                dispatch.work_on(message.content, self.tools, message.inserted_on)
                self.storage.queue().delete_message(message)
                done += 1
        return done

    @property
    def waits(self) -> list[float]:
        """For how long messages were put away, in seconds."""
        return [seconds for seconds, _ in self.queue.later.values()]

    def wait(self, seconds: float) -> int:
        """Let time pass, bring back what was put away for no longer, and work on it."""
        self.clock.ahead += timedelta(seconds=seconds)
        self.queue.is_later(seconds)
        return self.work()

    def run(self, *, seconds: float) -> int:
        """Let time pass and work on each message when it comes; how many messages."""
        done, left = self.work(), seconds
        while (due := [after for after in self.waits if after <= left]) and left > 0:
            step = max(min(due), 0.001)
            left -= step
            done += self.wait(step)
        return done + self.wait(max(left, 0))

    @property
    def open_incidents(self) -> list[Incident]:
        return [incident for incident in self.tools.incidents.active() if incident.status == "open"]


@pytest.fixture
def new_storage(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes an empty storage account: one in memory, of which tests/records show that it does what Azurite does.

    A module whose stories are to run on Azurite says so with `pytestmark = pytest.mark.usefixtures("own_azurite")`; with
    STORIES_ON_AZURITE=1 all of them do.
    """
    if "own_azurite" in request.fixturenames or os.environ.get("STORIES_ON_AZURITE"):
        own_azurite = request.getfixturevalue("own_azurite")
        return lambda: emptied(Storage({"AzureWebJobsStorage": own_azurite}))
    return MemoryStorage


@pytest.fixture
def bench_of(new_storage: Callable[[], Any]) -> Iterator[Callable[..., Bench]]:
    """`bench_of("scenario", …, watched=True, **settings)`; `storage`: another one than a new one."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(
            *names: str,
            watched: bool = False,
            scenarios: tuple[Scenario, ...] = (),
            storage: Any = None,
            target: Any = None,
            **more: Any,
        ) -> Bench:
            chosen = [found for found in load_scenarios() if found.name in names] + list(scenarios)
            azure = stack.enter_context(running_azure(chosen))
            subscriptions = tuple(found.subscription for found in chosen) if watched else ()
            settings = Settings(
                ticket_url="http://127.0.0.1:9", arm_endpoint=azure.url, logs_endpoint=azure.url,
                watched_subscriptions=subscriptions, **more,
            )  # fmt: skip
            return bench_on(storage or new_storage(), settings, azure, target or Target())

        yield make


def bench_on(storage: Any, settings: Settings, azure: RunningAzure, target: Any, clock: Clock | None = None) -> Bench:
    """The stories' tools on a storage account."""
    clock = clock or Clock()
    queue = PatientQueue(storage)
    tools = Tools(
        settings=settings,
        azure=Azure(settings, ReadBudget(clock.seconds, lambda _: None)),
        tickets=Tickets(target, Gate(clock.seconds), clock),
        queue=queue,
        incidents=Incidents(storage),
        documents=Documents(storage),
        marks=VaultMarks(storage),
        storms=Storms(storage, settings.storm_threshold, settings.storm_window_minutes),
        plain_tickets=PlainTickets(storage),
        waiting=Waiting(),
        now=clock,
    )
    return Bench(tools, target, clock, azure, storage, queue)


def emptied(storage: Storage) -> Storage:
    """The storage account without rows, documents, messages and what could not be posted."""
    storage.queue().clear_messages()
    for container, start in (("incidents", ""), ("alerts", "unposted/")):
        for name in list(storage.blobs(container).list_blob_names(name_starts_with=start)):
            storage.blobs(container).delete_blob(name)
    table = storage.table()
    for row in table.list_entities():
        table.delete_entity(row["PartitionKey"], row["RowKey"])
    return storage
