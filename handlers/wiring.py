"""The only place that picks concrete clients, stores and the ticket target. Everything is made when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from handlers.settings import Settings

if TYPE_CHECKING:
    from handlers.azure import Azure
    from handlers.storage import AlertQueue
    from handlers.tickets.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Tools:
    """What a story works with. Tests pass their own."""

    settings: Settings
    azure: Azure
    tickets: Webhook
    queue: AlertQueue
    now: Callable[[], datetime]


@cache
def settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def queue() -> AlertQueue:
    from handlers.storage import AlertQueue

    return AlertQueue()


@cache
def tools() -> Tools:
    """The real ones, once per process."""
    import requests

    from handlers.azure import Azure
    from handlers.tickets.webhook import Webhook

    def now() -> datetime:
        return datetime.now(UTC)

    return Tools(settings(), Azure(settings()), Webhook(settings(), requests.Session(), now), queue(), now)
