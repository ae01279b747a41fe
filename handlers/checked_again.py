"""Story: somebody checks again, from the page. The facts are gathered anew; what is different is shown there and on the ticket."""

from collections.abc import Callable

from handlers.backup_recovered import record_recovery
from handlers.diagnosis.again import diagnosed_again
from handlers.facts.jobs import completed_if_read
from handlers.model import Incident, Storm
from handlers.model.incident import reread
from handlers.records.alert_queue import Message
from handlers.records.histories import History
from handlers.records.reminders import record, remind
from handlers.records.write_up import document_of, write_up
from handlers.settings import Settings
from handlers.storm_checked_again import check_storm
from handlers.web.access import PageAnswer, PageRequest
from handlers.web.html import page_html
from handlers.web.pages import context, opened_for_check, shown_history
from handlers.web.views import Checked, checked_of
from handlers.wiring import Tools


def answer(request: PageRequest, settings: Settings, tools: Callable[[], Tools]) -> PageAnswer:
    """The page with what is different now; 429 within a minute of the last check, or when the read budget is spent."""
    history = opened_for_check(request, settings, tools)
    if isinstance(history, PageAnswer):
        return history
    checked = check(history, tools())
    newest = shown_history(request.id, tools()) or history
    return PageAnswer(200, page_html(context(newest, request, tools()) | {"checked": checked, "root": "../"}))


def check(history: History, tools: Tools) -> Checked:
    """Check an open incident or a storm; what has ended stays as it is."""
    match history.row:
        case Incident(status="open") as incident:
            return check_incident(incident, history, tools)
        case Storm(status="open") as storm:
            return check_storm(storm, history, tools)
    return Checked("ended")


def check_incident(incident: Incident, history: History, tools: Tools) -> Checked:
    """A completed backup (of restores: a completed restore) ends the incident; else what its facts say now is a further version, if that is something else."""
    before, now, message = history.diagnosed, tools.now(), Message("check", since=tools.now())
    again = diagnosed_again(before.evidence, incident.alert(), tools.azure, now)
    if job := completed_if_read(again.diagnosis.failure, incident.last_failed_at, tools.azure):
        ended = record_recovery(incident, job, tools)
        remind(ended.reminder if ended else None, 0, tools.queue)
        return Checked("restored" if job.is_restore else "recovered", job=str(job))
    data = document_of(incident, again.diagnosis, message, tools).data
    checked = checked_of(before.data, data, again.diagnosis.recovery.running)
    if not (checked.is_news or again.lists_new_changes):
        return checked
    if recorded := record(tools.incidents, incident.key, lambda row: reread(row, incident.failures, now), tools.queue):
        write_up(recorded.row, again.diagnosis, message, tools)
        remind(recorded.reminder, 0, tools.queue)
    return checked
