"""Story: somebody opens the page behind a ticket. It shows what is stored of the incident or the storm; nothing is read from Azure."""

from collections.abc import Callable

from handlers.records.histories import History
from handlers.settings import Settings
from handlers.web.access import NOT_FOUND, PageAnswer
from handlers.web.access import PageRequest as PageRequest  # function_app.py makes one
from handlers.web.html import ASSETS, asset, page_html
from handlers.web.pages import context, is_refused, shown_history
from handlers.wiring import Tools


def answer(request: PageRequest, settings: Settings, tools: Callable[[], Tools]) -> PageAnswer:
    """The page, a part of it, or the answer that everybody gets who may not see it. `tools` are made for whoever may."""
    if request.id in ASSETS and not request.part and settings.link_key:
        return PageAnswer(200, asset(request.id), ASSETS[request.id], {"Cache-Control": "private, max-age=3600"})
    if is_refused(request, settings):
        return NOT_FOUND
    history = shown_history(request.id, tools())
    return part_of(history, request, tools()) if history else NOT_FOUND


def part_of(history: History, request: PageRequest, tools: Tools) -> PageAnswer:
    """The page itself, or a storm's list of members as a file."""
    if not request.part:
        return PageAnswer(200, page_html(context(history, request, tools)))
    names = tools.documents.read_names(history.id) if request.part == "members.csv" else None
    file = {"Content-Disposition": f'attachment; filename="storm-{history.id[:8]}.csv"'}
    return PageAnswer(200, names, "text/csv; charset=utf-8", file) if names is not None else NOT_FOUND
