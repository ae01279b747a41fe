"""Which alerts are about subscriptions that the app watches."""

from __future__ import annotations

from collections.abc import Collection

from handlers.model import Alert, Ignored, ResourceId, Unreadable


def watched(alert: Alert | Ignored | Unreadable, subscriptions: Collection[str]) -> Alert | Ignored | Unreadable:
    """The alert, unless it is about a subscription that is none of those (lower case); all are watched when none is named."""
    if not isinstance(alert, Alert) or not subscriptions:
        return alert
    ids = [ResourceId.parse(text) for text in (alert.vault_id, alert.item_id, alert.vm_id)]
    named = {resource.subscription.lower() for resource in ids if resource}
    if named and named.isdisjoint(subscriptions):
        return Ignored(f"subscription {sorted(named)[0]} is not in WATCHED_SUBSCRIPTIONS")
    return alert
