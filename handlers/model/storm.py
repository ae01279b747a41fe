"""A storm: many VMs of one region that fail with one error code at the same time. One ticket speaks for them.

`delivery` says what the storm's ticket must show and what it shows (model/delivery.py).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct, field

from handlers.model.comparison import Comparison, SharedThing
from handlers.model.delivery import OPEN, RESOLVED, Delivery, raised
from handlers.model.incident import IN_BULK, UNREAD, Incident, key_of

FIRST_READING = timedelta(seconds=10)
"""From the moment that a storm is one until its ticket: so that the ticket names more than the first few."""
NEXT_READINGS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 15, 15, 15, 30, 60))
"""How long after each reading of a storm's members the next one is due; the last one again and again."""
LAST_READING = timedelta(minutes=2)
"""After its end: longer than an instance remembers that it was open."""
MOST_SHOWN = 200
"""On the page; the event names all."""
COMPARED_AT = (0, 2, 4, 7)
"""The readings at which the members are compared with their neighbours, besides those at which the storm has grown."""
A_QUARTER = 1.25
LEFT_OVER, LEAST_LEFT_OVER = 0.1, 1
"""Who is among the last tenth to fail is left over: the others have recovered without them."""
LEFT_AFTER = timedelta(hours=6)
"""Since the last recovery of another: one that fails again gets a ticket at once."""
ALONE_A_VAULT, ALONE_A_STORM = 2, 6
"""So many members are read alone: they tell what no list tells, such as what the agent reports."""


class Told(Struct, frozen=True):
    """What the newest version says: another one is due when that is no longer so."""

    affected: int = 0
    failures: int = 0
    recovered: int = 0
    names: str = ""
    """Another when somebody joins."""
    cause: str = ""
    """What the headline says."""

    def is_outdated(self, now: Told, *, settled: bool) -> bool:
        """Whether it has grown by a quarter, half or all have recovered, or the cause is another.

        `settled`: nobody has joined since the last reading; then the names must be complete.
        """
        grown = now.affected >= A_QUARTER * self.affected or now.failures >= A_QUARTER * self.failures
        half = self.recovered * 2 < self.affected and now.recovered * 2 >= now.affected
        all_recovered = now.recovered == now.affected and self.recovered < self.affected
        return grown or half or all_recovered or self.cause != now.cause or (settled and self.names != now.names)


class Storm(Struct, frozen=True):
    key: str
    """Of the region and the error code: 32 characters `[0-9a-f]`."""
    id: str
    region: str
    code: str
    opened_at: datetime
    next_at: datetime
    """When its members are to be read next."""
    status: str = OPEN
    readings: int = 0
    fingerprint: str = ""
    """The members' names as the last reading saw them."""
    told: Told = field(default_factory=Told)
    comparison: Comparison | None = None
    """The members beside those whose backups succeed; None before they were compared."""
    goes_on_in: str = ""
    """The key of the storm that has the same cause and took the members in."""
    goes_on_as: str = ""
    """Its error code."""
    took_in: tuple[str, ...] = ()
    """The keys of the storms whose members it took in: other codes of the same cause."""
    left_over: int = 0
    """How many went on failing when the others had recovered, and have tickets of their own now."""
    delivery: Delivery = field(default_factory=Delivery)
    recorded_at: datetime | None = None
    etag: str = ""

    @property
    def needs_post(self) -> bool:
        return self.delivery.work_left

    @property
    def is_active(self) -> bool:
        return self.status == OPEN or self.needs_post

    @property
    def shared(self) -> SharedThing | None:
        return self.comparison.shared if self.comparison else None


class MemberRow(Struct, frozen=True):
    """A member in the list of all, as short as it can be: a storm may have ten thousand."""

    name: str
    vm_id: str
    vault_id: str
    incident: str
    status: str
    code: str
    last_failed_at: datetime
    cause: str
    verdict: str
    last_good_at: datetime | None
    owner: str
    ticket_url: str

    @classmethod
    def of(cls, incident: Incident) -> MemberRow:
        cause = next(iter(incident.confirmed), "")
        verdict = incident.verdicts[cause].value if cause else ""
        return cls(incident.item_name, incident.vm_id, incident.vault_id, incident.id, incident.status, incident.code,
                   incident.last_failed_at, cause, verdict, incident.last_good_at, incident.owner, incident.delivery.ticket.ticket_url)  # fmt: skip


