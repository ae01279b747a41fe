"""Story: somebody who has started a backup asks from the page how it is going. Its state is read; nothing is recorded."""

from collections.abc import Callable

from handlers.facts.newest_backup import newest_backup
from handlers.model import Incident
from handlers.settings import Settings
from handlers.web.access import PageAnswer, PageRequest
from handlers.web.html import job_html
from handlers.web.pages import opened_for_job, query_of_link
from handlers.web.views import job_context
from handlers.wiring import Tools


def answer(request: PageRequest, settings: Settings, tools: Callable[[], Tools]) -> PageAnswer:
    """The state of the item's newest backup as a small page, which reads it again while the backup runs."""
    incident = opened_for_job(request, settings, tools)
    if not isinstance(incident, Incident):
        return incident
    job = newest_backup(incident, tools().azure, tools().now())
    context = job_context(job, settings.runbook_language, tools().now())
    return PageAnswer(200, job_html(context | {"id": request.id, "query": query_of_link(request)}))
