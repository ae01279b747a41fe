"""The values of facts: what was read about the VM, its vault and its surroundings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from handlers.model.ids import time_text
from handlers.model.schedule import Schedule
from handlers.model.words import Os, Unknown

FRESH = timedelta(minutes=15)
"""How old an agent's report may be, and how far from the job's end a reading may lie to speak for it. A project threshold."""
BACKUP_SERVICE_APP = "262044b1-e2ce-469f-a196-69ab7ada62d3"
"""The application id of the Backup Management Service. https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption"""


class VirtualMachine(Struct, frozen=True):
    """The VM's model, as far as it matters here. https://learn.microsoft.com/rest/api/compute/virtual-machines/get"""

    id: str
    name: str
    location: str
    os: Os | None
    provisioning_state: str
    distribution: str = ""
    """`ubuntu`, `debian`, `rhel`, `sles`, `oracle` or empty: from the image and what the agent reports."""
    created_at: datetime | None = None
    status: str = ""
    """The instance view's ProvisioningState: `succeeded`, `updating`, `failed/…`; `status_at` is when it was set."""
    status_at: datetime | None = None
    message: str = ""
    """What Azure says about that state."""

    def __str__(self) -> str:
        return f"{self.name} ({self.provisioning_state})"


class Agent(Struct, frozen=True):
    """The guest agent as the instance view shows it. `reported_at` is when it last reported.

    On *Not Ready* that time is the reading's own and dates nothing.
    """

    ready: bool | None
    """None when Azure shows no status."""
    status: str
    version: str = ""
    """Empty when Azure says `Unknown`."""
    message: str = ""
    reported_at: datetime | None = None

    def __str__(self) -> str:
        return ", ".join(part for part in (self.status, self.version, time_text(self.reported_at)) if part)


class Extension(Struct, frozen=True):
    """A VM extension or its handler. `state` is the last part of Azure's code: `succeeded`, `failed`, `transitioning` …"""

    name: str
    handler: str
    """Publisher and type: `Microsoft.Azure.RecoveryServices.VMSnapshot`."""
    version: str = ""
    state: str = ""
    message: str = ""
    at: datetime | None = None
    """When the status was set; most statuses do not say."""

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


class Operation(Struct, frozen=True):
    """An entry of the activity log: `operation` without its provider, in lower case (`restart`, `write`, `extensions/write`)."""

    operation: str
    at: datetime
    resource: str = ""
    """The id of what it was done to, in lower case."""
    caller: str = ""
    status: str = ""
    by_backup: bool = False
    """Azure Backup itself did it."""
    resource_id: str = ""
    """The same id as Azure writes it."""

    def __str__(self) -> str:
        return f"{time_text(self.at)} {self.operation} {self.status} {self.caller}".strip()


class Activity(Struct, frozen=True):
    """What the activity log holds of a resource from `since` until it was read, newest first."""

    since: datetime
    operations: tuple[Operation, ...] = ()

    def of(self, *operations: str) -> tuple[Operation, ...]:
        return tuple(entry for entry in self.operations if entry.operation in operations)

    def __str__(self) -> str:
        shown = "; ".join(map(str, self.operations[:5]))
        return f"{time_text(self.since)} …: {shown}" if shown else ""


class Heartbeats(Struct, frozen=True):
    """The minutes with a heartbeat from the VM, from a day before the job until now. They prove the OS, not the guest agent."""

    minutes: tuple[datetime, ...]

    def __str__(self) -> str:
        return f"{len(self.minutes)}, {time_text(self.minutes[-1])}" if self.minutes else ""


class Availability(Struct, frozen=True):
    """One state of the VM in Resource Health's history, from `since` until the next one; `kind` such as `Unplanned`."""

    state: str
    since: datetime
    kind: str = ""
    title: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (time_text(self.since), self.state, self.kind, self.title) if part)


class Lock(Struct, frozen=True):
    """A management lock. `scope` is the id of what it locks: a subscription, a resource group or a resource."""

    id: str
    name: str
    level: str
    scope: str
    notes: str = ""
    created_at: datetime | None = None
    created_by: str = ""

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
        since = f", {time_text(self.created_at)}" if self.created_at else ""
        return f"{self.name} ({self.level}{since}) {self.scope}" + (f": {self.notes}" if self.notes else "")


class RestorePoint(Struct, frozen=True):
    name: str
    created_at: datetime | None = None
    state: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.state}".strip()


