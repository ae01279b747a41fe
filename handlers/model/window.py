"""The window: the time of the failed job, which evidence must belong to, and what is known of that time.

Each property or method is one term that the causes' decision tables use; each has a table of its own in
tests/model/test_window.py. Terms are claims: true, false, or undecided and why. "Present now" is not "present then": what was
read after the job speaks for it only under the conditions that stand here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from msgspec import Struct, field

from handlers.model.claims import FALSE, TRUE, Claim, claim, undecided, unread
from handlers.model.facts import (
    FRESH,
    Activity,
    Agent,
    Availability,
    Extension,
    Heartbeats,
    Operation,
    Reading,
    SnapshotPolicy,
    VirtualMachine,
)
from handlers.model.failure import Job
from handlers.model.ids import time_text
from handlers.model.words import Reason, Unknown

LATE = timedelta(hours=2)
"""How long after the job a reading may still speak for it, where Azure's own code says so of the job. Project thresholds, all."""
SETTLING = timedelta(minutes=5)
LONGEST_GAP = timedelta(minutes=10)
FIRST_OF_TWO = timedelta(hours=1)
DISTURBING = frozenset({"start", "restart", "poweroff", "deallocate", "redeploy", "reapply", "write"})
OFF, ON = frozenset({"poweroff", "deallocate"}), frozenset({"start", "restart", "redeploy"})
OWN_RESULT = re.compile(r"StatusCode\.|FailedPrepost|FailedWorkload|FsFreeze|UnableToOpenMount|VSS|COM\+", re.IGNORECASE)
NOT_READ = Unknown(Reason.NO_DATA)


class Kind(StrEnum):
    EVENT = "event"
    """It happened at a time of its own: a log row, a metric's value."""
    CONFIGURATION = "configuration"
    """It stays as it was written: a lock, a policy, a size, a rule, a version."""
    STATE = "state"
    """It comes and goes by itself: an agent's, an extension's, a power state."""


class Seen(Struct, frozen=True):
    """What a check saw, as far as time goes: `since` is its own time, its begin or its last write, where that is known."""

    kind: Kind
    since: datetime | None = None
    changes: Activity | Unknown | None = None
    """The activity log of the very resource; None when there is none to ask, as for an agent's version."""
    then_too: Claim = FALSE
    """Of an event: whether the same stands in the window of the last good backup."""
    newer: Claim = FALSE
    """Whether something else proves that the last good backup did not have it."""
    persists: Claim = FALSE


def event(at: datetime | None, *, then_too: Claim = FALSE) -> Seen:
    return Seen(Kind.EVENT, at, then_too=then_too)


def configuration(since: datetime | None = None, changes: Activity | Unknown | None = None) -> Seen:
    return Seen(Kind.CONFIGURATION, since, changes)


def state(since: datetime | None = None, *, newer: Claim = FALSE, persists: Claim = FALSE) -> Seen:
    return Seen(Kind.STATE, since, newer=newer, persists=persists)


