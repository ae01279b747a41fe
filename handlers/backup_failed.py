"""Story: an alert says that a backup failed. The incident is recorded and diagnosed; then its ticket is due."""

from handlers.diagnosis.catalogue import classify
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.evidence import alert_of
from handlers.diagnosis.identify import identify
from handlers.facts.vaults import region_of
from handlers.model import Alert, Failure, Incident
from handlers.model.incident import failed, key_of
from handlers.model.typed_json import to_builtins
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded, record, remind
from handlers.records.storms import HELD_SECONDS
from handlers.records.write_up import write_first
from handlers.wiring import Tools


def record_failure(alert: Alert, message: Message, tools: Tools) -> Recorded[Incident] | None:
    """The incident after the alert's failure, diagnosed; None when it is known, is held, or a storm's ticket speaks for it."""
    now = tools.now()
    alerted = Failure.of(alert, None, now)
    if (known := tools.incidents.find(key_of(alerted.key))) and known.knows_job(alert.job_id):
        return None
    region = region_of(alerted, tools.azure)
    crowded = tools.storms.is_crowded(region, classify(alert, None).code, now)
    failure, error = identify(alert, tools.azure, now, sharing=crowded)
    storm = tools.storms.known(region, error.code)

    def transition(incident: Incident | None) -> Incident | None:
        return failed(incident, failure, error.code, now, region=region, storm=storm.id if storm else "")

    seen = known if failure.key == alerted.key else None
    recorded = record(tools.incidents, key_of(failure.key), transition, tools.queue, seen, alert=to_builtins(alert))
    if recorded is None or recorded.reminder is None:  # it is known, or its storm's ticket speaks for it
        return None
    if recorded.row.delivery.version == 1 and is_left_to_its_crowd(recorded.row, tools):
        remind(recorded.reminder, HELD_SECONDS, tools.queue)
        return None
    if crowded:  # the list does not say what the job itself does
        failure, error = identify(alert, tools.azure, now)
    write_first(recorded.row, diagnose_failure(failure, error, tools.azure, now), message, tools)
    return recorded


def diagnose_late(incident: Incident, message: Message, tools: Tools) -> None:
    """Diagnose an incident whose version has no document: it was held, or whoever was to diagnose it is gone."""
    if tools.storms.crowd_of(incident, tools.now(), tools.queue).takes_in(incident, tools.incidents):
        return
    alert = alert_of(message.fields) if "alert" in message.fields else incident.alert()
    failure, error = identify(alert, tools.azure, tools.now())
    write_first(incident, diagnose_failure(failure, error, tools.azure, tools.now(), sharing=True), message, tools)


def is_left_to_its_crowd(incident: Incident, tools: Tools) -> bool:
    """Whether a storm's ticket speaks for a new incident, or may soon: it is held to see."""
    tools.storms.count(incident, tools.now())
    crowd = tools.storms.crowd_of(incident, tools.now(), tools.queue)
    return crowd.takes_in(incident, tools.incidents) or crowd.is_held
