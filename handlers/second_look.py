"""Story: some facts could not be read when a ticket was posted. Look again; what it changes in the diagnosis is an update."""

from __future__ import annotations

import logging

from handlers.diagnosis.diagnose import changes_since
from handlers.model import Incident, NotNow, subscription_of
from handlers.records import documents
from handlers.records.alert_queue import Message
from handlers.tell import failure_of, look, look_again_later, tell
from handlers.wiring import Tools

RUSH_SECONDS = 30.0

log = logging.getLogger(__name__)


def handle(message: Message, tools: Tools) -> None:
    """`fields`: the incident's key, how many failures it had then, which look this is."""
    incident = tools.incidents.find(str(message.fields["incident"]))
    if incident is None or incident.status != "open" or incident.failures != message.fields["failures"]:
        return
    tools.tickets.check_open()
    if tools.rush.on(subscription_of(incident.vault_id)):
        raise NotNow("alerts come first", RUSH_SECONDS)
    record = tools.documents.newest(incident)
    failure, error = failure_of(documents.alert_of(record) if record else incident.alert(), tools)
    diagnosis = look(failure, error, tools)
    to_tell = waits_for_its_ticket(incident) or changes_since(incident.verdicts, diagnosis)
    if to_tell and (begun := tools.incidents.begin_update(incident, message.id, tools.now())):
        tell(begun, diagnosis, message, tools)
    look_again_later(incident, diagnosis, int(message.fields.get("looks", 1)), tools)


def waits_for_its_ticket(incident: Incident) -> bool:
    """A change was begun, and whoever began it is gone."""
    return bool(incident.pending)
