"""Resource ids and times, as Azure writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct


class ResourceId(Struct, frozen=True):
    """An Azure resource id, as received in `id`, its parts beside it. Two ids are equal when `key` is equal.

    Ids come in mixed case: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """

    id: str
    subscription: str
    group: str
    name: str

    @property
    def key(self) -> str:
        return self.id.lower().rstrip("/")

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @classmethod
    def parse(cls, text: object) -> ResourceId | None:
        """The id in `text`, or None when it is not one of a resource in a resource group."""
        if not isinstance(text, str):
            return None
        match = _RESOURCE_ID.match(text.strip())
        if not match:
            return None
        parts = [part for part in match["rest"].split("/") if part]
        if len(parts) < 2 or len(parts) % 2:
            return None
        return cls(
            id=text.strip().rstrip("/"),
            subscription=match["subscription"],
            group=match["group"],
            name=parts[-1],
        )


def subscription_of(resource_id: str) -> str:
    """The subscription in a resource's id; empty when it is none."""
    found = ResourceId.parse(resource_id)
    return found.subscription.lower() if found else ""


_RESOURCE_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/[^/]+/(?P<rest>.+)",
    re.IGNORECASE,
)


def parse_time(text: object) -> datetime | None:
    """Azure's ISO 8601 times (up to 7 fraction digits, `Z` or an offset or none, then UTC); None for anything else."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip()))
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def time_text(time: datetime | None) -> str:
    """`2026-11-22 19:30 UTC`, the one form in which a time is shown."""
    return time.strftime("%Y-%m-%d %H:%M UTC") if time else ""
