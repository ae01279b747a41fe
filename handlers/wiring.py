"""The only place that picks concrete clients, stores and the ticket target. Everything is made when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

from handlers.settings import Settings

if TYPE_CHECKING:
    from handlers.alert_queue import AlertQueue
    from handlers.azure import Azure
    from handlers.documents import Documents
    from handlers.incidents import Incidents
    from handlers.pacing import Rush
    from handlers.storage import Storage
    from handlers.storms import Storms
    from handlers.tickets.posting import Tickets
    from handlers.vault_marks import VaultMarks


@dataclass(frozen=True, slots=True)
class Tools:
    """What a story works with. Tests pass their own."""

    settings: Settings
    azure: Azure
    tickets: Tickets
    queue: AlertQueue
    incidents: Incidents
    documents: Documents
    marks: VaultMarks
    storms: Storms
    rush: Rush
    now: Callable[[], datetime]


@cache
def settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def storage() -> Storage:
    from handlers.storage import Storage

    return Storage()


@cache
def queue() -> AlertQueue:
    from handlers.alert_queue import AlertQueue

    return AlertQueue(storage())


@cache
def tools() -> Tools:
    """The real ones, once per process."""
    import requests

    from handlers.azure import Azure
    from handlers.documents import Documents
    from handlers.incidents import Incidents
    from handlers.pacing import Rush
    from handlers.storms import Storms
    from handlers.tickets.gate import Gate
    from handlers.tickets.posting import Tickets
    from handlers.tickets.webhook import Webhook
    from handlers.vault_marks import VaultMarks

    def now() -> datetime:
        return datetime.now(UTC)

    chosen = settings()
    return Tools(
        settings=chosen,
        azure=Azure(chosen),
        tickets=Tickets(Webhook(chosen, requests.Session(), now), Gate(monotonic), now),
        queue=queue(),
        incidents=Incidents(storage()),
        documents=Documents(storage()),
        marks=VaultMarks(storage()),
        storms=Storms(storage(), chosen.storm_threshold, chosen.storm_window_minutes),
        rush=Rush(),
        now=now,
    )
