"""Story: many VMs of one region fail with one error code at the same time. One ticket speaks for them: a storm's."""

from copy import replace

from handlers.model import Members, Storm
from handlers.model.delivery import RESOLVED
from handlers.model.storm import members_of, read, scheduled
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded, record
from handlers.records.storm_members import compared, join_older, members_in, release_late, release_left_over
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
    if storm.status == RESOLVED:
        release_late(storm, tools)
        recorded = None
    else:
        recorded = record_members(storm, members, tools)
        plan_reading(storm, members, tools)
    return recorded


def record_members(storm: Storm, members: Members, tools: Tools) -> Recorded[Storm] | None:
    """The storm at its newest version, written up: of its members, or that an older storm speaks for them."""
    if list(release_left_over(storm, members, tools)):
        members = members_of(members_in(storm, tools))
    comparison = compared(storm, members, tools)
    recorded = join_older(replace(storm, comparison=comparison), members, tools) or record(
        tools.storms, storm.key, lambda fresh: read(fresh, storm.id, members, comparison, tools.now()), tools.queue
    )
    if recorded and recorded.reminder:
        write_storm_up(recorded.row, members, tools)
    return recorded


def plan_reading(storm: Storm, members: Members, tools: Tools) -> None:
    """Queue the next reading, and a background pass over the members."""
    planned = tools.storms.change(
        storm.key, lambda fresh: scheduled(fresh, storm.id, storm.readings, members.fingerprint, tools.now())
    )
    if planned:
        announce(planned, tools.queue, (planned.next_at - tools.now()).total_seconds())
        start_pass(planned, tools.storms, tools.queue, tools.now())


def write_late(storm: Storm, tools: Tools) -> None:
    """Write the newest version of a storm that has no document: whoever was to write it is gone."""
    write_storm_up(storm, members_of(members_in(storm, tools)), tools)
