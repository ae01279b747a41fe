"""The virtual clock, the queue, the instances and the limits: what the app runs on, without the app's rules.

An event is one message at one step. What holds messages back comes from limits.py.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.simulate.buckets import Bucket, Window, Workers
from bench.simulate.costs import Cost
from bench.simulate.limits import Limits
from bench.simulate.night import Failure
from bench.simulate.outcome import ACCOUNT, INSTANCES, QUERIES, QUEUE, READS, ROWS, Outcome, Setup

DEEP = 3
"""How many reads of a diagnosis wait for each other."""


@dataclass
class Message:
    """Something in the queue, and the instance that works on it."""

    step: Callable[[Message, float], None]
    failure: Failure | None = None
    number: int = -1
    storm: Storm | None = None
    unread: float = 0.0
    readings: int = 0
    instance: int = -1
    ready_at: float = 0.0
    started_at: float = 0.0


@dataclass
class Storm:
    opened_at: float
    members: list[int] = field(default_factory=list)
    shown_at: float = -1.0
    told: int = 0
    seen: int = 0
    """Members at the last reading."""
    passed: int = 0
    readings: int = 0
    passing: bool = False
    passing_over: int = 0


class Allowed:
    """What Azure and the ticket system let pass."""

    def __init__(self, limits: Limits) -> None:
        self.azure = defaultdict[int, Bucket](lambda: Bucket(limits.reads_burst, limits.azures_reads_rate))
        """A subscription's reads, without the part that the app leaves to others."""
        self.ours = defaultdict[tuple[int, int], Bucket](lambda: Bucket(limits.reads_burst, limits.reads_rate))
        """The share of an instance."""
        self.graph = Window(limits.azures_queries - limits.queries_left_to_others, limits.azures_queries_seconds)
        self.graph_ours = defaultdict[int, Bucket](lambda: Bucket(limits.queries_burst, limits.queries_rate))
        self.partition = Bucket(limits.partition_rate, limits.partition_rate)
        self.account = Bucket(limits.account_rate, limits.account_rate)
        self.queue = Bucket(limits.queue_rate, limits.queue_rate)
        self.tickets = Bucket(max(1.0, limits.tickets_rate), limits.tickets_rate)