class Window(Struct, frozen=True):
    """The failed job's time, from `start` to `end`; `now` is when the facts were read. `states` and `listed` are one cause's."""

    start: datetime
    end: datetime
    now: datetime
    job: Job | None = None
    code: str = ""
    message: str = ""
    category: str = ""
    states: bool = False
    """The code or message asserts this cause."""
    listed: bool = False
    """The cause is among those that the catalogue lists for the code."""
    last_good: Job | Unknown | None = NOT_READ
    """The newest good backup that started before this one, within 30 days; None when there is none."""
    consistency: str | Unknown = NOT_READ
    """Of the last good backup's recovery point."""
    activity: Activity | Unknown = NOT_READ
    vm: VirtualMachine | Unknown = NOT_READ
    power_state: str | Unknown = NOT_READ
    beats: Heartbeats | Unknown = NOT_READ
    availability: tuple[Availability, ...] | Unknown = NOT_READ
    policy: SnapshotPolicy | Unknown = NOT_READ
    agent: Agent | Unknown | None = NOT_READ
    extensions: tuple[Extension, ...] | Unknown = NOT_READ
    earlier: Mapping[str, Reading] = field(default_factory=dict)
    """The facts as the incident's last diagnosis had read them."""

    def __str__(self) -> str:
        return f"{time_text(self.start)} – {time_text(self.end)}"

    # ------------------------------------------------------------------ the job itself

    def says(self, pattern: str) -> bool:
        """Whether the error's own words match."""
        return re.search(pattern, self.message, re.IGNORECASE) is not None

    def is_code(self, *codes: str) -> bool:
        return self.code.lower() in {code.lower() for code in codes}

    @property
    def knows_job(self) -> bool:
        return self.job is not None and self.job.started_at is not None

    def task(self, name: str) -> str | None:
        """The status of a task of the failed job, in lower case; None when the job shows no tasks."""
        tasks = {task.name.lower(): task.status.lower() for task in self.job.tasks} if self.job else {}
        return tasks.get(name.lower(), "") if tasks else None

    @property
    def snapped(self) -> Claim:
        """The snapshot of this very job was taken: agent, extension and guest answered."""
        status = self.task("Take Snapshot")
        return undecided(Reason.NO_DATA) if status is None else claim(status == "completed")

    @property
    def agentless(self) -> Claim:
        """The job needed neither agent nor extension: by policy, or because the VM was off through Azure all the time."""
        policy = self.policy
        if isinstance(policy, Unknown):
            return undecided(policy) | self.off_through_azure
        return claim(policy.type == "V2" and policy.consistency.lower() == "onlycrashconsistent") | self.off_through_azure

    @property
    def off_through_azure(self) -> Claim:
        """Azure had switched the VM off before the job began, and on not before it ended."""
        if isinstance(self.activity, Unknown):
            return undecided(self.activity)
        powers = [entry for entry in self.activity.operations if entry.operation in OFF | ON and _succeeded(entry)]
        before = [entry for entry in powers if entry.at <= self.start]
        if any(self.start < entry.at <= self.end for entry in powers):
            return FALSE
        if before:
            return claim(max(before, key=lambda entry: entry.at).operation in OFF)
        later_on = any(entry.operation in ON for entry in powers)
        return claim(self.power_state == "deallocated" and not powers) if not later_on else undecided(Reason.NO_DATA)

    @property
    def not_used(self) -> Claim:
        """Agent, extension and the guest's network cannot have failed this job."""
        return self.snapped | self.agentless

    @property
    def ran(self) -> Claim:
        """The agent started the backup extension in the window: the message quotes the extension's own result, or its status does."""
        if "nonetwork" in f"{self.code} {self.message}".replace(" ", "").lower():
            return FALSE
        if OWN_RESULT.search(self.message) or self.category == "guest_os":
            return TRUE
        if isinstance(self.extensions, Unknown):
            return undecided(self.extensions)
        return claim(any(extension.is_backup and self.holds(extension.at) for extension in self.extensions))

    # ------------------------------------------------------------------ the last good backup

    @property
    def had_good(self) -> Claim:
        return undecided(self.last_good) if isinstance(self.last_good, Unknown) else claim(self.last_good is not None)

    @property
    def good_app(self) -> Claim:
        """The last good backup needed agent and extension, and they worked."""
        if isinstance(self.last_good, Unknown) or self.last_good is None:
            return self.had_good
        if isinstance(self.consistency, Unknown):
            return undecided(self.consistency)
        return claim(self.consistency.lower() in ("appconsistent", "filesystemconsistent"))

    @property
    def good_since(self) -> datetime | None:
        """When the last good backup began."""
        return self.last_good.started_at if isinstance(self.last_good, Job) else None

    # ------------------------------------------------------------------ between the job and the reading

    @property
    def quiet(self) -> Claim:
        """Azure has done nothing to the VM between the job's begin and the reading."""
        if isinstance(self.vm, Unknown):
            return undecided(self.vm)
        setting = self.vm.status_at is not None and self.vm.status_at > self.now - SETTLING
        if setting or self.vm.status in ("updating", "creating", "migrating"):
            return FALSE
        if isinstance(self.activity, Unknown):
            return undecided(self.activity)
        return claim(not any(_disturbs(entry, self.start) for entry in self.activity.operations)) & self._reaches(self.activity)

    @property
    def calm(self) -> Claim:
        """Quiet, and the operating system ran all the time: no gap in the heartbeats, or available throughout."""
        return self.quiet & (self.beats_to(self.now) | self._available_throughout)

    def beats_to(self, moment: datetime) -> Claim:
        """No gap in the heartbeats from the job's begin to a moment."""
        if isinstance(self.beats, Unknown):
            return undecided(self.beats)
        inside = [minute for minute in self.beats.minutes if self.start <= minute <= moment]
        edges = [self.start, *inside, moment]
        return claim(all(later - earlier <= LONGEST_GAP for earlier, later in pairwise(edges)))

    @property
    def _available_throughout(self) -> Claim:
        if isinstance(self.availability, Unknown):
            return undecided(self.availability)
        if not any(entry.since <= self.start for entry in self.availability):
            return undecided(Reason.NO_DATA)
        return claim(all(entry.state.lower() == "available" for entry in self.states_since(self.start)))

    def states_since(self, moment: datetime, until: datetime | None = None) -> tuple[Availability, ...]:
        """The states that the VM was in from a moment on, the one that it was in at that moment included."""
        if isinstance(self.availability, Unknown):
            return ()
        ordered = sorted(self.availability, key=lambda entry: entry.since)
        first = max((index for index, entry in enumerate(ordered) if entry.since <= moment), default=0)
        return tuple(entry for entry in ordered[first:] if until is None or entry.since <= until)

    @property
    def soon(self) -> Claim:
        """Quiet, and read within a quarter of an hour after the job."""
        return claim(self.now <= self.end + FRESH) & self.quiet

    def persists(self, fact: str, shows: Callable[[Any, datetime], Claim]) -> Claim:
        """Two readings at least a quarter of an hour apart show the same, the first within an hour after the job."""
        before = self.earlier.get(fact)
        if before is None or isinstance(before.value, Unknown):
            return FALSE
        apart = self.now - before.read_at >= FRESH and before.read_at <= self.end + FIRST_OF_TWO
        return claim(apart) & shows(before.value, before.read_at) & self.quiet

    # ------------------------------------------------------------------ what was seen, and the window

    def holds(self, moment: datetime | None) -> bool:
        return moment is not None and self.start <= moment <= self.end

    def at(self, seen: Seen) -> Claim:
        """It is known to have been so in the window."""
        match seen.kind:
            case Kind.EVENT:
                return claim(self.holds(seen.since))
            case _ if not self.knows_job:
                return claim(self.holds(seen.since))
            case Kind.CONFIGURATION:
                return self._written_before(seen)
            case Kind.STATE if seen.since is not None:
                return claim(seen.since <= self.end)
        in_time = claim(self.states and self.now <= self.end + LATE) & self.quiet
        return self.calm | in_time | (claim(self.states or self.listed) & seen.persists)

    def held(self, seen: Seen) -> Claim:
        """A good state is known for the window. One that comes and goes, read after the job, may have healed: it is not."""
        match seen.kind:
            case Kind.CONFIGURATION if self.knows_job:
                return self._written_before(seen) | self.soon | self.calm
            case Kind.STATE if self.knows_job:
                return claim(seen.since is not None and seen.since <= self.end)
        return claim(self.holds(seen.since))

    def _written_before(self, seen: Seen) -> Claim:
        if seen.since is not None:
            return claim(seen.since <= self.start)
        if seen.changes is None:
            return claim(self.now <= self.end + LATE)
        if isinstance(seen.changes, Unknown):
            return undecided(seen.changes)
        return claim(not any(entry.at > self.start for entry in seen.changes.operations)) & self._reaches(seen.changes)

    def _reaches(self, log: Activity) -> Claim:
        """The log was read back to the job's begin."""
        return claim(log.since <= self.start) | undecided(Reason.PARTIAL)

    def new(self, seen: Seen) -> Claim:
        """The last good backup did not have it."""
        good = self.good_since
        if good is None:
            return unread(self.last_good)
        if seen.kind is Kind.EVENT:
            return claim(seen.since is not None and seen.since <= self.end) & ~seen.then_too
        if (since := seen.since or _last_write(seen, self.end)) is not None:
            return claim(good < since <= self.end) | seen.newer
        return self._since_good(seen, unchanged=FALSE) | seen.newer

    def old(self, seen: Seen) -> Claim:
        """The last good backup had it too."""
        good = self.good_since
        if good is None:
            return unread(self.last_good)
        if seen.kind is Kind.EVENT:
            return claim(seen.since is not None and seen.since <= good) | seen.then_too
        if (since := seen.since or _last_write(seen, self.end)) is not None:
            return claim(since <= good)
        return self._since_good(seen, unchanged=TRUE)

    def _since_good(self, seen: Seen, *, unchanged: Claim) -> Claim:
        """What no change since the last good backup means; undecided when the log does not reach back to it."""
        good, changes = self.good_since, seen.changes
        if isinstance(changes, Unknown):
            return undecided(changes)
        reaches = isinstance(changes, Activity) and good is not None and changes.since <= good
        return unchanged if reaches and seen.kind is Kind.CONFIGURATION else undecided(Reason.READ_LATE)

    def fits(self, seen: Seen) -> Claim:
        """It explains this failure: the code states it, the last good backup lacked it, or the code lists it and it is not old."""
        was_read = ~unread(self.last_good)
        return self.states | self.new(seen) | (claim(self.listed) & was_read & ~self.old(seen))

    def explains(self, claimed: Claim | bool, seen: Seen) -> Claim:
        return claim(claimed) & self.at(seen) & self.fits(seen)

    # ------------------------------------------------------------------ the agent

    def ready(self, agent: Agent | Unknown | None, at: datetime | None = None) -> Claim:
        """It reports now, and not long ago."""
        if isinstance(agent, Unknown):
            return undecided(agent)
        if agent is None or agent.ready is False:
            return FALSE
        if agent.ready is None or agent.reported_at is None:
            return undecided(Reason.NO_DATA)
        return claim((at or self.now) - agent.reported_at <= FRESH)

    def not_ready(self, agent: Agent | Unknown | None, at: datetime | None = None) -> Claim:
        """There is an agent, and it does not report."""
        if isinstance(agent, Unknown):
            return undecided(agent)
        return FALSE if agent is None else ~self.ready(agent, at)

    def silent_since(self, agent: Agent | Unknown | None) -> datetime | None:
        """When an agent fell silent, as far as its last report tells."""
        return agent.reported_at if isinstance(agent, Agent) and agent.ready else None

    def absent(self, agent: Agent | Unknown | None) -> Claim:
        """The VM runs, and Azure shows no agent at all."""
        if isinstance(agent, Unknown):
            return undecided(agent)
        return FALSE if agent else self.running

    @property
    def running(self) -> Claim:
        if isinstance(self.power_state, Unknown):
            return undecided(self.power_state)
        return claim(self.power_state == "running")

    @property
    def ready_then(self) -> Claim:
        """The agent reported within the window: its own last report, or the one that an earlier reading saw."""
        before = self.earlier.get("agent")
        agents = [self.agent] + ([before.value] if before else [])
        reported = any(isinstance(agent, Agent) and agent.ready and self.holds(agent.reported_at) for agent in agents)
        return TRUE if reported else unread(self.agent)


def _disturbs(entry: Operation, since: datetime) -> bool:
    return entry.operation in DISTURBING and entry.at >= since and not entry.by_backup


def _succeeded(entry: Operation) -> bool:
    return entry.status.lower() in ("", "succeeded", "success", "ok")


def _last_write(seen: Seen, until: datetime) -> datetime | None:
    """The newest change of a configuration that its log shows, until a moment."""
    changes = seen.changes
    written = [entry.at for entry in changes.operations if entry.at <= until] if isinstance(changes, Activity) else []
    return max(written, default=None)
