"""What the tools read from: Azure as whoever is signed in sees it, and the app's own records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.cli.outcome import NOT_PERMITTED, NotDone
from handlers.cli.reading import Reading, check_sign_in
from handlers.cli.screen import NoScreen
from handlers.model import ResourceId
from handlers.records.storage import Storage
from handlers.settings import Settings

READS_A_DIAGNOSIS = 30
"""What a diagnosis reads at most (handlers/azure/read_budget.py)."""


class Sources(Struct, frozen=True):
    """`storage` is asked for when a tool needs the records; nothing is created there."""

    azure: Azure
    settings: Settings
    storage: Callable[[], Storage]

    def reading(self, language: str = "") -> Reading:
        """Raises NotDone when nobody is signed in."""
        check_sign_in(self.azure, self.settings)
        return Reading(self.azure, self.settings, NoScreen(), datetime.now(UTC), language or self.settings.runbook_language)

    def check_watched(self, subscription: str) -> None:
        """Agents stay within WATCHED_SUBSCRIPTIONS where it is set. Raises NotDone."""
        if self.settings.watched_subscriptions and subscription.lower() not in self.settings.watched_subscriptions:
            raise NotDone(f"subscription {subscription} is not one of WATCHED_SUBSCRIPTIONS", NOT_PERMITTED)

    def check_resource(self, resource_id: str) -> None:
        """The same for the subscription of an id, and whether Azure's read limit leaves room for a diagnosis. Raises NotDone."""
        resource = ResourceId.parse(resource_id)
        assert resource is not None, "its form was checked"
        self.check_watched(resource.subscription)
        if self.azure.budget.spare(resource.subscription) < READS_A_DIAGNOSIS:
            raise NotDone("Azure's limit of reads is nearly used up for this subscription: ask again in ten seconds")
