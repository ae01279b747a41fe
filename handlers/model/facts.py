"""The values of facts: what was read about the VM, its vault and its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handlers.model.ids import time_text
from handlers.model.words import Os

FRESH = timedelta(minutes=15)
"""How old an agent's report may be, and how far from the job's end a reading may lie to speak for it. A project threshold."""


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """The VM's model, as far as it matters here. https://learn.microsoft.com/rest/api/compute/virtual-machines/get"""

    id: str
    name: str
    location: str
    os: Os | None
    provisioning_state: str
    distribution: str = ""
    """`ubuntu`, `debian`, `rhel`, `sles`, `oracle` or empty: from the image and what the agent reports."""
    restarted_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.provisioning_state})"


@dataclass(frozen=True, slots=True)
class Agent:
    """The guest agent as the instance view shows it. `reported_at` is when it last reported."""

    ready: bool
    status: str
    version: str = ""
    """Empty when Azure says `Unknown`."""
    message: str = ""
    reported_at: datetime | None = None

    def __str__(self) -> str:
        return ", ".join(part for part in (self.status, self.version, time_text(self.reported_at)) if part)


@dataclass(frozen=True, slots=True)
class Extension:
    """A VM extension or its handler. `state` is the last part of Azure's code: `succeeded`, `failed`, `transitioning` …"""

    name: str
    handler: str
    """Publisher and type: `Microsoft.Azure.RecoveryServices.VMSnapshot`."""
    version: str = ""
    state: str = ""
    message: str = ""
    at: datetime | None = None

    @property
    def is_backup(self) -> bool:
        return self.handler.lower().endswith((".vmsnapshot", ".vmsnapshotlinux"))

    @property
    def failed(self) -> bool:
        return self.state.startswith("failed")

    @property
    def changing(self) -> bool:
        return self.state in ("transitioning", "creating", "updating", "deleting", "installing", "uninstalling")

    def __str__(self) -> str:
        shown = f"{self.name} {self.version}".strip()
        return f"{shown}: {self.state}" + (f": {self.message}" if self.message else "")


@dataclass(frozen=True, slots=True)
class PowerOperation:
    """A start, restart, power-off or deallocate of the VM through Azure, from the activity log."""

    operation: str
    at: datetime
    caller: str = ""
    status: str = ""

    def __str__(self) -> str:
        return f"{time_text(self.at)} {self.operation} {self.status} {self.caller}".strip()


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Heartbeat rows of the VM in Log Analytics around the job. They prove the OS, not the guest agent."""

    count: int
    longest_gap_minutes: int
    last_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.count}, max gap {self.longest_gap_minutes} min"


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock. `scope` is the id of what it locks: a subscription, a resource group or a resource."""

    id: str
    name: str
    level: str
    scope: str
    notes: str = ""

    def covers(self, resource_id: str) -> bool:
        """Whether the lock applies to the resource: locks are inherited downwards."""
        scope, resource = self.scope.lower().rstrip("/"), resource_id.lower().rstrip("/")
        return resource == scope or resource.startswith(scope + "/")

    @property
    def scope_kind(self) -> str:
        """`subscription`, `resource_group` or `resource`."""
        parts = self.scope.strip("/").split("/")
        return "subscription" if len(parts) == 2 else "resource_group" if len(parts) == 4 else "resource"

    @property
    def group(self) -> str:
        parts = self.scope.strip("/").split("/")
        return parts[3] if len(parts) >= 4 else ""

    def __str__(self) -> str:
        return f"{self.name} ({self.level}) {self.scope}" + (f": {self.notes}" if self.notes else "")


@dataclass(frozen=True, slots=True)
class RestorePoint:
    name: str
    created_at: datetime | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class RestorePointCollection:
    """The restore points of one VM, found by its source VM and never by name."""

    id: str
    name: str
    group: str
    state: str
    points: tuple[RestorePoint, ...] = ()

    def __str__(self) -> str:
        return f"{self.group}/{self.name}: {len(self.points)}"


@dataclass(frozen=True, slots=True)
class Disk:
    """An attached disk. `size_gib` is None when Azure does not tell, `state` such as `Attached` or `ActiveSAS`."""

    name: str
    id: str = ""
    managed: bool = True
    size_gib: int | None = None
    state: str = ""
    write_accelerated: bool = False
    ade_encrypted: bool = False
    encryption_set_id: str = ""

    def __str__(self) -> str:
        size = f"{self.size_gib} GiB" if self.size_gib is not None else "? GiB"
        return f"{self.name}: {size} {self.state}".strip()


@dataclass(frozen=True, slots=True)
class OutboundAccess:
    """Whether the VM's network lets it reach Azure Storage and Azure Backup on port 443, and whether backup needs it.

    `needed_by` names what needs it: `unmanaged_disk`, `write_accelerator`, `unsupported_agent`, `workload`. Empty: nothing
    does, and the network was not read. `allowed` is None when only an appliance in the path could tell.
    """

    needed_by: tuple[str, ...]
    allowed: bool | None = None
    decided_by: str = ""
    """The rule or route that decides, with its security group or route table."""

    def __str__(self) -> str:
        return "; ".join(part for part in (self.decided_by, ", ".join(self.needed_by)) if part)


@dataclass(frozen=True, slots=True)
class DiskKey:
    """A secret (BEK) or key (KEK) that Azure Disk Encryption uses. `url` names its key vault and version."""

    kind: str
    """`secret` or `key`."""
    url: str
    vault_id: str

    @property
    def name(self) -> str:
        parts = self.url.split("/")
        return parts[4] if len(parts) > 4 else ""


@dataclass(frozen=True, slots=True)
class KeyVault:
    """A key vault behind disk encryption, and who may back up its keys and secrets.

    `holders` are the principals that hold the rights which Azure Backup needs; `backup_service_holds` is True or False when
    the object id of the Backup Management Service is known, else None.
    """

    id: str
    name: str
    found: bool
    rbac: bool = False
    soft_deleted: bool = False
    needs: tuple[str, ...] = ()
    """What of it is used: `secret`, `key`."""
    holders: tuple[str, ...] = ()
    broken_keys: tuple[str, ...] = ()
    """Keys or secrets that are missing or disabled."""

    def __str__(self) -> str:
        return f"{self.name} ({'RBAC' if self.rbac else 'access policies'}): {len(self.holders)}"


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """The backup policy of the item. `type` is `V1` (Standard) or `V2` (Enhanced)."""

    name: str
    type: str
    snapshot_retention_days: int | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.type}), {self.snapshot_retention_days or '?'} d"


@dataclass(frozen=True, slots=True)
class GuestEvents:
    """Rows of the guest's event log in Log Analytics around the job. `collected`: whether that log arrives there at all."""

    collected: bool
    matches: tuple[str, ...] = ()

    def __str__(self) -> str:
        return str(len(self.matches))


@dataclass(frozen=True, slots=True)
class ServiceIssue:
    """An Azure service problem or a platform problem of the VM, from Resource Health."""

    title: str
    status: str
    since: datetime | None = None
    tracking_id: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.tracking_id, self.title, self.status, time_text(self.since)) if part)


@dataclass(frozen=True, slots=True)
class Reading:
    """A fact as read: its value or `Unknown`, where it was read, and when."""

    value: Any
    source: str
    read_at: datetime
