"""Story: a backup works again, or a restore. The incident ends only on proof: a completed backup (or restore) after the last failure."""

import logging

from handlers.facts.jobs import completed_after
from handlers.model import Alert, Failure, Incident, Job
from handlers.model.incident import gone, key_of, recovered
from handlers.records.reminders import Recorded, record
from handlers.records.write_up import write_end_up
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def record_alerted_recovery(alert: Alert, tools: Tools) -> Recorded[Incident] | None:
    """The incident of the alert's item, ended if the recovery is proven."""
    incident = tools.incidents.find(key_of(Failure.of(alert, None, tools.now()).key))
    if incident is None or incident.status != "open":
        log.info("an alert says resolved, and no incident is open for it")
        return None
    job = completed_after(Failure.of(incident.alert(), None, tools.now()), incident.last_failed_at, tools.azure)
    if job is None:
        log.info(
            "incident %s: an alert says resolved, but no %s has completed since", incident.id, incident.operation or "backup"
        )
    return record_recovery(incident, job, tools) if job else None


def record_recovery(incident: Incident, job: Job, tools: Tools) -> Recorded[Incident] | None:
    """The incident ended by the job that proves it; None when it has failed again since, or has ended already."""
    recorded = record(tools.incidents, incident.key, lambda fresh: recovered(fresh, job, tools.now()), tools.queue)
    if recorded and recorded.reminder:
        write_end_up(recorded.row, job, tools)
    return recorded


def record_gone(incident: Incident, tools: Tools) -> Recorded[Incident] | None:
    """The incident ended because its item is no longer backed up, or nobody has tried the restore again: no good job will follow."""
    failures = incident.failures
    recorded = record(tools.incidents, incident.key, lambda fresh: gone(fresh, failures, tools.now()), tools.queue)
    if recorded and recorded.reminder:
        write_end_up(recorded.row, None, tools)
    return recorded


def write_late_end(incident: Incident, tools: Tools) -> None:
    """Write the end of an incident whose version has no document: whoever was to write it is gone."""
    at = incident.recovered_at
    kind = "Restore" if incident.is_of_restores else "Backup"
    job = Job(incident.recovery_job_id, "Completed", kind, started_at=at, ended_at=at) if incident.recovery_job_id else None
    write_end_up(incident, job, tools)
