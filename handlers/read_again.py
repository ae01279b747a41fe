"""Story: some facts could not be read when an incident was diagnosed. They are read again; what that changes updates the ticket."""

from handlers.diagnosis.again import diagnosed_again
from handlers.diagnosis.diagnose import changes_since
from handlers.model import Incident
from handlers.model.incident import reread
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded, record
from handlers.records.write_up import plan_second_reading, write_up
from handlers.wiring import Tools


def diagnose_again(message: Message, tools: Tools) -> Recorded[Incident] | None:
    """The incident with another version to show; None when nothing is new. `fields`: its key, its failures then, readings made."""
    failures, readings = message.fields["failures"], int(message.fields["readings"])
    incident = tools.incidents.find(str(message.fields["incident"]))
    if incident is None or incident.failures != failures or reread(incident, failures, tools.now()) is None:
        return None
    document = tools.documents.newest(incident.id, incident.delivery.version)
    again = diagnosed_again(document.evidence if document else None, incident.alert(), tools.azure, tools.now())
    diagnosis = again.diagnosis
    plan_second_reading(incident, diagnosis, readings, tools)
    if not changes_since(document.verdicts if document else incident.verdicts, diagnosis) and not again.lists_new_changes:
        return None
    recorded = record(tools.incidents, incident.key, lambda fresh: reread(fresh, failures, tools.now()), tools.queue)
    if recorded:
        write_up(recorded.row, diagnosis, message, tools)
    return recorded