class RestorePointCollection(Struct, frozen=True):
    """The restore points of one VM, found by its source VM and never by name."""

    id: str
    name: str
    group: str
    state: str
    points: tuple[RestorePoint, ...] = ()

    def __str__(self) -> str:
        return f"{self.group}/{self.name}: {len(self.points)}"


class Disk(Struct, frozen=True):
    """An attached disk. `size_gib` is None when Azure does not tell, `state` such as `Attached` or `ActiveSAS`."""

    name: str
    id: str = ""
    managed: bool = True
    size_gib: int | None = None
    state: str = ""
    write_accelerated: bool = False
    ade_encrypted: bool = False
    encryption_set_id: str = ""
    lun: int | None = None
    """None for the OS disk."""
    excluded: bool = False
    """Excluded from backup by the vault's settings."""
    unread: Unknown | None = None
    """Why the disk's own resource could not be read."""

    def __str__(self) -> str:
        size = f"{self.size_gib} GiB" if self.size_gib is not None else "? GiB"
        return f"{self.name}: {size} {self.state}".strip()


class OutboundAccess(Struct, frozen=True):
    """What the VM's network says of a way to Azure Storage, Azure Backup and Entra ID on port 443, and what needs one.

    `needed_by` names what needs it: `unmanaged_disk`, `write_accelerator`, `unsupported_agent`, `workload`. Empty: nothing does,
    and the network was not read.
    """

    needed_by: tuple[str, ...]
    needs_unread: Unknown | None = None
    """Why it is not known whether something needs it."""
    denied_by: str = ""
    """The rule, route or lack of one that denies, with its security group or route table."""
    way_out: str = ""
    """What leads out: `nat_gateway`, `public_ip`, `load_balancer`, `default`, `endpoint` or a route; empty when none is known."""
    decided_by_id: str = ""
    """The id of the security group, route table or subnet that denies, or that holds the appliance's route."""
    hop: str = ""
    """An appliance or gateway in the path, whose own rules Azure does not show."""
    changes: Activity | None = None
    """The network's activity log since the job began."""
    changes_unread: Unknown | None = None

    @property
    def allowed(self) -> bool | None:
        """None when only an appliance in the path could tell."""
        if self.denied_by:
            return False
        return True if self.way_out and not self.hop else None

    @property
    def decided_by(self) -> str:
        return self.denied_by or self.hop or self.way_out

    def __str__(self) -> str:
        shown = "; ".join(part for part in (self.decided_by, ", ".join(self.needed_by)) if part)
        return shown or ("not_needed" if self.needs_unread is None else "")


class DiskKey(Struct, frozen=True):
    """A secret (BEK) or key (KEK) that disk encryption uses. `url` names its key vault and version."""

    kind: str
    """`secret` or `key`."""
    url: str
    vault_id: str

    @property
    def name(self) -> str:
        parts = self.url.split("/")
        return parts[4] if len(parts) > 4 else ""

    @property
    def version(self) -> str:
        parts = self.url.rstrip("/").split("/")
        return parts[5] if len(parts) > 5 else ""


class KeyState(Struct, frozen=True):
    """A key or secret, in the very version that a disk uses, as Azure Resource Manager shows it."""

    name: str
    kind: str
    version: str = ""
    found: bool = True
    enabled: bool = True
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    unread: Unknown | None = None

    def __str__(self) -> str:
        state = "missing" if not self.found else "enabled" if self.enabled else "disabled"
        return f"{self.kind} {self.name}: {self.unread.why if self.unread else state}"


class KeyVault(Struct, frozen=True):
    """A key vault behind disk encryption, what of it is used, and who may back up its keys and secrets.

    `holders` are the principals that hold the rights which Azure Backup needs. Whose object id is Azure Backup's is not known.
    """

    id: str
    name: str
    found: bool
    rbac: bool = False
    soft_deleted: bool = False
    deleted_at: datetime | None = None
    needs: tuple[str, ...] = ()
    """What of it is used: `secret`, `key`."""
    holders: tuple[str, ...] = ()
    holders_unread: Unknown | None = None
    keys: tuple[KeyState, ...] = ()
    firewalled: bool = False
    """Its firewall denies by default, and does not let trusted Azure services pass."""
    changes: Activity | None = None
    """The activity log of its resource group since the job began."""
    changes_unread: Unknown | None = None
    unread: Unknown | None = None
    """Why the vault could not be read, or why it is not known whether it is gone."""

    @property
    def unreachable(self) -> str:
        """Its name, and why nobody gets at what is in it; empty where nothing speaks against it."""
        state = str(self.unread.why) if self.unread else "missing" if not self.found else "firewalled" if self.firewalled else ""
        return f"{self.name}: {state}" if state else ""

    @property
    def broken_keys(self) -> tuple[str, ...]:
        """Keys or secrets that are missing or disabled."""
        return tuple(key.name for key in self.keys if not key.unread and not (key.found and key.enabled))

    def __str__(self) -> str:
        return f"{self.name} ({'RBAC' if self.rbac else 'access policies'}): {len(self.holders)}"


