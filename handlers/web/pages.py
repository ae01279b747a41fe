"""Opening a page: who asks may see it, and there is something to see. Both its reading and its form begin here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any, Protocol
from urllib.parse import urlencode

from handlers.azure.arm import Azure
from handlers.model import Incident
from handlers.model.delivery import RESOLVED
from handlers.model.ids import subscription_of
from handlers.records.histories import History, history_of
from handlers.records.histories import Tools as Stored
from handlers.runbook.templates import words_of
from handlers.settings import Settings
from handlers.web.access import NOT_FOUND, PageAnswer, PageRequest, Refusals, may_open, person_of
from handlers.web.html import notice_html
from handlers.web.links import form_token, is_form_token
from handlers.web.members import Wanted
from handlers.web.views import context_of

REFUSALS = Refusals()
READS_A_CHECK, READS_OF_A_JOB, WAIT_SECONDS = 40, 5, 60


class Tools(Stored, Protocol):
    """What of the stories' tools is used here."""

    @property
    def settings(self) -> Settings: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


class Checking(Tools, Protocol):
    """The same, and Azure's read budget."""

    @property
    def azure(self) -> Azure: ...


def is_refused(request: PageRequest, settings: Settings) -> bool:
    """Whether the request may not see the page; nothing is read to know it."""
    if may_open(request, settings, datetime.now(UTC)):
        return False
    REFUSALS.count()
    return True


def shown_history(row_id: str, tools: Tools) -> History | None:
    """What the page of an id shows; None when there is nothing, or it is over."""
    history = history_of(row_id, tools)
    return None if history is None or history.is_over(tools.now()) else history


def context(history: History, request: PageRequest, tools: Tools) -> dict[str, Any]:
    """What the page's template sees."""
    token = form_token(history.id, person_of(request, tools.settings), tools.settings, tools.now())
    form = {"token": token, "id": history.id, "query": query_of_link(request), **_link(request)}
    return context_of(history, Wanted.of(request.query), tools.now(), form)


def opened_for_check(request: PageRequest, settings: Settings, tools: Callable[[], Checking]) -> History | PageAnswer:
    """What is to be checked again; else what whoever may not check, or not now, is answered. Once a minute, within the read budget."""
    if is_refused(request, settings) or request.part != "check":
        return NOT_FOUND
    if not is_own_form(request, tools()):
        return notice(403, "old_form", request, tools())
    if seconds := tools().incidents.begin_check(request.id, tools().now()):
        return notice(429, "too_soon", request, tools(), ceil(seconds))
    history = shown_history(request.id, tools())
    if history and isinstance(history.row, Incident):
        spare = tools().azure.budget.spare(subscription_of(history.row.vault_id))
        return history if spare >= READS_A_CHECK else notice(429, "busy", request, tools(), WAIT_SECONDS)
    return history or NOT_FOUND


def opened_for_job(request: PageRequest, settings: Settings, tools: Callable[[], Checking]) -> Incident | PageAnswer:
    """The open incident whose newest backup is asked for; else what is answered instead. Within the read budget."""
    if is_refused(request, settings):
        return NOT_FOUND
    history = shown_history(request.id, tools())
    if history is None or not isinstance(history.row, Incident):
        return NOT_FOUND
    if history.status == RESOLVED:
        return notice(200, "checked_ended", request, tools())
    spare = tools().azure.budget.spare(subscription_of(history.row.vault_id))
    return history.row if spare >= READS_OF_A_JOB else notice(429, "busy", request, tools(), WAIT_SECONDS)


def is_own_form(request: PageRequest, tools: Tools) -> bool:
    """Whether a form was sent by the page itself, for who looks at it."""
    who = person_of(request, tools.settings)
    return is_form_token(request.form.get("token", ""), request.id, who, tools.settings, tools.now())


def notice(status: int, word: str, request: PageRequest, tools: Tools, seconds: int = 0) -> PageAnswer:
    """One sentence with the way back to the page. `seconds`: after which a try makes sense."""
    language = tools.settings.runbook_language
    words = words_of(language)["page"]
    back = f"../{request.id}{query_of_link(request)}"
    body = notice_html({"language": language, "text": words[word].format(seconds=seconds), "back": back, "words": words})
    return PageAnswer(status, body, more={"Retry-After": str(seconds)} if seconds else {})


def query_of_link(request: PageRequest) -> str:
    """What of the request's query makes the link, with its question mark; empty with sign-in."""
    link = _link(request)
    return f"?{urlencode(link)}" if link else ""


def _link(request: PageRequest) -> dict[str, str]:
    return {name: request.query[name] for name in ("exp", "sig") if name in request.query}
