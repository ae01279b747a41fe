"""Story: many VMs of one region fail with one error code at the same time. One ticket speaks for them: a storm's."""

from collections.abc import Iterator

from handlers.model import Incident, Storm
from handlers.model.delivery import RESOLVED
from handlers.model.incident import joined, left
from handlers.model.storm import members_of, read, scheduled
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded, record
from handlers.records.storms import announce, start_pass
from handlers.records.write_up import write_storm_up
from handlers.wiring import Tools


def read_members(message: Message, tools: Tools) -> Recorded[Storm] | None:
    """The storm with what is new of its members; None when nothing is. `fields`: its key and id, how many readings were made."""
    key, storm_id, readings = str(message.fields["storm"]), message.fields["id"], int(message.fields["reading"])
    storm = tools.storms.find(key)
    if storm is None or storm.id != storm_id or storm.readings != readings:
        return None
    members = members_of(members_in(storm, tools))
    recorded = record(tools.storms, key, lambda fresh: read(fresh, storm_id, members, tools.now()), tools.queue)
    if recorded:
        write_storm_up(recorded.row, members, tools)
    if storm.status == RESOLVED:
        release_late_members(storm, tools)
    elif planned := tools.storms.change(key, lambda fresh: scheduled(fresh, storm_id, readings, tools.now())):
        announce(planned, tools.queue, (planned.next_at - tools.now()).total_seconds())
        start_pass(planned, tools.storms, tools.queue, tools.now())
    return recorded


def write_late(storm: Storm, tools: Tools) -> None:
    """Write the newest version of a storm that has no document: whoever was to write it is gone."""
    write_storm_up(storm, members_of(members_in(storm, tools)), tools)


def members_in(storm: Storm, tools: Tools) -> Iterator[Incident]:
    """The incidents that the storm speaks for: those in it, and those that got a ticket of their own before it was one.

    Who opened before and has no ticket yet is taken in.
    """
    for key, incident_id in tools.storms.opened_before(storm):
        incident = tools.incidents.find(key)
        if incident is None or incident.id != incident_id or incident.storm:
            continue
        if storm.status == RESOLVED or tools.incidents.change(key, lambda fresh: joined(fresh, storm.id)) is None:
            yield incident
    yield from tools.incidents.members(storm.id)


def release_late_members(storm: Storm, tools: Tools) -> None:
    """Who joined a storm in the moment that it ended gets a ticket of its own."""
    for member in tools.incidents.members(storm.id):
        record(tools.incidents, member.key, lambda fresh: left(fresh, storm.id, tools.now()), tools.queue)
