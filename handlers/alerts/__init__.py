"""Alerts from every source, read from JSON of any shape. One module per source: `claims(body)` and `parse(body)`."""

from __future__ import annotations

from types import ModuleType

from handlers.alerts import activity_log, azure_backup, event_grid, log_search, metric, other
from handlers.model import Alert, Ignored, Unreadable

SOURCES: tuple[ModuleType, ...] = (event_grid, azure_backup, log_search, metric, activity_log, other)
"""In claiming order; `other` comes last: it claims any well-formed alert that is about something else."""


def read(body: object) -> list[Alert | Ignored | Unreadable]:
    """The alerts in a decoded JSON body, never empty. An array is read element by element."""
    bodies = body if isinstance(body, list) and body else [body]
    return [alert for element in bodies for alert in _read_one(element)]


def _read_one(body: object) -> list[Alert | Ignored | Unreadable]:
    for source in SOURCES:
        if isinstance(body, dict) and source.claims(body):
            return source.parse(body) or [Ignored("the alert holds no failed backup")]
    return [Unreadable(body)]
