"""The values of facts about the vault itself: its settings, its key, how full it is; and snapshots that others took."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from handlers.model.facts import DiskKey, KeyState, KeyVault
from handlers.model.ids import time_text


class VaultSettings(Struct, frozen=True):
    """A Recovery Services vault: the key that encrypts it, where that is the customer's, and the identity that uses the key."""

    key_url: str = ""
    """Empty where Azure's own keys encrypt the vault."""
    identity: str = ""
    """The object id of the identity that uses the key."""
    tenant_id: str = ""
    """The tenant that the vault's own identity was made in; empty when it has none."""

    def __str__(self) -> str:
        named = (("tenant", self.tenant_id), ("identity", self.identity), ("key", self.key_url))
        return ", ".join(f"{name} {value}" for name, value in named if value)


class VaultKey(Struct, frozen=True):
    """The customer's key that encrypts the vault: the key vault that holds it, its state, and the identity that uses it."""

    disk_key: DiskKey
    key_vault: KeyVault
    key: KeyState | None = None
    identity: str = ""
    """An object id. Empty when the vault does not say which identity uses the key."""

    @property
    def is_granted(self) -> bool:
        """The identity itself holds the rights."""
        return self.identity in self.key_vault.holders

    def __str__(self) -> str:
        return f"{self.key_vault.name}/{self.disk_key.name}: {self._state}"

    @property
    def _state(self) -> str:
        rights = "" if self.is_granted or self.key_vault.unread else "wrapKey/unwrapKey: missing"
        return self.key_vault.unreachable or ", ".join(part for part in (str(self.key or ""), rights) if part)


class VaultUsage(Struct, frozen=True):
    """How many VMs, and how many data sources of any kind, the vault protects; None for a count that Azure does not show."""

    vms: int | None = None
    items: int | None = None

    def __str__(self) -> str:
        return f"{'?' if self.vms is None else self.vms} VM, {'?' if self.items is None else self.items}"


class DiskSnapshot(Struct, frozen=True):
    """A snapshot of one of the VM's disks that is no restore point of Azure Backup."""

    name: str
    disk_id: str
    created_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.name} {time_text(self.created_at)}".strip()