class EncryptionSet(Struct, frozen=True):
    """A disk encryption set, the key that it uses, and the key's vault, of which nobody's rights are read."""

    id: str
    found: bool = True
    disk_key: DiskKey | None = None
    key: KeyState | None = None
    vault: KeyVault | None = None
    rotation_error: str = ""
    unread: Unknown | None = None

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.name}: {self._state}"

    @property
    def _state(self) -> str:
        if not self.found:
            return "missing"
        unreachable = self.vault.unreachable if self.vault else ""
        return self.rotation_error or unreachable or str(self.key or (self.unread.why if self.unread else "–"))


class SnapshotPolicy(Struct, frozen=True):
    """The backup policy of the item. `type` is `V1` (Standard) or `V2` (Enhanced)."""

    name: str
    type: str
    snapshot_retention_days: int | None = None
    runs_a_day: int | None = None
    consistency: str = ""
    """`OnlyCrashConsistent` needs no agent: https://learn.microsoft.com/azure/backup/backup-azure-vms-agentless-multi-disk-crash-consistent"""
    schedule: Schedule | None = None
    """None when it is of a shape that is not known."""

    @property
    def explained_points(self) -> int | None:
        """How many restore points the schedule itself makes, with 3 to spare for the clean-up; None when it cannot be told."""
        if self.runs_a_day is None or self.snapshot_retention_days is None:
            return None
        return self.runs_a_day * self.snapshot_retention_days + 3

    def __str__(self) -> str:
        return f"{self.name} ({self.type}), {self.snapshot_retention_days or '?'} d"


class GuestEvent(Struct, frozen=True):
    """One row of a guest's event log or syslog that speaks of the agent or the backup extension."""

    at: datetime
    channel: str
    number: int = 0
    text: str = ""
    """What matters of its text: a faulting module, `stopped`, `running`."""

    def __str__(self) -> str:
        return f"{time_text(self.at)} {self.channel} {self.number or ''} {self.text}".strip()


class GuestEvents(Struct, frozen=True):
    """What the guest sends to Log Analytics: events since the last good backup, and the channels that arrive there at all."""

    events: tuple[GuestEvent, ...] = ()
    channels: tuple[str, ...] = ()
    """Event logs, or syslog facilities, with a row within seven days, in lower case."""
    since: datetime | None = None
    """How far back `events` reach."""

    def collects(self, channel: str) -> bool:
        return channel.lower() in self.channels

    def __str__(self) -> str:
        return "; ".join(map(str, self.events[:10]))


class FreeSpace(Struct, frozen=True):
    """The least free space of a mount in five minutes."""

    mount: str
    at: datetime
    percent: float | None = None
    gib: float | None = None

    def __str__(self) -> str:
        free = f"{self.percent:g} %" if self.percent is not None else f"{self.gib:g} GiB"
        return f"{self.mount} {free} {time_text(self.at)}"


class ServiceIssue(Struct, frozen=True):
    """A service problem that Azure published for the VM's region, from Resource Health."""

    title: str
    status: str
    since: datetime | None = None
    tracking_id: str = ""
    until: datetime | None = None
    names_us: bool | None = None
    """Whether its list of impacted resources holds the VM or the vault; None when the list could not be read."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.tracking_id, self.title, self.status, time_text(self.since)) if part)


class Peers(Struct, frozen=True):
    """The backups of the vault's other items that ran at that time: how many completed, how many failed."""

    completed: int
    failed: int

    def __str__(self) -> str:
        return f"+{self.completed} −{self.failed}"


class Reading(Struct, frozen=True):
    """A fact as read: its value or `Unknown`, where it was read, and when."""

    value: Any
    source: str
    read_at: datetime
