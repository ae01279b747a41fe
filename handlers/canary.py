"""Story (timer): a marked alert of our own goes the whole way, so that silence is noticed: an alert rule misses `canary arrived`."""

import logging
from collections.abc import Iterator
from datetime import timedelta

from handlers.alerts.canary import body_of
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.identify import identify
from handlers.facts.vaults import log_silent_vaults, readable_vaults
from handlers.model import Alert, Incident, Job, parse_time
from handlers.model.incident import failed, key_of, muted, recovered
from handlers.records.alert_queue import Message
from handlers.records.reminders import Recorded, record
from handlers.records.write_up import write_canary_up
from handlers.wiring import Tools

log = logging.getLogger(__name__)
ARRIVAL = "canary_arrival"


def send(tools: Tools) -> None:
    """Queue today's canary."""
    if tools.settings.canary != "off":
        tools.queue.put(body_of(tools.now()))
        log.info("canary sent")


def arrive(alert: Alert, tools: Tools) -> Iterator[Recorded[Incident]]:
    """What a failure goes through and then a recovery; its ticket is updated after each, and before the arrival is logged."""
    if tools.settings.canary == "off" or alert.fired_at is None:
        return
    failure, error = identify(alert, tools.azure, tools.now())
    diagnosis = diagnose_failure(failure, error, tools.azure, tools.now())
    job = Job(alert.id, "Completed", "Canary", started_at=alert.fired_at + timedelta(seconds=1), ended_at=tools.now())
    quiet, key = tools.settings.canary == "quiet", key_of(failure.key)

    def fail(incident: Incident | None) -> Incident | None:
        return muted(failed(incident, failure, error.code, tools.now()), quiet)

    def recover(incident: Incident | None) -> Incident | None:
        return muted(recovered(incident, job, tools.now()), quiet)

    for transition in (fail, recover):
        if recorded := record(tools.incidents, key, transition, tools.queue):
            write_canary_up(recorded.row, diagnosis, tools)
            yield recorded
    log_arrival(Message(ARRIVAL, fields={"incident": key, "sent_at": alert.fired_at.isoformat()}), tools)


def log_arrival(message: Message, tools: Tools) -> None:
    """Log that the canary has arrived, or look again soon while its ticket is not posted yet; a day later it is given up."""
    row, sent_at = tools.incidents.find(str(message.fields["incident"])), parse_time(message.fields["sent_at"])
    seconds = (tools.now() - (sent_at or tools.now())).total_seconds()
    if row and row.needs_post and seconds < 24 * 3600:
        tools.queue.note(ARRIVAL, after_seconds=min(max(seconds, 60), 600), **message.fields)
    elif row and not row.needs_post:
        azure = readable_vaults(tools.settings.watched_subscriptions, tools.azure)
        log.info("canary arrived seconds=%.0f tickets=%s azure=%s", seconds, tools.settings.canary, azure)
        log_silent_vaults(tools.settings.watched_subscriptions, tools.azure)
