"""Story: many VMs of one region fail with one error code at the same time. One ticket speaks for them: a storm's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from handlers import last_resort
from handlers.cli import replay
from handlers.facts import Look
from handlers.model import Diagnosis, Error, Failure, Incident, Members, NotNow, Storm, subscription_of
from handlers.model import storm as transitions
from handlers.model.incident import OPENED
from handlers.model.storm import change_due, members_of
from handlers.records import documents
from handlers.records.alert_queue import Message
from handlers.records.incidents import Begun
from handlers.records.rows import Changed
from handlers.runbook.render import render, render_storm
from handlers.tell import SECOND_LOOK, failure_of, look
from handlers.tickets.event import storm_event
from handlers.tickets.posted_log import log_posted
from handlers.wiring import Tools

log = logging.getLogger(__name__)

STORM, STORM_MEMBERS = "storm", "storm_members"
BUSY_SECONDS = 10.0
PASS_SECONDS = 5.0
"""Between two passes over the members in the background."""
MEMBERS_A_PASS = 50
READS_A_MEMBER = 15.0
PASS_DIED = timedelta(minutes=5)


def takes_in(begun: Begun, tools: Tools) -> bool:
    """Whether there is a storm where the incident has just opened; it is then one of its members and has no ticket of its own."""
    if begun.incident.pending != OPENED or begun.again:
        return False
    storm = tools.storms.joined_by(begun.incident, tools.now(), lambda storm: announce(storm, tools))
    return storm is not None and tools.incidents.join(begun.incident, storm.id) is not None


def announce(storm: Storm, tools: Tools) -> None:
    """Queue the storm's next look. A note of a look that was made already is dropped: two of them do no harm."""
    seconds = (storm.next_at - tools.now()).total_seconds()
    tools.queue.note(STORM, after_seconds=max(seconds, 1), storm=storm.key, id=storm.id, look=storm.looks)


def look_if_due(storm: Storm | None, tools: Tools) -> None:
    """Make the storm's look if its time has come: its note may lie behind thousands of alerts in the queue."""
    if storm and tools.storms.is_mine_to_look_at(storm, tools.now()):
        fields = {"storm": storm.key, "id": storm.id, "look": storm.looks}
        try:
            handle(Message(STORM, fields=fields, id=f"{storm.id}.{storm.looks}"), tools)
        except NotNow as wait:
            log.info("storm %s is told later: %s", storm.id, wait)


def look_at_first_ones(incident: Incident, failure: Failure, error: Error, message: Message, tools: Tools) -> None:
    """The first two of a vault and a code are looked at now, so that the storm's ticket can name a cause; the others later."""
    if tools.storms.is_first(incident, tools.now()):
        diagnosis = look(failure, error, tools, Look.FIRST)
        keep(incident, diagnosis, "first", message.content, tools)


def keep(incident: Incident, diagnosis: Diagnosis, how: str, body: bytes, tools: Tools) -> None:
    """Keep the evidence of a member and what was found of it."""
    runbook = render(diagnosis, tools.settings.runbook_language, tools.settings.arm_endpoint, with_html=False)
    change_id = f"{incident.id}.{incident.failures}.storm"
    record = documents.record_of(change_id, diagnosis, runbook, {"storm": incident.storm}, body, tools.now())
    tools.documents.add(incident, record)
    tools.incidents.keep_look(incident, how, diagnosis.verdicts)


def handle(message: Message, tools: Tools) -> None:
    """A look at a storm is due: tell what is new of it, and queue the next look."""
    storm = tools.storms.find(str(message.fields["storm"]))
    if storm is None or storm.id != message.fields["id"] or storm.looks != message.fields["look"]:
        return
    incidents = members(storm, tools)
    if storm.status == "resolved":
        release_late_ones(incidents, tools)
        return
    told = members_of(incidents)
    if change := change_due(storm, told):
        storm = tell(storm, change, told, message, tools)
    storm = transitions.looked_at(storm, tools.now())
    announce(storm, tools)
    storm = save(storm, tools)
    if storm.status == "open" and not is_passing_over(storm, tools.now()):
        tools.queue.note(STORM_MEMBERS, after_seconds=1, storm=storm.key, id=storm.id, after="")


