"""The app's rules on the virtual clock: an alert is told alone, held or a storm's member; storms are read and told.

Rules and constants are the app's own. What each of them costs comes from costs.json.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from bench.simulate.costs import Costs
from bench.simulate.night import Failure
from bench.simulate.outcome import TICKETS, Outcome, Setup
from bench.simulate.platform import Message, Platform, Storm
from handlers.members_diagnosed import MEMBERS_A_PASS, PASS_SECONDS
from handlers.model.storm import A_QUARTER, FIRST_READING, NEXT_READINGS
from handlers.records.storms import AT_ONCE, AT_ONCE_WITHIN, HELD_SECONDS
from handlers.records.write_up import SECOND_READING_SECONDS

MEMBERS_A_SLICE = 10
"""A pass does not keep the processor to itself."""
FIRST_PASS_SECONDS = 1.0
"""From a reading to the background pass that it starts."""
LISTS_A_VAULT = 2
"""Of jobs and of items, for all storms of a region."""


class Play(Platform):
    """One night."""

    def __init__(self, failures: list[Failure], setup: Setup, costs: Costs) -> None:
        super().__init__(failures, setup)
        self._costs = costs
        self._opened = defaultdict[tuple[int, int], list[float]](list)
        self._held = defaultdict[tuple[int, int], set[int]](set)
        self._storms: dict[tuple[int, int], Storm] = {}
        self._passing: set[int] = set()
        """Instances that are in a background pass."""

    def run(self) -> Outcome:
        self.start(self._record)
        self.go()
        return self.finished()

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
        self._at(self._waited(TICKETS, self.allowed.tickets, 1, now) + self._limits.post_seconds, self._posted, message)

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
        self._at(self._waited(TICKETS, self.allowed.tickets, 1, now) + self._limits.post_seconds, self._shown, message)

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
        at = max(self.allowed.graph.take(cost.queries, now), self.allowed.graph_ours[message.instance].take(cost.queries, now))
        if reads:
            at = max(at, self.allowed.azure[subscription].take(reads, now))
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
