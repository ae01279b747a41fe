"""A storm: many VMs of one region that fail with one error code at the same time. One ticket speaks for them.

`delivery` says what the storm's ticket must show and what it shows (model/delivery.py).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from handlers.model.delivery import OPEN, RESOLVED, Delivery, raised
from handlers.model.incident import Incident, key_of

FIRST_READING = timedelta(seconds=10)
"""From the moment that a storm is one until its ticket: so that the ticket names more than the first few."""
NEXT_READINGS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 15, 15, 15, 30, 60))
"""How long after each reading of a storm's members the next one is due; the last one again and again."""
LAST_READING = timedelta(minutes=2)
"""After its end: longer than an instance remembers that it was open."""
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Storm:
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
    """Of the members as the newest version shows them."""
    delivery: Delivery = field(default_factory=Delivery)
    recorded_at: datetime | None = None
    etag: str = ""

    @property
    def needs_post(self) -> bool:
        return self.delivery.work_left

    @property
    def is_active(self) -> bool:
        return self.status == OPEN or self.needs_post


@dataclass(frozen=True, slots=True)
class Members:
    """What a storm's ticket says of the incidents in it."""

    affected: int
    recovered: int
    diagnosed: int
    """Those with a diagnosis."""
    causes: tuple[tuple[str, int], ...]
    """Confirmed causes and on how many, the most frequent first."""
    vaults: int
    severity: str
    shown: tuple[Incident, ...]
    """At most `MOST_SHOWN`, the open ones first."""
    example: Incident | None
    """One with a diagnosis, if there is one: with the most frequent cause."""
    fingerprint: str
    """Another when a member joins, fails again, recovers, or its confirmed causes change."""

    @property
    def shared_cause(self) -> str:
        """The confirmed cause of all that were diagnosed, if they are at least two; else empty."""
        return next((cause for cause, count in self.causes if count == self.diagnosed >= 2), "")

    @property
    def all_recovered(self) -> bool:
        return self.recovered == self.affected


def members_of(incidents: Iterable[Incident]) -> Members:
    """Goes through any number of incidents and keeps few of them."""
    affected = recovered = diagnosed = 0
    causes: Counter[str] = Counter()
    vaults, severities = set(), set()
    shown: dict[str, list[Incident]] = {OPEN: [], RESOLVED: []}
    examples: dict[str, Incident] = {}
    print_ = hashlib.sha256()
    for incident in incidents:
        affected += 1
        recovered += incident.status == RESOLVED
        diagnosed += bool(incident.verdicts)
        causes.update(incident.confirmed)
        vaults.add(incident.vault_id.lower())
        severities.add(incident.severity or "Sev1")
        if len(shown[incident.status]) < MOST_SHOWN:
            shown[incident.status].append(incident)
        if incident.verdicts:
            examples.setdefault(next(iter(incident.confirmed), ""), incident)
        print_.update(f"{incident.id} {incident.status} {incident.failures} {' '.join(incident.confirmed)}\n".encode())
    common = causes.most_common()
    return Members(
        affected, recovered, diagnosed, tuple(common), len(vaults), min(severities, default="Sev1"),
        shown=tuple(incident for status in shown for incident in sorted(shown[status], key=by_name))[:MOST_SHOWN],
        example=examples.get(common[0][0] if common else "") or next(iter(examples.values()), None),
        fingerprint=print_.hexdigest()[:32],
    )  # fmt: skip


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


def read(storm: Storm | None, storm_id: str, members: Members, now: datetime) -> Storm | None:
    """The storm after its members were read: with one more version to show if they are others than its ticket says.

    None when it is another storm by now, or when nothing is new of one that nobody has joined yet.
    """
    if storm is None or storm.id != storm_id or storm.status != OPEN or not members.affected:
        return None
    if storm.fingerprint == members.fingerprint:
        return None
    status = RESOLVED if members.all_recovered and storm.delivery.version else OPEN
    delivery = raised(storm.delivery, status)
    return replace(storm, status=status, fingerprint=members.fingerprint, delivery=delivery, recorded_at=now)


def scheduled(storm: Storm | None, storm_id: str, readings: int, now: datetime) -> Storm | None:
    """The storm with its next reading due: a last one soon after its end. None if somebody else has scheduled it."""
    if storm is None or storm.id != storm_id or storm.readings != readings:
        return None
    wait = LAST_READING if storm.status == RESOLVED else NEXT_READINGS[min(readings, len(NEXT_READINGS) - 1)]
    return replace(storm, readings=readings + 1, next_at=now + wait)