class Members(Struct, frozen=True):
    """What a storm's ticket says of the incidents in it."""

    affected: int
    recovered: int
    diagnosed: int
    """Those with a diagnosis of what Azure shows of their VM."""
    unread: int
    """Those whose VM Azure did not show."""
    alone: int
    """Those that were read alone, with what no list tells."""
    failures: int
    causes: tuple[tuple[str, int], ...]
    """Confirmed causes and on how many, the most frequent first."""
    codes: tuple[tuple[str, int], ...]
    """Error codes and of how many, the most frequent first."""
    vaults: frozenset[str]
    severity: str
    since: datetime | None
    """When the first of the failed jobs began."""
    shown: tuple[Incident, ...]
    """At most `MOST_SHOWN`, the open ones first."""
    rows: tuple[MemberRow, ...]
    """All, the open ones first."""
    left: tuple[Incident, ...]
    """The open ones, when they are so few that the others have recovered without them."""
    last_recovered_at: datetime | None
    examples: Mapping[str, Incident]
    """By confirmed cause one with a diagnosis, read alone if one was; under "" any."""
    fingerprint: str
    """Another when a member joins."""

    @property
    def shared_cause(self) -> str:
        """The confirmed cause of all that were diagnosed, if they are at least two; else empty."""
        return next((cause for cause, count in self.causes if count == self.diagnosed >= 2), "")

    @property
    def all_recovered(self) -> bool:
        return self.recovered == self.affected

    def example(self, cause: str = "") -> Incident | None:
        """One with a diagnosis, if there is one: with that cause, else with the most frequent one."""
        wanted = (cause, *(frequent for frequent, _ in self.causes[:1]))
        return next((self.examples[name] for name in filter(None, wanted) if name in self.examples), self.examples.get(""))

    @property
    def vms(self) -> frozenset[str]:
        return frozenset(row.vm_id.lower() for row in self.rows if row.vm_id)

    def told(self, comparison: Comparison | None) -> Told:
        shared = comparison.shared if comparison else None
        most = self.causes[0][0] if self.causes else ""
        cause = f"{shared.kind} {shared.value}" if shared else f"{most} {bool(self.shared_cause)}"
        looked_at_all = self.diagnosed + self.unread == self.affected
        return Told(self.affected, self.failures, self.recovered, self.fingerprint, f"{cause} {looked_at_all}")


def members_of(incidents: Iterable[Incident]) -> Members:
    """Goes through any number of incidents and keeps a short row of each."""
    tally = _Tally()
    for incident in incidents:
        tally.add(incident)
    return tally.members()


class _Tally:
    """What is counted and kept while a storm's incidents pass by."""

    def __init__(self) -> None:
        self._counts, self._causes, self._codes = Counter[str](), Counter[str](), Counter[str]()
        self._vaults, self._severities, self._names = set[str](), set[str](), hashlib.sha256()
        self._began, self._recovered = list[datetime](), list[datetime]()
        self._kept: dict[str, list[Incident]] = {OPEN: [], RESOLVED: []}
        self._rows: dict[str, list[MemberRow]] = {OPEN: [], RESOLVED: []}
        self._examples: dict[tuple[str, bool], Incident] = {}

    def add(self, incident: Incident) -> None:
        self._count(incident)
        last = incident.known[-1]
        self._began = [min([*self._began, last.started_at or last.failed_at])]
        self._recovered = [max([*self._recovered, incident.recovered_at])] if incident.recovered_at else self._recovered
        self._names.update(f"{incident.id}\n".encode())
        self._rows[incident.status].append(MemberRow.of(incident))
        if len(self._kept[incident.status]) < MOST_SHOWN:
            self._kept[incident.status].append(incident)

    def _count(self, incident: Incident) -> None:
        looked_at, alone = bool(incident.verdicts) and incident.looked != UNREAD, incident.looked not in (IN_BULK, UNREAD)
        self._counts += Counter(
            affected=1, recovered=incident.status == RESOLVED, diagnosed=looked_at, unread=incident.looked == UNREAD,
            alone=looked_at and alone, failures=incident.failures,
        )  # fmt: skip
        self._causes.update(incident.confirmed)
        self._codes[incident.code] += 1
        self._vaults.add(incident.vault_id.lower())
        self._severities.add(incident.severity or "Sev1")
        for cause in (*incident.confirmed, "") if looked_at else ():
            self._examples.setdefault((cause, alone), incident)

    def members(self) -> Members:
        counts, rows, kept = self._counts, self._rows, self._kept
        few = len(rows[OPEN]) <= max(LEAST_LEFT_OVER, LEFT_OVER * counts["affected"])
        return Members(
            counts["affected"], counts["recovered"], counts["diagnosed"], counts["unread"], counts["alone"], counts["failures"],
            causes=tuple(self._causes.most_common()),
            codes=tuple(sorted(self._codes.items(), key=lambda code: (-code[1], code[0]))),
            vaults=frozenset(self._vaults), severity=min(self._severities, default="Sev1"), since=next(iter(self._began), None),
            shown=tuple(incident for status in kept for incident in sorted(kept[status], key=by_name))[:MOST_SHOWN],
            rows=tuple(row for status in rows for row in sorted(rows[status], key=lambda row: row.name.lower())),
            left=tuple(kept[OPEN]) if kept[RESOLVED] and few else (),
            last_recovered_at=next(iter(self._recovered), None),
            examples={cause: self._examples.get((cause, True), one) for (cause, _), one in self._examples.items()},
            fingerprint=self._names.hexdigest()[:32],
        )  # fmt: skip


