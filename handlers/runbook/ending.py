"""How an incident ended, in Markdown: the cause that stood at the end, how long it took, and what was changed before the good backup."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from handlers.model import ChangeList
from handlers.model.parts import Part, joined
from handlers.runbook.changes import sentence_of
from handlers.runbook.markup import Markdown, code_span
from handlers.runbook.templates import cause_title, environment, reason_of, words_of


class End(Struct, frozen=True):
    """An incident at its end. `ended_at` is None without a job that proves the recovery, `changes` without a backup that does."""

    item_name: str
    code: str
    first_failed_at: datetime
    cause: str = ""
    ended_at: datetime | None = None
    changes: ChangeList | None = None
    of_restore: bool = False

    @property
    def hours(self) -> float | None:
        return None if self.ended_at is None else max((self.ended_at - self.first_failed_at).total_seconds(), 0) / 3600


def render_end(end: End, note: str, language: str, *, show_actors: bool) -> str:
    """`note` is Markdown and says what proves the end."""
    words = words_of(language)
    page = environment("md").get_template(f"{language}/end.md.j2").render(
        end=end,
        note=Markdown(note),
        told=lambda change: Markdown(sentence_of(change, language, code_span)),
        actor=lambda change: code_span(change.who, 120) if change.who and show_actors else Markdown(""),
        cause_title=lambda cause: Markdown(cause_title(language, cause)),
        duration=lambda hours: Markdown(duration_text(hours)),
        word=lambda table, name: Markdown(words[table][name]),
        reason=lambda why: reason_of(why, language),
    )  # fmt: skip
    return joined((Part(page),))


def duration_text(hours: float) -> str:
    """`2 d 3 h`, `5 h 20 min`, `40 min`."""
    minutes = round(hours * 60)
    days, hours_left, minutes_left = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours_left} h"
    return f"{hours_left} h {minutes_left} min" if hours_left else f"{minutes_left} min"
