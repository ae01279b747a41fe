"""A storm's members in table storage: who they are, what they share, and how they pass into another storm's ticket or one of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from handlers.azure.arm import Azure
from handlers.diagnosis.compared import comparison_of
from handlers.diagnosis.diagnose_members import Look
from handlers.model import Incident, Members, Storm
from handlers.model.comparison import Comparison
from handlers.model.delivery import OPEN, RESOLVED
from handlers.model.document import Document
from handlers.model.incident import LEFT_OVER, joined, left, moved
from handlers.model.storm import has_same_cause, is_compared, joins, left_over, members_of, released, takes_in
from handlers.records.alert_queue import AlertQueue
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.reminders import Recorded, record
from handlers.records.storms import Storms, announce
from handlers.settings import Settings


class Tools(Protocol):
    """What of the stories' tools is used here."""

    @property
    def azure(self) -> Azure: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def storms(self) -> Storms: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def queue(self) -> AlertQueue: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


def members_in(storm: Storm, tools: Tools) -> Iterator[Incident]:
    """The incidents that the storm speaks for: those in it, and those that got a ticket of their own before it was one.

    Who opened before and has no ticket yet is taken in.
    """
    for origin in (storm, *filter(None, map(tools.storms.find, storm.took_in))):
        for key, incident_id in tools.storms.opened_before(origin):
            incident = tools.incidents.find(key)
            if incident is None or incident.id != incident_id or incident.storm or incident.looked == LEFT_OVER:
                continue
            if storm.status == RESOLVED or tools.incidents.change(key, lambda fresh: joined(fresh, storm.id)) is None:
                yield incident
    yield from tools.incidents.members(storm.id)


def compared(storm: Storm, members: Members, tools: Tools) -> Comparison | None:
    """What the members share, compared anew when it is time to."""
    if not is_compared(storm, members) or members.since is None:
        return storm.comparison
    return comparison_of(storm.region, members.vms, members.vaults, members.since, tools.azure)


def join_older(storm: Storm, members: Members, tools: Tools) -> Recorded[Storm] | None:
    """The storm ended, if the exact test says that what its members share is behind an older storm of another code too.

    One lock, say, makes two codes. The older one's ticket speaks for all then.
    """
    for other in [active for active in tools.storms.active() if has_same_cause(storm, active)]:
        both = compared_together(storm, members, other, tools)
        if both.shared and storm.shared and both.shared.value == storm.shared.value:
            return join(storm, other, both, tools)
    return None


def compared_together(storm: Storm, members: Members, other: Storm, tools: Tools) -> Comparison:
    theirs = members_of(members_in(other, tools))
    since = min(members.since or storm.opened_at, theirs.since or other.opened_at)
    return comparison_of(storm.region, members.vms | theirs.vms, members.vaults | theirs.vaults, since, tools.azure)


def join(storm: Storm, other: Storm, both: Comparison, tools: Tools) -> Recorded[Storm] | None:
    """End the storm; the other one's ticket speaks for its members. Each step may be repeated."""
    taking = tools.storms.change(other.key, lambda fresh: takes_in(fresh, other.id, storm, both))
    if taking is None:
        return None
    recorded = record(tools.storms, storm.key, lambda fresh: joins(fresh, storm.id, taking, tools.now()), tools.queue)
    move_members(storm, taking, tools)
    announce(taking, tools.queue, 1)
    return recorded


def move_members(storm: Storm, other: Storm, tools: Tools) -> None:
    """Another storm's ticket speaks for the storm's members."""
    for member in tools.incidents.members(storm.id):
        tools.incidents.change(member.key, lambda fresh: moved(fresh, storm.id, other.id))


def keep_look(look: Look, tools: Tools) -> None:
    """Keep what a member was diagnosed from, and its verdicts on its row."""
    member = look.member
    document = Document("incident", OPEN, {}, (), look.diagnosis.verdicts, evidence=look.evidence)
    if member.storm:  # one with a ticket of its own has documents that the ticket needs
        tools.documents.write(member.id, member.delivery.version, document)
        tools.incidents.change(member.key, lambda fresh: look.seen_on(fresh, tools.settings.owner_tags))


def release_left_over(storm: Storm, members: Members, tools: Tools) -> Iterator[Recorded[Incident]]:
    """Who goes on failing when the others have recovered gets a ticket of their own, with a full diagnosis."""
    for member in left_over(members, tools.now()):
        if member.storm == storm.id:
            tools.storms.change(storm.key, lambda fresh: released(fresh, storm.id, 1))
            if recorded := release(storm, member, tools):
                yield recorded


def release_late(storm: Storm, tools: Tools) -> None:
    """Who joined a storm in the moment that it ended passes to the storm that goes on, or gets a ticket of its own."""
    after = tools.storms.find(storm.goes_on_in) if storm.goes_on_in else None
    if after and after.status != RESOLVED:
        move_members(storm, after, tools)
        return
    for member in tools.incidents.members(storm.id):
        release(storm, member, tools)


def release(storm: Storm, member: Incident, tools: Tools) -> Recorded[Incident] | None:
    return record(tools.incidents, member.key, lambda fresh: left(fresh, storm.id, tools.now()), tools.queue)