def is_sampled(member: Incident, alone: list[str], may_read: Callable[[Incident], bool]) -> bool:
    """Whether the member is read alone; its vault is then added to those of the others that are."""
    wanted = len(alone) < ALONE_A_STORM and alone.count(member.vault_id) < ALONE_A_VAULT
    chosen = wanted and may_read(member)
    alone += [member.vault_id] * chosen
    return chosen


def by_name(incident: Incident) -> str:
    return incident.item_name.lower()


def storm_key(region: str, code: str) -> str:
    return key_of(f"storm {region} {code}")


def opened(storm: Storm | None, region: str, code: str, now: datetime) -> Storm | None:
    """A storm of that region and code, which begins now; None while there is an open one, or its ticket shows no end yet."""
    if storm and storm.is_active:
        return None
    key = storm_key(region, code)
    etag = storm.etag if storm else ""
    return Storm(key, key_of(f"{key} {now.isoformat()}"), region, code, opened_at=now, next_at=now + FIRST_READING, etag=etag)


def is_compared(storm: Storm, members: Members) -> bool:
    """Whether the members are to be compared with their neighbours at this reading."""
    known = storm.comparison
    if storm.status != OPEN or not members.since or (members.all_recovered and known):
        return False
    return known is None or storm.readings in COMPARED_AT or members.affected >= A_QUARTER * known.failed


def read(storm: Storm | None, storm_id: str, members: Members, comparison: Comparison | None, now: datetime) -> Storm | None:
    """The storm after its members were read: with one more version to show if its ticket's words are no longer true enough.

    None when it is another storm by now, or when nothing is new of one that nobody has joined yet.
    """
    if storm is None or storm.id != storm_id or storm.status != OPEN or not members.affected:
        return None
    told, settled = members.told(comparison), storm.fingerprint == members.fingerprint
    if storm.delivery.version and not storm.told.is_outdated(told, settled=settled):
        return None
    status = RESOLVED if members.all_recovered and storm.delivery.version else OPEN
    delivery = raised(storm.delivery, status)
    return replace(storm, status=status, told=told, comparison=comparison, delivery=delivery, recorded_at=now)


def scheduled(storm: Storm | None, storm_id: str, readings: int, fingerprint: str, now: datetime) -> Storm | None:
    """The storm with its next reading due: a last one soon after its end. None if somebody else has scheduled it."""
    if storm is None or storm.id != storm_id or storm.readings != readings:
        return None
    wait = LAST_READING if storm.status == RESOLVED else NEXT_READINGS[min(readings, len(NEXT_READINGS) - 1)]
    return replace(storm, readings=readings + 1, fingerprint=fingerprint, next_at=now + wait)


def left_over(members: Members, now: datetime) -> tuple[Incident, ...]:
    """Who went on failing when the others had recovered: for hours, or with another failed job since."""
    since = members.last_recovered_at
    waited = since is not None and now - since >= LEFT_AFTER
    return tuple(member for member in members.left if waited or (since and member.last_failed_at > since and member.failures > 1))


def released(storm: Storm | None, storm_id: str, count: int) -> Storm | None:
    """The storm after so many got tickets of their own."""
    return replace(storm, left_over=storm.left_over + count) if storm and storm.id == storm_id else None


def has_same_cause(storm: Storm, other: Storm) -> bool:
    """Whether an older storm of the region was found to share the same thing."""
    older = (other.opened_at, other.key) < (storm.opened_at, storm.key)
    same_place = other.key != storm.key and other.region == storm.region and other.status == storm.status == OPEN
    known, own = other.shared, storm.shared
    return (
        older and same_place and bool(own) and (other.comparison is None or (known is not None and _thing(known) == _thing(own)))
    )


def _thing(shared: SharedThing | None) -> tuple[str, str]:
    return (shared.kind, shared.value) if shared else ("", "")


def joins(storm: Storm | None, storm_id: str, other: Storm, now: datetime) -> Storm | None:
    """The storm ended because another speaks for its members; its ticket, if it has one, says so."""
    if storm is None or storm.id != storm_id or storm.status != OPEN:
        return None
    delivery = raised(storm.delivery, RESOLVED) if storm.delivery.version else storm.delivery
    return replace(storm, status=RESOLVED, goes_on_in=other.key, goes_on_as=other.code, delivery=delivery, recorded_at=now)


def takes_in(storm: Storm | None, storm_id: str, other: Storm, comparison: Comparison) -> Storm | None:
    """The storm that speaks for another's members too."""
    if storm is None or storm.id != storm_id or storm.status != OPEN:
        return None
    return replace(storm, took_in=tuple(dict.fromkeys((*storm.took_in, other.key))), comparison=comparison)
