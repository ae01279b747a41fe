"""What was changed in Azure: as its logs show it, and as the ticket lists it. No change is a verdict: it makes causes likely."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from handlers.model.ids import time_text
from handlers.model.words import Unknown


class PropertyChange(Struct, frozen=True):
    """One property of a resource: its path, and its value before and after; empty where Azure shows none."""

    path: str
    before: str = ""
    after: str = ""


class ResourceChange(Struct, frozen=True):
    """A change record of Azure Resource Graph. `operation` is `create`, `update` or `delete`; only an update shows properties."""

    at: datetime
    resource_id: str
    type: str
    """In lower case: `microsoft.network/networksecuritygroups`."""
    operation: str
    who: str = ""
    properties: tuple[PropertyChange, ...] = ()

    def __str__(self) -> str:
        return f"{time_text(self.at)} {self.operation} {self.resource_id.rpartition('/')[2]}"


class ResourceChanges(Struct, frozen=True):
    """The change records since a time, of the VM and of what it needs. `network_unread`: why it is not known which network is its own."""

    since: datetime
    changes: tuple[ResourceChange, ...] = ()
    network_unread: Unknown | None = None

    def __str__(self) -> str:
        return f"{time_text(self.since)} …: {'; '.join(map(str, self.changes[:5])) or 0}"


class AzureChange(Struct, frozen=True):
    """A change as the list shows it. `kind` has its sentence in `templates/<language>/words.toml`; `who`, `name` and values are hostile."""

    at: datetime
    kind: str
    resource_id: str
    name: str
    scope: str = ""
    """Of a lock, an assignment or a denial: what it applies to."""
    who: str = ""
    properties: tuple[PropertyChange, ...] = ()
    makes_likely: tuple[str, ...] = ()
    """Ids of causes, the likeliest first."""


class ChangeList(Struct, frozen=True):
    """What was changed after `since` and until `until`, the newest first."""

    since: datetime
    until: datetime
    changes: tuple[AzureChange, ...] = ()
    left_out: int = 0
    """How many more there were, which make less likely than those that are shown."""
    good_at: datetime | None = None
    """When the last good backup began; None when there is none, or it is not known."""
    good_unread: Unknown | None = None
    unread: tuple[tuple[str, Unknown], ...] = ()
    """Which facts could not be read, and why: what they would show is missing here."""

    @property
    def reaches_back(self) -> bool:
        """Whether it holds everything since the last good backup."""
        return self.good_at is not None and self.since <= self.good_at


class ToldChange(Struct, frozen=True):
    """A change in the words of a language, as the ticket event carries it."""

    at: datetime
    who: str
    """Empty when it is not known, or not to be told."""
    what: str
    resource_id: str
    makes_likely: tuple[str, ...]
