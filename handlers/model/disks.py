"""What belongs to a VM's disks: which of them the vault backs up, and the storage accounts of unmanaged ones."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from handlers.model.ids import time_text


class DiskSelection(Struct, frozen=True):
    """Which data disks the vault backs up: those with these LUNs (`included`), or all others."""

    included: bool = False
    luns: tuple[int, ...] = ()

    @property
    def is_set(self) -> bool:
        return self.included or bool(self.luns)

    def __str__(self) -> str:
        return f"{'include' if self.included else 'exclude'}: {', '.join(map(str, self.luns)) or '–'}" if self.is_set else ""


class StorageAccount(Struct, frozen=True):
    """A storage account that holds disks of the VM. `kind` is the provider's: `Microsoft.Storage`, `Microsoft.ClassicStorage`."""

    name: str
    id: str = ""
    kind: str = ""
    """Empty when Azure Resource Graph does not show the account."""

    @property
    def is_classic(self) -> bool:
        return self.kind.lower() == "microsoft.classicstorage"

    def __str__(self) -> str:
        return f"{self.name} ({self.kind or '?'})"


class UsedCapacity(Struct, frozen=True):
    """How much a storage account held in one hour."""

    account: str
    at: datetime
    tib: float

    def __str__(self) -> str:
        return f"{self.account}: {self.tib:g} TiB {time_text(self.at)}"
