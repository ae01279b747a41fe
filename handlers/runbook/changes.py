"""What was changed, in the words of a language: for the page as Markdown, for the ticket event as plain text."""

from __future__ import annotations

from collections.abc import Callable

from handlers.model import AzureChange, ChangeList, PropertyChange, ToldChange
from handlers.model.text import one_line
from handlers.runbook.templates import words_of

MOST_PROPERTIES, MOST_CHARACTERS = 3, 120
"""How many properties of a change are shown, and how much of a name or a value."""

MOST_IN_TICKET = 6
"""How many changes a ticket lists; the page lists all that the event has."""

Show = Callable[[str], str]
"""Makes a value from outside safe for where it is shown."""


def sentence_of(change: AzureChange, language: str, show: Show) -> str:
    """What was changed, without the time and who did it."""
    sentence = words_of(language)["changes"][change.kind]
    said = sentence.format(name=show(change.name), scope=show(change.scope.rpartition("/")[2]))
    shown = [_property(each, show) for each in change.properties[:MOST_PROPERTIES]]
    more = len(change.properties) - len(shown)
    values = "; ".join([*shown, *([f"+ {more}"] if more else [])])
    return f"{said} ({values})" if values else said


def in_ticket(changes: ChangeList | None) -> tuple[AzureChange, ...]:
    """The changes that a ticket lists: first those that make a cause likely, then the newest."""
    listed = changes.changes if changes else ()
    return tuple(sorted(listed, key=lambda change: not change.makes_likely)[:MOST_IN_TICKET])


def _property(change: PropertyChange, show: Show) -> str:
    path = show(change.path.removeprefix("properties."))
    return f"{path}: {show(change.before)} → {show(change.after)}" if change.before or change.after else path


def told(changes: ChangeList | None, language: str, *, show_actors: bool) -> tuple[ToldChange, ...]:
    """The changes as plain text on one line each."""
    return tuple(
        ToldChange(
            change.at,
            one_line(change.who, MOST_CHARACTERS) if show_actors else "",
            sentence_of(change, language, plain),
            change.resource_id,
            change.makes_likely,
        )
        for change in (changes.changes if changes else ())
    )


def plain(text: str) -> str:
    return one_line(text, MOST_CHARACTERS) or "–"
