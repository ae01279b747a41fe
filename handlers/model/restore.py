"""What a failed restore was told to do, and what it found at its target: the facts that only restores need."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from handlers.model.ids import ResourceId, time_text


class RestoreRequest(Struct, frozen=True):
    """What the details of a restore job say of it: each part is empty when they do not."""

    kind: str = ""
    """`Recover disks` and others."""
    point_at: datetime | None = None
    storage_account: str = ""
    group: str = ""
    """The resource group that is restored into."""
    told: tuple[str, ...] = ()
    """Every value of the details."""

    def __str__(self) -> str:
        parts = (self.kind, time_text(self.point_at), self.group, self.storage_account)
        return ", ".join(part for part in parts if part)


class ChosenPoint(Struct, frozen=True):
    """The recovery point that is restored from, as the vault lists it. What Azure does not say is None or empty."""

    at: datetime
    tiers: tuple[str, ...] = ()
    """Those in which it is valid: `InstantRP` (the snapshot beside the VM), `HardenedRP` (the vault), `ArchivedRP`."""
    vm_size: str = ""
    zones: tuple[str, ...] = ()
    encrypted: bool | None = None
    """With Azure Disk Encryption."""
    managed: bool | None = None
    security: str = ""
    """`TrustedLaunch`, `ConfidentialVM`."""
    disks_left_out: int | None = None
    """Disks that were attached and not backed up."""

    @property
    def has_snapshot(self) -> bool:
        return "instantrp" in map(str.lower, self.tiers)

    @property
    def only_snapshot(self) -> bool:
        return {tier.lower() for tier in self.tiers} == {"instantrp"}

    def __str__(self) -> str:
        managed = "isManagedVirtualMachine=false" if self.managed is False else ""
        features = ("isSourceVMEncrypted" if self.encrypted else "", managed, self.security)
        left_out = f"excludedDisks={self.disks_left_out}" if self.disks_left_out else ""
        return ", ".join(part for part in (time_text(self.at), "+".join(self.tiers), self.vm_size, *features, left_out) if part)


class StorageAccount(Struct, frozen=True):
    id: str
    region: str = ""
    network: str = ""
    """`Allow` or `Deny`: what its firewall does by default."""
    public_access: str = ""
    created_at: datetime | None = None

    @property
    def is_closed(self) -> bool:
        return self.network.lower() == "deny" or self.public_access.lower() == "disabled"

    def __str__(self) -> str:
        parsed = ResourceId.parse(self.id)
        public = f"publicNetworkAccess={self.public_access}" if self.public_access.lower() == "disabled" else ""
        network = f"defaultAction={self.network}" if self.network else ""
        return ", ".join(part for part in (parsed.name if parsed else self.id, self.region, network, public) if part)


class Usage(Struct, frozen=True):
    """A quota of a region: `cores`, or the cores of a family of sizes, or disks of a kind."""

    name: str
    used: int
    limit: int

    def lacks(self, wanted: int) -> bool:
        return self.used + wanted > self.limit

    def __str__(self) -> str:
        return f"{self.name}: {self.used}/{self.limit}"


class TargetSize(Struct, frozen=True):
    """The size that the restored VM needs, as Compute offers it in the region; `offered`: whether it does at all."""

    name: str
    offered: bool = True
    family: str = ""
    cores: int | None = None
    barred: bool = False
    """In the whole region, for this subscription."""
    barred_zones: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    """Those that the VM was pinned to."""

    def __str__(self) -> str:
        cores = f"vCPUs={self.cores}" if self.cores else ""
        barred = (
            f"restrictions={'+'.join(('Location',) * self.barred + self.barred_zones)}"
            if self.barred or self.barred_zones
            else ""
        )
        locations = "" if self.offered else "locations=–"
        return ", ".join(part for part in (self.name, self.family, cores, barred, locations) if part)


class PlanTerms(Struct, frozen=True):
    """The Marketplace plan of the VM's image, and whether its terms are accepted in the subscription."""

    publisher: str
    product: str
    name: str
    accepted: bool

    def __str__(self) -> str:
        return f"{self.publisher}:{self.product}:{self.name}, accepted={str(self.accepted).lower()}"


class NamedVm(Struct, frozen=True):
    name: str
    created_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.name} {time_text(self.created_at)}".strip()
