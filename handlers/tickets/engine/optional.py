"""The fields that a new ticket can do without, when the system refuses it and names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from handlers.model.refusal import RefusalKind
from handlers.tickets.answers import TicketNotPosted
from handlers.tickets.engine.definition import Option

OWN_KEYS = "+"


def without_refused(
    about: Mapping[str, Option], options: Mapping[str, Any], refusal: TicketNotPosted
) -> tuple[Mapping[str, Any], list[str]]:
    """The options without what sets a field that the refusal names, and the names of those fields."""
    if refusal.kind is not RefusalKind.CONFIGURATION:
        return options, []
    fewer, fields = dict(options), list[str]()
    for name, option in about.items():
        given = options.get(name)
        if OWN_KEYS in option.sets and isinstance(given, Mapping):
            named = [key for key in given if _is_named(key, refusal.said)]
            fewer[name] = {key: value for key, value in given.items() if key not in named}
            fields += named
        elif given and (named := [field for field in option.sets if _is_named(field, refusal.said)]):
            fewer[name] = type(given)() if isinstance(given, Mapping | list) else None
            fields += named
    return fewer, fields


def _is_named(field: str, said: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(field)}(?![\w-])", said, re.IGNORECASE) is not None
