"""The app in a night, on a virtual clock: alerts, queue, instances, storms, tickets. Rules and constants are the app's own.

An event is one message at one step. What an alert, a member and a storm cost comes from costs.json, what holds them back from limits.py.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.simulate.buckets import Bucket, Window, Workers
from bench.simulate.costs import Cost, Costs
from bench.simulate.limits import Limits, Prices
from bench.simulate.night import Estate, Failure
from handlers.members_diagnosed import MEMBERS_A_PASS, PASS_SECONDS
from handlers.model.storm import A_QUARTER, FIRST_READING, NEXT_READINGS
from handlers.records.storms import AT_ONCE, AT_ONCE_WITHIN, HELD_SECONDS
from handlers.records.write_up import SECOND_READING_SECONDS

READS, QUERIES, ROWS, ACCOUNT, QUEUE = "reads", "queries", "rows", "account", "queue"
TICKETS, INSTANCES = "tickets", "instances"
BOUNDS = (READS, QUERIES, ROWS, ACCOUNT, QUEUE, TICKETS, INSTANCES)
DEEP = 3
"""How many reads of a diagnosis wait for each other."""
MEMBERS_A_SLICE = 10
"""A pass does not keep the processor to itself."""
FIRST_PASS_SECONDS = 1.0
"""From a reading to the background pass that it starts."""
LISTS_A_VAULT = 2
"""Of jobs and of items, for all storms of a region."""


@dataclass(frozen=True)
class Setup:
    """One deployment and one estate."""

    estate: Estate
    instances: int = 40
    """The most that the platform may start."""
    started: int = 1
    """How many run before the first alert."""
    threshold: int = 20
    window_minutes: float = 15
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)


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


@dataclass
class Outcome:
    """What came of a night. Times are seconds of the virtual clock."""

    failures: list[Failure]
    told_at: list[float]
    """When each failure's ticket was out: its own, or its storm's with it as a member; -1: never."""
    alone: int = 0
    storms: int = 0
    posts: int = 0
    reads: float = 0.0
    queries: float = 0.0
    unread: int = 0
    """Tickets that say of some facts that they could not be read, because a limit was reached; they are read later."""
    never_read: int = 0
    """Those of them for which that has not worked after the last repetition."""
    rows: float = 0.0
    messages: float = 0.0
    executions: int = 0
    cpu: float = 0.0
    """Seconds of all instances' processors."""
    blobs: float = 0.0
    given_up: dict[str, float] = field(default_factory=lambda: {READS: 0.0, QUERIES: 0.0})
    """Reads and queries that were not made at first, by what they would have waited for."""
    complete_at: float = 0.0
    """When the last fact was read: second readings and background passes too."""
    instance_seconds: float = 0.0
    instances: int = 0
    held_slots: float = 0.0
    """Seconds in which messages were worked on."""
    waits: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BOUNDS, 0.0))
    """Seconds that messages on the way to a ticket waited for a bound."""
    usd: float = 0.0

    @property
    def lost(self) -> int:
        return sum(at < 0 for at in self.told_at)

    def late(self) -> list[float]:
        """Seconds from each alert to its ticket, shortest first."""
        return sorted(told - failure.at for told, failure in zip(self.told_at, self.failures, strict=True))

    @property
    def last_ticket(self) -> float:
        """Seconds from the first alert to the last ticket."""
        return max(self.told_at) - self.failures[0].at if self.failures else 0.0

    def blamed(self) -> dict[str, float]:
        """The waits, where waiting for an instance is put down to what the instances themselves waited for.

        An instance whose processor is always at work waits for nothing else.
        """
        blocked = {bound: seconds for bound, seconds in self.waits.items() if bound != INSTANCES}
        idle = 1 - min(1.0, self.cpu / self.instance_seconds) if self.instance_seconds else 1.0
        part = min(idle, sum(blocked.values()) / self.held_slots) if self.held_slots else 0.0
        total, queued = sum(blocked.values()) or 1.0, self.waits[INSTANCES]
        shares = {bound: seconds + queued * part * seconds / total for bound, seconds in blocked.items()}
        return shares | {INSTANCES: queued * (1 - part)}

    @property
    def binds(self) -> str:
        """What tickets waited for most, or left facts out for; empty where neither is so.

        Tickets wait for something if it costs them a second on average.
        """
        bound, seconds = max(self.blamed().items(), key=lambda pair: pair[1])
        missing = max(self.given_up, key=self.given_up.__getitem__)
        return bound if seconds >= len(self.failures) else missing if self.unread else ""


