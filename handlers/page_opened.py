"""Story: somebody opens the page behind a ticket. It shows what is stored of the incident or the storm; nothing is read from Azure."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

from handlers.records.histories import History, history_of
from handlers.settings import Settings
from handlers.web.access import NOT_FOUND, PageAnswer, Refusals, may_open, person_of
from handlers.web.access import PageRequest as PageRequest  # function_app.py makes one
from handlers.web.html import ASSETS, asset, page_html
from handlers.web.links import form_token
from handlers.web.members import Wanted
from handlers.web.views import context_of
from handlers.wiring import Tools

REFUSALS = Refusals()


def answer(request: PageRequest, settings: Settings, tools: Callable[[], Tools]) -> PageAnswer:
    """The page, a part of it, or the answer that everybody gets who may not see it. `tools` are made for whoever may."""
    if request.id in ASSETS and not request.part and settings.link_key:
        return PageAnswer(200, asset(request.id), ASSETS[request.id], {"Cache-Control": "private, max-age=3600"})
    if not may_open(request, settings, datetime.now(UTC)):
        REFUSALS.count()
        return NOT_FOUND
    history = history_of(request.id, tools())
    if history is None or history.is_over(tools().now()):
        return NOT_FOUND
    return part_of(history, request, tools())


def part_of(history: History, request: PageRequest, tools: Tools) -> PageAnswer:
    match request.method, request.part:
        case "GET", "":
            return PageAnswer(200, page_html(page_of(history, request, tools)))
        case "GET", "members.csv" if names := tools.documents.read_names(history.id):
            file = {"Content-Disposition": f'attachment; filename="storm-{history.id[:8]}.csv"'}
            return PageAnswer(200, names, "text/csv; charset=utf-8", file)
    return NOT_FOUND


def page_of(history: History, request: PageRequest, tools: Tools) -> dict[str, object]:
    """What the template sees."""
    token = form_token(history.id, person_of(request, tools.settings), tools.settings, tools.now())
    link = {name: request.query[name] for name in ("exp", "sig") if name in request.query}
    form = {"token": token, "id": history.id, "query": f"?{urlencode(link)}" if link else "", **link}
    return context_of(history, Wanted.of(request.query), tools.now(), form)