class Platform:
    """Where a night is played."""

    def __init__(self, failures: list[Failure], setup: Setup) -> None:
        self._setup, self._limits, self.allowed = setup, setup.limits, Allowed(setup.limits)
        self.outcome = Outcome(failures, [-1.0] * len(failures))
        self._events: list[tuple[float, int, Callable[[Message, float], None], Message]] = []
        self._number = 0
        self._cores = Workers(setup.limits.cores) if setup.limits.cores else None
        self._cpu: list[Workers] = []
        self._slots: deque[int] = deque()
        self._running: list[int] = []
        self._busy_since: list[float] = []
        self._ready: deque[Message] = deque()
        self._left, self._busy = 0, 0
        """Messages that are not done with, and those that are worked on."""

    # ---------------------------------------------------------------- the clock

    def start(self, first: Callable[[Message, float], None]) -> None:
        """Instances and alerts; `first` is what is done with an alert."""
        for _ in range(min(self._setup.started, self._setup.instances)):
            self._open_slots(self._new_instance(), 0.0)
        for number, failure in enumerate(self.outcome.failures):
            self._left += 1
            self._at(failure.at, self._arrive, Message(first, failure, number))
        self._at(self._limits.scale_seconds, self._scale, Message(self._nothing))

    def go(self) -> None:
        """Until nothing is left to do."""
        while self._events:
            now, _, step, message = heapq.heappop(self._events)
            step(message, now)

    def _at(self, time: float, step: Callable[[Message, float], None], message: Message) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, step, message))

    def finished(self) -> Outcome:
        """The outcome, with what the night cost."""
        outcome = self.outcome
        outcome.instances = len(self._cpu)
        outcome.usd = self._setup.prices.of(
            outcome.instance_seconds, outcome.executions, outcome.rows, outcome.messages, outcome.blobs
        )
        return outcome

    # ---------------------------------------------------------------- queue and instances

    def _arrive(self, message: Message, now: float) -> None:
        """Into the queue; a host that has nothing to do looks there only now and then."""
        at = self._waited(QUEUE, self.allowed.queue, 1, now)
        self._at(at if self._busy else at + self._limits.poll, self._enqueue, message)

    def _note(self, message: Message, now: float, seconds: float) -> None:
        """Queue a message that comes into sight later."""
        self._left += 1
        self._at(now + seconds, self._enqueue, message)

    def _enqueue(self, message: Message, now: float) -> None:
        message.ready_at = now
        self._ready.append(message)
        self._hand_out(now)

    def _hand_out(self, now: float) -> None:
        while self._ready and self._slots:
            message, instance = self._ready.popleft(), self._slots.popleft()
            message.instance, message.started_at = instance, now
            self.outcome.waits[INSTANCES] += now - message.ready_at
            self.outcome.executions += 1
            if not self._running[instance]:
                self._busy_since[instance] = now
            self._running[instance] += 1
            self._busy += 1
            message.step(message, now)

    def _end(self, message: Message, now: float) -> None:
        """The message is done with: its place is free for another one."""
        outcome, instance = self.outcome, message.instance
        self._left -= 1
        self._running[instance] -= 1
        self._busy -= 1
        if not self._running[instance]:
            outcome.instance_seconds += max(1.0, now - self._busy_since[instance])
        outcome.held_slots += now - message.started_at
        self._slots.append(instance)
        self._hand_out(now)

    def _scale(self, message: Message, now: float) -> None:
        """As many instances as the queue's length asks for, a few at a time."""
        have, limits = len(self._cpu), self._limits
        wanted = min(self._setup.instances, have + limits.instances_at_once, -(-len(self._ready) // limits.batch_size))
        for _ in range(wanted - have):
            self._at(now + limits.cold_start, self._open_slots, self._new_instance())
        if self._left:
            self._at(now + limits.scale_seconds, self._scale, message)

    def _new_instance(self) -> Message:
        self._cpu.append(Workers(1))
        self._running.append(0)
        self._busy_since.append(0.0)
        return Message(self._nothing, instance=len(self._cpu) - 1)

    def _open_slots(self, message: Message, now: float) -> None:
        self._slots.extend([message.instance] * self._limits.at_once)
        self._hand_out(now)

    def _nothing(self, message: Message, now: float) -> None: ...

    # ---------------------------------------------------------------- what everything waits for

    def _waited(self, bound: str, bucket: Bucket, count: float, now: float) -> float:
        at = bucket.take(count, now)
        self.outcome.waits[bound] += at - now
        return at

    def _compute(self, message: Message, cost: Cost, share: float, now: float) -> float:
        """When the instance's processor is done with a share of what something costs."""
        self.outcome.cpu += cost.cpu * share
        done = self._cpu[message.instance].work(cost.cpu * share, now)
        if self._cores:
            done = max(done, self._cores.work((cost.cpu + cost.server_cpu) * share, now))
        self.outcome.waits[INSTANCES] += done - now - cost.cpu * share
        return done

    def _store(self, cost: Cost, now: float, times: int = 1) -> float:
        """When the rows of something are written; counts what is stored."""
        outcome = self.outcome
        outcome.rows += cost.rows * times
        outcome.messages += cost.messages * times
        outcome.blobs += cost.blobs * times
        at = self._waited(ROWS, self.allowed.partition, cost.rows * times, now)
        at = max(at, self._waited(ACCOUNT, self.allowed.account, cost.calls * times, now))
        self.allowed.queue.take(cost.messages * times, now)
        return at + cost.calls * self._limits.storage_seconds

    def _read(self, message: Message, reads: float, queries: float, now: float) -> tuple[float, float]:
        """Reads and queries, as many of them as pass in time; when the last one is answered, and how many were given up."""
        subscription = message.failure.subscription if message.failure else 0
        longest = self._limits.longest_wait
        buckets = self.allowed.azure[subscription], self.allowed.ours[message.instance, subscription]
        at, given_up = self._take_all(READS, buckets, reads, longest, now)
        self.outcome.reads += reads - given_up
        asked, more = self._take_all(
            QUERIES, (self.allowed.graph, self.allowed.graph_ours[message.instance]), queries, longest, now
        )
        self.outcome.queries += queries - more
        return max(at, asked) + DEEP * self._limits.read_seconds, given_up + more

    def _take_all(
        self, bound: str, buckets: tuple[Bucket | Window, Bucket], count: float, longest: float, now: float
    ) -> tuple[float, float]:
        """From both buckets; when, and how many are not taken because they would wait too long."""
        taken = max(0.0, min(count, *(bucket.within(longest, now) for bucket in buckets)))
        at = max(bucket.take(taken, now) for bucket in buckets) if taken > 1e-9 else now
        missing = count - taken if taken < count - 1e-9 else 0.0
        self.outcome.given_up[bound] += missing
        self.outcome.waits[bound] += longest if missing else at - now
        self.outcome.complete_at = max(self.outcome.complete_at, at)
        return at, missing
