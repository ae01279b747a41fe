"""What a runbook page shows of an incident or a storm, from what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from handlers.model import Job
from handlers.model.ids import time_text
from handlers.model.parts import joined
from handlers.records.histories import History, Version
from handlers.runbook.note import Data, news_of, value_in_short
from handlers.runbook.templates import cause_title, words_of
from handlers.web.html import runbook_html
from handlers.web.members import Wanted, listed

type Words = Mapping[str, Mapping[str, str]]


class Checked(Struct, frozen=True):
    """What somebody who checked again is told: `outcome` is `news`, `nothing`, `recovered`, `storm` or `ended`."""

    outcome: str
    verdicts: tuple[tuple[str, str, str], ...] = ()
    """The title of a cause, its verdict before and now, in the reader's words."""
    facts: tuple[tuple[str, Markup, Markup], ...] = ()
    """A fact's label, its value before and now."""
    job: str = ""
    """The newest backup, if one has begun since the failure."""

    @property
    def is_news(self) -> bool:
        return self.outcome == "news"


def checked_of(before: Data, now: Data, running: Job | None) -> Checked:
    """What is different now from what the page showed."""
    language = now["runbook"]["language"]
    words, news = words_of(language), news_of(before, now)
    titles = words["verdicts"]
    verdicts = tuple(
        (finding["title"], titles[was] if was else "–", titles[finding["verdict"]]) for finding, was in news.verdicts
    )
    facts = tuple(
        (words["facts"].get(name, name), _value(name, was, words), _value(name, value, words)) for name, was, value in news.facts
    )
    return Checked("news" if verdicts or facts else "nothing", verdicts, facts, str(running) if running else "")


def _value(fact: str, value: Any, words: Words) -> Markup:
    return runbook_html(value_in_short(fact, value, words), words["page"]["language"])


def context_of(history: History, wanted: Wanted, now: datetime, form: Mapping[str, str]) -> dict[str, Any]:
    """What the template sees. `form`: the token of the page's form and the query of its link."""
    data, last = history.newest.data, history.diagnosed
    language = str(data["runbook"]["language"])
    words = words_of(language)
    storm = last.data.get("storm")
    ended = history.newest if history.newest is not last else None
    return {
        "language": language, "words": words["page"], "verdicts": words["verdicts"], "title": data["title"], "data": last.data,
        "incident": data["incident"], "status": history.status, "ended_at": time_text(history.ended_at),
        "is_open": history.status == "open", "ticket": _ticket(history), "now": time_text(now),
        "end": runbook_html(joined(ended.parts), language) if ended else "",
        "runbook": runbook_html(joined(last.parts), language),
        "storm": storm, "members": listed(storm["members"], wanted, words) if storm else None,
        "versions": [_version(version, language) for version in history.versions], "older": history.older,
        "checked": None, "form": form, "root": "",
    }  # fmt: skip


def _ticket(history: History) -> dict[str, str]:
    """The id and address of its ticket; the address only where it is https, or on this machine."""
    shown = history.row.delivery.ticket if history.row else None
    url = shown.ticket_url if shown else ""
    return {"id": shown.ticket_id if shown else "", "url": url if url.startswith(("https://", "http://127.0.0.1")) else ""}


def _version(version: Version, language: str) -> dict[str, Any]:
    """One version in the history: when it was made, what was new in it, and what became of verdicts."""
    document, words = version.document, words_of(language)
    data = document.data
    at = (document.evidence or {}).get("at") or (data.get("job") or {}).get("ended_at") or data["incident"]["last_failed_at"]
    return {
        "number": version.number,
        "at": at,
        "status": document.status,
        "title": data["title"],
        "note": runbook_html(document.note, language) if document.note else "",
        "changes": [_change(change, words, language) for change in data.get("changes") or []],
    }


def _change(change: Mapping[str, Any], words: Words, language: str) -> dict[str, str]:
    before = words["verdicts"][change["before"]] if change["before"] else "–"
    return {"title": cause_title(language, change["cause"]), "before": before, "now": words["verdicts"][change["now"]]}
