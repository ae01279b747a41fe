"""Alerts from every source, read from JSON of any kind. One module per source: `ORDER`, `claims(body)` and `parse(body)`.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
A source goes by what the body is (`monitoringService`, `conditionType`, the shape), never by `signalType`: Azure
Backup's own alerts call themselves Log. Words are compared without regard to case and spaces.
"""

from __future__ import annotations

import importlib
import json
from pkgutil import iter_modules
from typing import Any, Protocol

from handlers.model import Alert, Ignored, Unreadable

MOST_ELEMENTS = 5_000
"""Event Grid's largest batch. https://learn.microsoft.com/azure/event-grid/delivery-and-retry#output-batching"""


class Source(Protocol):
    """What a module for an alert source has."""

    ORDER: int
    """The sources are asked in this order: the more exactly one knows its own bodies, the sooner."""

    def claims(self, body: object) -> bool:
        """Whether the body is of this source, about backup or not."""

    def parse(self, body: object) -> list[Alert | Ignored]:
        """What a claimed body tells; never empty."""


def _sources() -> tuple[Source, ...]:
    """The modules of this folder that claim bodies."""
    modules: list[Any] = [importlib.import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return tuple(sorted((module for module in modules if hasattr(module, "claims")), key=lambda source: source.ORDER))


SOURCES = _sources()
"""In claiming order. `other` is last: it claims every alert that is left."""


def read(body: object) -> list[Alert | Ignored | Unreadable]:
    """The alerts in decoded JSON, never empty. An array is read by its elements, unless no source knows any of them."""
    if not isinstance(body, list) or not 0 < len(body) <= MOST_ELEMENTS:
        return _read_one(body)
    found = [alert for element in body for alert in _read_one(element)]
    return found if any(not isinstance(alert, Unreadable) for alert in found) else [Unreadable(body)]


def _read_one(body: object) -> list[Alert | Ignored | Unreadable]:
    for source in SOURCES:
        if source.claims(body):
            return [*source.parse(body)]
    return [Unreadable(body)]


def decoded(content: bytes) -> object:
    """A body's JSON; its text when it is none."""
    try:
        body: object = json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")
    return body
