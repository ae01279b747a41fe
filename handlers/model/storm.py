"""A storm: many VMs of one region that fail with one error code at the same time. One ticket speaks for them.

Like an incident, a change of a storm is begun, posted and settled, and whoever finds one begun posts it again under the same id.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.model.incident import CLAIM, Incident, key_of

OPENED, UPDATED, RESOLVED = "storm.opened", "storm.updated", "storm.resolved"
FIRST_LOOK = timedelta(seconds=10)
"""From the moment that a storm is one until its ticket: so that the ticket says more than that."""
NEXT_LOOKS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 15, 15, 15, 30, 60))
"""How long after each look at a storm the next one is due; the last one again and again."""
LAST_LOOK = timedelta(minutes=2)
"""After its end: longer than an instance remembers that it raged."""
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
    """When the next look at it is due."""
    status: str = "open"
    looks: int = 0
    members_read_at: datetime | None = None
    """When the background pass last went on."""
    told: str = ""
    """Fingerprint of the members as the ticket shows them."""
    telling: str = ""
    """That of the change that is begun, as it was first posted: of a repeat with more in it, nobody knows whether it was read."""
    ticket_id: str = ""
    ticket_url: str = ""
    change: int = 0
    pending: str = ""
    holder: str = ""
    claimed_until: datetime | None = None
    etag: str = ""

    @property
    def change_id(self) -> str:
        return f"{self.id}.{self.change}.{self.pending.rpartition('.')[2]}"


@dataclass(frozen=True, slots=True)
class Members:
    """What a storm's ticket tells of the incidents in it."""

    affected: int
    recovered: int
    looked_at: int
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
        """The confirmed cause of all that were looked at, if they are at least two; else empty."""
        return next((cause for cause, count in self.causes if count == self.looked_at >= 2), "")

    @property
    def all_recovered(self) -> bool:
        return self.recovered == self.affected


def members_of(incidents: Iterable[Incident]) -> Members:
    """Goes through any number of incidents and keeps few of them."""
    affected = recovered = looked_at = 0
    causes: Counter[str] = Counter()
    vaults, severities = set(), set()
    shown: dict[str, list[Incident]] = {"open": [], "resolved": []}
    examples: dict[str, Incident] = {}
    print_ = hashlib.sha256()
    for one in incidents:
        affected += 1
        recovered += one.status == "resolved"
        looked_at += bool(one.verdicts)
        causes.update(one.confirmed)
        vaults.add(one.vault_id.lower())
        severities.add(one.severity or "Sev1")
        if len(shown[one.status]) < MOST_SHOWN:
            shown[one.status].append(one)
        if one.verdicts:
            examples.setdefault(next(iter(one.confirmed), ""), one)
        print_.update(f"{one.id} {one.status} {one.failures} {' '.join(one.confirmed)}\n".encode())
    common = causes.most_common()
    return Members(
        affected, recovered, looked_at, tuple(common), len(vaults), min(severities, default="Sev1"),
        shown=tuple(one for status in shown for one in sorted(shown[status], key=by_name))[:MOST_SHOWN],
        example=examples.get(common[0][0] if common else "") or next(iter(examples.values()), None),
        fingerprint=print_.hexdigest()[:32],
    )  # fmt: skip


def by_name(incident: Incident) -> str:
    return incident.item_name.lower()


def storm_key(region: str, code: str) -> str:
    return key_of(f"storm {region} {code}")


def new_storm(region: str, code: str, now: datetime) -> Storm:
    key = storm_key(region, code)
    return Storm(key, key_of(f"{key} {now.isoformat()}"), region, code, opened_at=now, next_at=now + FIRST_LOOK)


def change_due(storm: Storm, members: Members) -> str:
    """Which event is to be posted for the members as they are; empty: nothing is new, or nobody has joined yet."""
    if not members.affected:
        return ""
    if storm.pending in (OPENED, RESOLVED):
        return storm.pending
    if not storm.change:
        return OPENED
    if members.all_recovered:
        return RESOLVED
    return UPDATED if storm.pending or storm.told != members.fingerprint else ""


def begun(storm: Storm, change: str, fingerprint: str, holder: str, now: datetime) -> Storm | None:
    """The storm with a change begun and claimed; a change that was begun before keeps its number. None while somebody posts it."""
    if storm.pending and storm.holder != holder and storm.claimed_until and storm.claimed_until > now:
        return None
    if storm.pending != change:
        storm = replace(storm, pending=change, change=storm.change + 1, telling=fingerprint)
    return replace(storm, holder=holder, claimed_until=now + CLAIM)


def released(storm: Storm) -> Storm:
    """The change could not be posted: whoever comes next takes it over."""
    return replace(storm, claimed_until=None)


def passed_over(storm: Storm, now: datetime) -> Storm:
    """The storm with the background pass going on."""
    return replace(storm, members_read_at=now)


def settled(storm: Storm, ticket_id: str, ticket_url: str) -> Storm:
    return replace(
        storm,
        status="resolved" if storm.pending == RESOLVED else "open",
        pending="",
        holder="",
        claimed_until=None,
        told=storm.telling,
        ticket_id=ticket_id or storm.ticket_id,
        ticket_url=ticket_url or storm.ticket_url,
    )


def looked_at(storm: Storm, now: datetime) -> Storm:
    """The storm with its next look due: a last one soon after its end."""
    wait = LAST_LOOK if storm.status == "resolved" else NEXT_LOOKS[min(storm.looks, len(NEXT_LOOKS) - 1)]
    return replace(storm, looks=storm.looks + 1, next_at=now + wait)