class Play:
    """One night."""

    def __init__(self, failures: list[Failure], setup: Setup, costs: Costs) -> None:
        self._setup, self._limits, self._costs = setup, setup.limits, costs
        self.outcome = Outcome(failures, [-1.0] * len(failures))
        self._events: list[tuple[float, int, Callable[[Message, float], None], Message]] = []
        self._number = 0
        limits = setup.limits
        self.azure = defaultdict[int, Bucket](self._azures_reads)
        self.ours = defaultdict[tuple[int, int], Bucket](lambda: Bucket(limits.reads_burst, limits.reads_rate))
        self.graph = Window(limits.azures_queries - limits.queries_left_to_others, limits.azures_queries_seconds)
        self.graph_ours = defaultdict[int, Bucket](lambda: Bucket(limits.queries_burst, limits.queries_rate))
        self.partition = Bucket(limits.partition_rate, limits.partition_rate)
        self.account = Bucket(limits.account_rate, limits.account_rate)
        self.queue = Bucket(limits.queue_rate, limits.queue_rate)
        self.tickets = Bucket(max(1.0, limits.tickets_rate), limits.tickets_rate)
        self._cores = Workers(limits.cores) if limits.cores else None
        self._cpu: list[Workers] = []
        self._slots: deque[int] = deque()
        self._running: list[int] = []
        self._busy_since: list[float] = []
        self._ready: deque[Message] = deque()
        self._left = 0
        self._busy = 0
        self._opened = defaultdict[tuple[int, int], list[float]](list)
        self._held = defaultdict[tuple[int, int], set[int]](set)
        self._storms: dict[tuple[int, int], Storm] = {}
        self._passing: set[int] = set()
        """Instances that are in a background pass."""

    def _azures_reads(self) -> Bucket:
        """What is left of a subscription's bucket by an app that leaves a part of it to others."""
        limits = self._limits
        return Bucket(limits.reads_burst, limits.azures_reads_rate)

    # ---------------------------------------------------------------- the clock

    def run(self) -> Outcome:
        for _ in range(min(self._setup.started, self._setup.instances)):
            self._start_instance(Message(self._nothing), 0.0)
        for number, failure in enumerate(self.outcome.failures):
            self._left += 1
            self._at(failure.at, self._arrive, Message(self._record, failure, number))
        self._at(self._limits.scale_seconds, self._scale, Message(self._nothing))
        while self._events:
            now, _, step, message = heapq.heappop(self._events)
            step(message, now)
        return self._finished()

    def _at(self, time: float, step: Callable[[Message, float], None], message: Message) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, step, message))

    def _finished(self) -> Outcome:
        outcome = self.outcome
        outcome.instances = len(self._cpu)
        outcome.usd = self._setup.prices.of(
            outcome.instance_seconds, outcome.executions, outcome.rows, outcome.messages, outcome.blobs
        )
        return outcome

    # ---------------------------------------------------------------- queue and instances

    def _arrive(self, message: Message, now: float) -> None:
        """Into the queue; a host that has nothing to do looks there only now and then."""
        at = self._waited(QUEUE, self.queue, 1, now)
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
            self._cpu.append(Workers(1))
            self._running.append(0)
            self._busy_since.append(0.0)
            self._at(now + limits.cold_start, self._open_slots, Message(self._nothing, instance=len(self._cpu) - 1))
        if self._left:
            self._at(now + limits.scale_seconds, self._scale, message)

    def _start_instance(self, message: Message, now: float) -> None:
        self._cpu.append(Workers(1))
        self._running.append(0)
        self._busy_since.append(0.0)
        self._open_slots(Message(self._nothing, instance=len(self._cpu) - 1), now)

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
        at = self._waited(ROWS, self.partition, cost.rows * times, now)
        at = max(at, self._waited(ACCOUNT, self.account, cost.calls * times, now))
        self.queue.take(cost.messages * times, now)
        return at + cost.calls * self._limits.storage_seconds

    def _read(self, message: Message, reads: float, queries: float, now: float) -> tuple[float, float]:
        """Reads and queries, as many of them as pass in time; when the last one is answered, and how many were given up."""
        subscription = message.failure.subscription if message.failure else 0
        longest = self._limits.longest_wait
        buckets = self.azure[subscription], self.ours[message.instance, subscription]
        at, given_up = self._take_all(READS, buckets, reads, longest, now)
        self.outcome.reads += reads - given_up
        asked, more = self._take_all(QUERIES, (self.graph, self.graph_ours[message.instance]), queries, longest, now)
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

    # ---------------------------------------------------------------- an alert

    def _record(self, message: Message, now: float) -> None:
        """The incident is recorded; it is a member, is held, or has a ticket of its own."""
        assert message.failure
        key = message.failure.key
        opened = self._opened[key]
        opened.append(now)
        storm = self._storm_of(message.failure, opened, now)
        if storm:
            self._join(message, storm, now)
        elif len(opened) - bisect_left(opened, now - AT_ONCE_WITHIN.total_seconds()) > AT_ONCE:
            self._hold(message, now)
        else:
            self._diagnose(message, now)

    def _storm_of(self, failure: Failure, opened: list[float], now: float) -> Storm | None:
        storm = self._storms.get(failure.key)
        since = now - self._setup.window_minutes * 60
        if storm is None and len(opened) - bisect_left(opened, since) > self._setup.threshold:
            storm = self._storms[failure.key] = Storm(now)
            self.outcome.storms += 1
            self._note(Message(self._read_members, failure, storm=storm), now, FIRST_READING.total_seconds())
        return storm

    def _hold(self, message: Message, now: float) -> None:
        """Recorded, and brought back later: unless a storm's reading takes it in before."""
        assert message.failure
        self._held[message.failure.key].add(message.number)
        self._note(Message(self._bring_back, message.failure, message.number), now, HELD_SECONDS)
        at = self._store(self._costs.member, now)
        self._at(self._compute(message, self._costs.member, 1.0, at), self._end, message)

    def _bring_back(self, message: Message, now: float) -> None:
        """What was held for a while: by now there is a storm, or there is none."""
        assert message.failure
        key = message.failure.key
        if message.number not in self._held[key]:
            self._end(message, now)
            return
        self._held[key].remove(message.number)
        if storm := self._storms.get(key):
            message.storm = storm
            self._joined(message, now)
        else:
            self._diagnose(message, now)

    def _diagnose(self, message: Message, now: float) -> None:
        self.outcome.alone += 1
        cost = self._costs.alone
        at, message.unread = self._read(message, cost.reads, cost.queries, self._store(cost, now))
        self.outcome.unread += message.unread > 0
        self._at(at, self._render, message)

    def _render(self, message: Message, now: float) -> None:
        self._at(self._compute(message, self._costs.alone, 1.0, now), self._post, message)

    def _post(self, message: Message, now: float) -> None:
        self.outcome.posts += 1
        self._at(self._waited(TICKETS, self.tickets, 1, now) + self._limits.post_seconds, self._posted, message)

    def _posted(self, message: Message, now: float) -> None:
        told = self.outcome.told_at
        if message.number >= 0 and told[message.number] < 0:
            told[message.number] = now
        self._read_later(message, now)
        self._end(message, now)

    # ---------------------------------------------------------------- what could not be read

    def _read_later(self, message: Message, now: float) -> None:
        if not message.unread:
            return
        if message.readings == len(SECOND_READING_SECONDS):
            self.outcome.never_read += 1
            return
        later = Message(self._read_again, message.failure, message.number, unread=message.unread, readings=message.readings + 1)
        self._note(later, now, SECOND_READING_SECONDS[message.readings])

    def _read_again(self, message: Message, now: float) -> None:
        """The facts that are missing are read, and the ticket is updated if they all are there."""
        missing = message.unread
        queries = min(missing, self._costs.alone.queries)
        at, message.unread = self._read(message, missing - queries, queries, now)
        self._at(at, self._read_later_and_end if message.unread else self._post, message)

    def _read_later_and_end(self, message: Message, now: float) -> None:
        self._read_later(message, now)
        self._end(message, now)

    # ---------------------------------------------------------------- a storm

    def _join(self, message: Message, storm: Storm, now: float) -> None:
        message.storm = storm
        at = self._store(self._costs.member, now)
        self._at(self._compute(message, self._costs.member, 1.0, at), self._joined, message)

    def _joined(self, message: Message, now: float) -> None:
        storm = message.storm
        assert storm
        storm.members.append(message.number)
        if storm.shown_at >= 0:
            self.outcome.told_at[message.number] = now
        self._end(message, now)

    def _read_members(self, message: Message, now: float) -> None:
        """A reading of the storm's members: what the ticket says of them, and when the next one is due."""
        storm, cost = message.storm, self._costs.storm
        assert storm
        assert message.failure
        self._take_in(storm, message.failure.key, now)
        first = storm.readings == 0
        lists = LISTS_A_VAULT * min(len(storm.members), self._setup.estate.vaults_a_region)
        at = now
        if first:
            at, _ = self._read(message, cost.reads + lists, cost.queries, self._store(cost, now))
        self._at(self._compute(message, cost, 1.0 if first else 0.0, at), self._show, message)

    def _take_in(self, storm: Storm, key: tuple[int, int], now: float) -> None:
        """Who is held and has no ticket yet is a member from now on."""
        for number in sorted(self._held.pop(key, ())):
            storm.members.append(number)
            if storm.shown_at >= 0:
                self.outcome.told_at[number] = now

    def _show(self, message: Message, now: float) -> None:
        """Post when the storm has grown by a quarter, or when nobody has joined since the last reading and names are missing."""
        storm = message.storm
        assert storm
        members, wait = len(storm.members), NEXT_READINGS[min(storm.readings, len(NEXT_READINGS) - 1)].total_seconds()
        settled = members == storm.seen and members > storm.told
        due = storm.readings == 0 or members >= A_QUARTER * max(1, storm.told) or settled
        storm.seen, storm.readings = members, storm.readings + 1
        if not storm.passing and storm.passed < members:
            storm.passing = True
            self._note(Message(self._pass_over, message.failure, storm=storm), now, FIRST_PASS_SECONDS)
        if members > storm.told or due:
            self._note(Message(self._read_members, message.failure, storm=storm), now, wait)
        if not due:
            self._end(message, now)
            return
        storm.told = members
        self.outcome.posts += 1
        self._at(self._waited(TICKETS, self.tickets, 1, now) + self._limits.post_seconds, self._shown, message)

    def _shown(self, message: Message, now: float) -> None:
        storm = message.storm
        assert storm
        if storm.shown_at < 0:
            storm.shown_at = now
            for number in storm.members:
                self.outcome.told_at[number] = now
        self._end(message, now)

    def _pass_over(self, message: Message, now: float) -> None:
        """One pass over some members, in the background: tickets do not wait for it. The first one reads a few members alone.

        An instance makes one pass at a time.
        """
        storm, cost = message.storm, self._costs.background
        assert storm
        if message.instance in self._passing:
            self._note(Message(self._pass_over, message.failure, storm=storm), now, PASS_SECONDS)
            self._end(message, now)
            return
        self._passing.add(message.instance)
        reads = 0.0 if storm.passed else cost.reads
        storm.passing_over = min(MEMBERS_A_PASS, len(storm.members) - storm.passed)
        subscription = message.failure.subscription if message.failure else 0
        at = max(self.graph.take(cost.queries, now), self.graph_ours[message.instance].take(cost.queries, now))
        if reads:
            at = max(at, self.azure[subscription].take(reads, now))
        self.outcome.queries += cost.queries
        self.outcome.reads += reads
        self._at(at, self._look_at, message)

    def _look_at(self, message: Message, now: float) -> None:
        """A few members, then others may have the processor."""
        storm, costs = message.storm, self._costs
        assert storm
        few = min(MEMBERS_A_SLICE, storm.passing_over)
        storm.passing_over -= few
        storm.passed += few
        at = max(self._store(costs.looked_at, now, few), self._compute(message, costs.looked_at, few, now))
        if storm.passing_over:
            self._at(at, self._look_at, message)
            return
        self._store(costs.background, now)
        self._at(self._compute(message, costs.background, 1.0, at), self._passed, message)

    def _passed(self, message: Message, now: float) -> None:
        storm = message.storm
        assert storm
        self.outcome.complete_at = max(self.outcome.complete_at, now)
        self._passing.remove(message.instance)
        storm.passing = storm.passed < len(storm.members)
        if storm.passing:
            self._note(Message(self._pass_over, message.failure, storm=storm), now, PASS_SECONDS)
        self._end(message, now)


def play(failures: list[Failure], setup: Setup, costs: Costs) -> Outcome:
    return Play(failures, setup, costs).run()