def members(storm: Storm, tools: Tools) -> Iterator[Incident]:
    """The incidents that the storm speaks for: those in it, and those that opened with a ticket of their own before it was one."""
    for key, incident_id in tools.storms.opened_before(storm):
        incident = tools.incidents.find(key)
        if incident and incident.id == incident_id and not incident.storm:
            yield incident
    yield from tools.incidents.of_storm(storm.id)


def tell(storm: Storm, change: str, told: Members, message: Message, tools: Tools) -> Storm:
    """Post a change of the storm's ticket. Raises NotNow; the change is then free for the next try."""
    begun = transitions.begun(storm, change, told.fingerprint, message.id, tools.now())
    if begun is None:
        raise NotNow("somebody else tells of the storm", BUSY_SECONDS)
    again, begun = bool(storm.pending), save(begun, tools)
    language = tools.settings.runbook_language
    diagnosis = diagnosis_of(told.example, tools)
    runbook = render_storm(begun, told, diagnosis, language, tools.settings.arm_endpoint)
    event = storm_event(begun, told, diagnosis, runbook, tools.now())
    try:
        posted = last_resort.post(event, begun.change_id, message, tools, may_exist=again, parts=runbook.parts)
    except NotNow:
        save(transitions.released(begun), tools)
        raise
    seconds = (tools.now() - begun.opened_at).total_seconds() if change == transitions.OPENED else 0
    log_posted(change, begun.id, posted.id, begun.code, told.shared_cause, seconds=seconds)
    return save(transitions.settled(begun, posted.id, posted.url), tools)


def save(storm: Storm, tools: Tools) -> Storm:
    try:
        return tools.storms.save(storm)
    except Changed:
        raise NotNow("somebody else has changed the storm", BUSY_SECONDS) from None


def diagnosis_of(example: Incident | None, tools: Tools) -> Diagnosis | None:
    """What was found of one member, from its document."""
    record = tools.documents.newest(example) if example else None
    return replay.diagnosis_of(record) if record else None


def release_late_ones(incidents: Iterator[Incident], tools: Tools) -> None:
    """Who joined a storm in the moment that it ended gets a ticket of its own."""
    for incident in incidents:
        if incident.storm and incident.status == "open" and (left := tools.incidents.leave_storm(incident)):
            tools.queue.note(SECOND_LOOK, incident=left.key, failures=left.failures)


def is_passing_over(storm: Storm, now: datetime) -> bool:
    return storm.members_read_at is not None and now - storm.members_read_at < PASS_DIED


def look_at_members(message: Message, tools: Tools) -> None:
    """One pass in the background: look at some members in full, with reads that nobody else needs now; queue the next pass.

    One at a time: alerts and recoveries need the processor too.
    """
    if not tools.storms.passing.acquire(blocking=False):
        raise NotNow("another storm's members are looked at", PASS_SECONDS)
    try:
        pass_over(message, tools)
    finally:
        tools.storms.passing.release()


def pass_over(message: Message, tools: Tools) -> None:
    storm = tools.storms.find(str(message.fields["storm"]))
    if storm is None or storm.id != message.fields["id"] or storm.status != "open":
        return
    after, more = str(message.fields["after"]), False
    for count, incident in enumerate(tools.incidents.not_looked_at(storm.id, after)):
        subscription = subscription_of(incident.vault_id)
        poor = bool(subscription) and tools.azure.budget.spare(subscription) < READS_A_MEMBER
        if count == MEMBERS_A_PASS or poor or tools.rush.on(subscription):
            more = True
            break
        look_at_member(incident, tools)
        after = incident.key
    if more:
        storm = save(transitions.passed_over(storm, tools.now()), tools)
        tools.queue.note(STORM_MEMBERS, after_seconds=PASS_SECONDS, storm=storm.key, id=storm.id, after=after)


def look_at_member(incident: Incident, tools: Tools) -> None:
    record = tools.documents.newest(incident) if incident.look else None
    body = str(record["body"]).encode() if record else b""
    failure, error = failure_of(documents.alert_of(record) if record else incident.alert(), tools)
    keep(incident, look(failure, error, tools, Look.SHARING), "all", body, tools)
