"""A team's own ticketing system: its file is checked at start, so that a slip is not found when the first ticket is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from handlers.model.text import one_line
from handlers.tickets.engine.definition import (
    STEPS,
    AuthKind,
    Definition,
    DefinitionError,
    Option,
    definition_of,
    table_of,
)
from handlers.tickets.engine.expressions import BadExpression, compiled, expressions_in
from handlers.tickets.engine.markups import MARKUPS, NO_MARKUP
from handlers.tickets.engine.option_shapes import SHAPES

MOST_CHARACTERS = 500
"""Of what is wrong with a file."""


def read_own_file(own_file: str) -> Definition:
    """A file by its path, or the file's text itself. Raises DefinitionError."""
    if "\n" in own_file:
        return checked(own_file, "TICKET_TARGET_FILE")
    try:
        return checked(Path(own_file).read_text(encoding="utf-8"), Path(own_file).name)
    except UnicodeDecodeError:
        raise DefinitionError("TICKET_TARGET_FILE cannot be read: it is no UTF-8 text") from None
    except OSError as error:
        raise DefinitionError(f"TICKET_TARGET_FILE cannot be read: {error.strerror or 'there is no such file'}") from None


def checked(text: str, file: str) -> Definition:
    """What a file says. Raises DefinitionError for the first thing that is wrong: one line with the file, the key and the reason."""
    table = table_of(text, file)
    for problem in chain(_misfits(table), _contradictions(table), _bad_expressions(table)):
        raise DefinitionError(one_line(f"{file}: {problem}", MOST_CHARACTERS))
    return definition_of(table, file)


# ---------------------------------------------------------------- keys and their types


def _misfits(table: Mapping[str, Any]) -> Iterator[str]:
    """Unknown and missing keys, and values of another type, in msgspec's words. https://jcristharif.com/msgspec/structs.html

    It does not name the entry of a table that holds tables, so that options are checked one by one.
    """
    options = table.get("options")
    for name, option in options.items() if isinstance(options, Mapping) else ():
        yield from _misfit(option, Option, f"options.{name}")
    if "file" in table:
        yield "Object contains unknown field `file`"
    yield from _misfit({**table, "file": ""}, Definition, "")


def _misfit(value: Any, kind: type, place: str) -> Iterator[str]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        where = f"{place}{path.rstrip('`')}".strip(".")
        yield f"{where}: {what}" if where else what


# ---------------------------------------------------------------- what they say together


def _contradictions(table: Mapping[str, Any]) -> Iterator[str]:
    system = definition_of(table, "")
    yield from (f"{key}: is empty" for key in ("name", "docs", "open", "update", "resolve") if not getattr(system, key))
    if system.auth.kind not in AuthKind:
        yield f"auth.kind: {system.auth.kind!r} is not one of {', '.join(AuthKind)}"
    if system.auth.kind == AuthKind.BODY and not system.auth.field:
        yield "auth.field: is missing, and the secret goes into the body"
    for name, option in system.options.items():
        if option.shape and option.shape not in SHAPES:
            yield f"options.{name}.shape: {option.shape!r} is not one of {', '.join(SHAPES)}"
    if system.text.markup not in (NO_MARKUP, *MARKUPS):
        yield f"text.markup: {system.text.markup!r} is not one of {', '.join((NO_MARKUP, *MARKUPS))}"
    if system.find and "candidates" not in system.find[-1].take:
        yield "find: its last step takes no `candidates`"
    for place, condition in _conditions(system):
        if condition and not condition.startswith("="):
            yield f"{place}: must be an expression, begun with ="
    if system.read and not system.ticket.closed:
        yield "ticket.closed: is missing, and a ticket is read to know it"
    if system.ticket.description and not system.read:
        yield "ticket.description: is set, and no step reads the ticket"
    if system.find and not system.ticket.carries_key:
        yield "ticket.carries_key: is missing, and without it a found ticket may be somebody else's"


def _conditions(system: Definition) -> Iterator[tuple[str, str]]:
    for name in ("closed", "final", "silenced", "merged", "gone", "description", "carries_key"):
        yield (f"ticket.{name}", getattr(system.ticket, name))
    yield ("answers.wait", system.answers.wait)
    yield ("answers.configuration", system.answers.configuration)
    for key in STEPS:
        for index, step in enumerate(getattr(system, key)):
            yield from ((f"{key}[{index}].{name}", getattr(step, name)) for name in ("when", "expect", "permanent", "gone"))
            yield from ((f"{key}[{index}].take.{name}", taken) for name, taken in step.take.items())


def _bad_expressions(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        for expression in expressions_in(value):
            try:
                compiled(expression)
            except BadExpression as error:
                yield f"{key}: {error}"
