"""Expressions in TICKET_OPTIONS, such as `"= owner"`: what they may set, looked at when the app starts, and their values for one event."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.model.text import one_line
from handlers.tickets.engine.definition import STEPS, Definition, DefinitionError, merged
from handlers.tickets.engine.example_event import EXAMPLE
from handlers.tickets.engine.expressions import BadExpression, evaluated, expressions_in
from handlers.tickets.engine.option_shapes import misshapen, shape_of

log = logging.getLogger(__name__)


def check_expressions(system: Definition, given: Mapping[str, Any]) -> None:
    """Raises DefinitionError for an expression that cannot be read, gives nothing for an example event, or has no place there."""
    names = names_of(EXAMPLE)
    for name, value in given.items():
        if not expressions_in(value):
            continue
        if name in fixed_options(system):
            raise DefinitionError(
                f"TICKET_OPTIONS: {name} must be the same for every ticket, which is found again by it. For several: TICKET_ROUTES"
            )
        for problem in _problems(system, name, value, names):
            raise DefinitionError(one_line(f"TICKET_OPTIONS: {problem}"))


def _problems(system: Definition, name: str, value: Any, names: Mapping[str, Any]) -> Iterator[str]:
    try:
        for expression in expressions_in(value):
            if evaluated(f"={expression}", names) is None:
                yield f"{name}: '={expression}' gives nothing for an example event: is the name right?"
        option = system.known_options[name]
        yield from misshapen(name, evaluated(value, names), option.shape or shape_of(option.default), default=option.default)
    except BadExpression as error:
        yield f"{name}: {error}"


def names_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What an expression sees of an event."""
    data = event["data"]
    return {**data, "event": event, "type": event["type"], "key": data["incident"]["id"]}


def options_for(system: Definition, options: Mapping[str, Any], event: Mapping[str, Any], change_id: str) -> Mapping[str, Any]:
    """The options for one event. One whose expression gives nothing there is as if it had not been given."""
    if not expressions_in(dict(options)):
        return options
    names = names_of(event)
    return {name: _value(system, name, value, names, change_id) for name, value in options.items()}


def _value(system: Definition, name: str, value: Any, names: Mapping[str, Any], change_id: str) -> Any:
    if not expressions_in(value):
        return value
    option = system.known_options[name]
    try:
        given = evaluated(value, names)
        problem = next(misshapen(name, given, option.shape or shape_of(option.default), default=option.default), "")
    except BadExpression as error:
        given, problem = None, str(error)
    if problem:
        log.warning("option %s is left out: change %s: %s", name, change_id, one_line(problem))
    return option.default if problem else merged(option.default, given)


def fixed_options(system: Definition) -> set[str]:
    """The options that say where a ticket is, by what it is found and how it stands: those must not differ from one change to the next."""
    steps = [step for name in STEPS if name != "check" for step in getattr(system, name)]
    texts = [repr([system.find, system.read, system.ticket]), *(step.path for step in steps)]
    about = system.known_options.items()
    named = {name for text in texts for name in _named(text)}
    return named | {name for name, option in about if option.required or option.choices or name == "oauth"}


def _named(text: str) -> Sequence[str]:
    return re.findall(r"\boptions\.(\w+)", text)
