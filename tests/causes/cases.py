"""Cases of decision tables: a healthy world, what a case changes in it, and the verdict that one line of the table gives.

`line` is the number of the line in the cause's documented table.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.diagnosis import catalogue
from handlers.model import (
    Activity,
    Agent,
    Availability,
    Disk,
    DiskSelection,
    Extension,
    GuestEvent,
    GuestEvents,
    Job,
    JobTask,
    Load,
    LoadHistory,
    Lock,
    OperatingSystem,
    Operation,
    Opinion,
    OutboundAccess,
    Peers,
    Reason,
    RestorePoint,
    RestorePointCollection,
    SnapshotPolicy,
    Unknown,
    VaultSettings,
    VaultUsage,
    Verdict,
    VirtualMachine,
    Window,
)
from handlers.model.recovery import Protection

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
START, END = NOW - timedelta(minutes=50), NOW - timedelta(minutes=5)
GOOD_START = START - timedelta(days=1)
FORBIDDEN, NO_LOGS = Unknown(Reason.FORBIDDEN), Unknown(Reason.NO_WORKSPACE)
CONFIRMED, POSSIBLE, UNKNOWN, RULED_OUT = Verdict.CONFIRMED, Verdict.POSSIBLE, Verdict.UNKNOWN, Verdict.RULED_OUT
VM = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-01"
GROUP = "/subscriptions/s/resourceGroups/AzureBackupRG_westeurope_1"


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def tasks(snapshot: str, transfer: str = "Skipped") -> tuple[JobTask, ...]:
    return (JobTask("Take Snapshot", snapshot), JobTask("Transfer data to vault", transfer))


def job(began: datetime, ended: datetime | None, status: str = "Completed", snapshot: str = "Completed",
        transfer: str = "Completed", **more: Any) -> Job:  # fmt: skip
    values: dict[str, Any] = {"id": f"{began:%d%H%M}", "status": status, "operation": "Backup", "started_at": began, "ended_at": ended,
                              "tasks": tasks(snapshot, transfer), "scheduled": True}  # fmt: skip
    return Job(**values | more)


FAILED = job(START, END, "Failed", "Failed", "Skipped", id="failed")
SNAPPED = replace(FAILED, tasks=tasks("Completed", "Failed"))
WITHOUT_TASKS = replace(FAILED, tasks=())
GOOD = job(GOOD_START, GOOD_START + timedelta(hours=1), id="good")
READY = Agent(True, "Ready", "2.13.1.1", reported_at=ago(minutes=1))
READY_THEN = replace(READY, reported_at=ago(minutes=10))
SILENT = Agent(False, "Not Ready", reported_at=NOW)
STALE = replace(READY, reported_at=ago(hours=3))
BACKUP = Extension("VMSnapshot", "Microsoft.Azure.RecoveryServices.VMSnapshot", state="succeeded")
OTHER = Extension("Monitor", "Microsoft.Azure.Monitor.Agent", state="succeeded")
LOCK = Lock(f"{GROUP}/providers/Microsoft.Authorization/locks/keep", "keep", "CanNotDelete", GROUP, created_at=ago(days=400))
STANDARD = SnapshotPolicy("p", "V1", 2, 1)
ENHANCED = SnapshotPolicy("p", "V2", 7, 6)
AGENTLESS = replace(ENHANCED, consistency="OnlyCrashConsistent")


def collection(count: int, *, days_apart: float = 0.1, state: str = "Succeeded") -> RestorePointCollection:
    points = tuple(
        RestorePoint(f"p{i}", ago(days=days_apart * i, hours=1), state if i == 0 else "Succeeded") for i in range(count)
    )
    return RestorePointCollection(f"{GROUP}/providers/Microsoft.Compute/restorePointCollections/c", "c", "g", "Succeeded", points)


def done(operation: str, at: datetime, *, resource: str = VM, status: str = "Succeeded", by_backup: bool = False) -> Operation:
    return Operation(operation, at, resource, "ops@contoso.example", status, by_backup)


def log(*operations: Operation, since: datetime | None = None) -> Activity:
    return Activity(since or ago(days=3), tuple(sorted(operations, key=lambda entry: entry.at, reverse=True)))


def events(*found: GuestEvent, channels: tuple[str, ...] = ("system", "application")) -> GuestEvents:
    return GuestEvents(found, channels, ago(days=2))


def minutes(since: datetime, until: datetime, **values: Any) -> tuple[Load, ...]:
    """A value for each minute: `cpu`, `memory_free`, `iops`."""
    idle: dict[str, Any] = {"cpu": 10, "memory_free": 60, "iops": 5}
    return tuple(Load(since + timedelta(minutes=n), **idle | values) for n in range((until - since) // timedelta(minutes=1)))


def load(good: Any = None, **values: Any) -> LoadHistory:
    """The same load all through the job."""
    return LoadHistory(minutes(START, END, **values), timedelta(minutes=1), good)


OS_DISK = Disk("os", "/d", size_gib=128, sku="Premium_LRS", provisioning="Succeeded", status="succeeded", status_at=ago(days=30))
WINDOW: dict[str, Any] = {
    "job": FAILED, "last_good": GOOD, "consistency": "AppConsistent", "activity": log(), "category": "agent",
    "availability": (Availability("Available", ago(days=20)),), "beats": NO_LOGS, "policy": STANDARD, "power_state": "running",
    "vm": VirtualMachine(VM, "vm-01", "westeurope", None, "Succeeded", created_at=ago(days=90), status="succeeded", status_at=ago(days=30)),
}  # fmt: skip
FACTS: dict[str, Any] = {
    "agent": READY, "agent_provisioned": True, "extensions": (BACKUP,), "extensions_allowed": True, "extension_names": (),
    "guest_events": events(), "heartbeats": NO_LOGS, "free_space": NO_LOGS, "vm_presence": "present",
    "vm_availability": WINDOW["availability"], "service_issues": (), "peers": Peers(3, 0), "recent_backup_jobs": (GOOD,),
    "overlapping_backup_jobs": (), "unread_vaults": (), "snapshot_policy": STANDARD, "restore_point_group_locks": (),
    "lock_changes": log(since=START), "restore_point_collections": (collection(2, days_apart=1),), "restore_point_activity": log(since=ago(days=61)),
    "outbound_access": OutboundAccess(()), "disks": (OS_DISK,), "disk_keys": (), "key_vaults": (),
    "encryption_sets": (), "members": {}, "vm": WINDOW["vm"], "backup_principal": "backup", "certificate_names": (),
    "disk_snapshots": (), "other_operations": (), "policy_denials": log(), "protection": Protection("Protected"), "restore_point_deletions": log(),
    "snapshot_activity": log(), "storage_account_locks": (), "subscription_tenant": "home", "unmanaged_disks": (), "vault_activity": log(),
    "vault_key": None, "vault_region": "westeurope", "vault_settings": VaultSettings(tenant_id="home"), "vault_usage": VaultUsage(12, 12),
    "patch_assessment": Unknown(Reason.NO_DATA), "attached_disks": (OS_DISK,), "disk_activity": log(), "vm_locks": (),
    "operating_system": OperatingSystem("ubuntu", "24.04", "Canonical ubuntu-24_04-lts server"),
    "disk_selection": DiskSelection(), "storage_accounts": (), "used_capacity": Unknown(Reason.NO_DATA), "recovery_points": (),
    "vm_load": load(),
}  # fmt: skip
SHARED = {"agent": "agent", "extensions": "extensions", "snapshot_policy": "policy", "heartbeats": "beats", "vm": "vm",
          "vm_availability": "availability"}  # fmt: skip
"""Facts that the window is made of too, and what it calls them."""


@dataclass(frozen=True)
class Case:
    """`when` changes fields of the window, `facts` other facts of the healthy world."""

    cause: str
    line: int
    verdict: Verdict
    about: str
    when: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.cause}, line {self.line}: {self.about}"


class Table:
    """The cases of one cause: `case(line, verdict, about, when, **facts)`."""

    def __init__(self, cause: str, base: Mapping[str, Any] | None = None) -> None:
        self.cause, self.base, self.cases = cause, base or {}, list[Case]()

    def __call__(self, line: int, verdict: Verdict, about: str, when: Mapping[str, Any] | None = None, **facts: Any) -> None:
        self.cases.append(Case(self.cause, line, verdict, about, {**self.base, **(when or {})}, facts))


def window_of(when: Mapping[str, Any], facts: Mapping[str, Any]) -> Window:
    shared = {name: facts[fact] for fact, name in SHARED.items() if fact in facts}
    values = {**WINDOW, "agent": facts["agent"], "extensions": facts["extensions"], **shared, **when}
    times = {"start": START, "end": END, "now": NOW, **{k: values.pop(k) for k in ("start", "end", "now") if k in values}}
    return Window(**times, **values)


def values_of(case: Case) -> dict[str, Any]:
    """What the check of a case is called with."""
    facts = {**FACTS, **case.facts}
    window = window_of(case.when, facts)
    return {**facts, "window": window, "attempt": window, "power_state": case.when.get("power_state", "running")}


def opinion_of(case: Case, **changed: Any) -> Opinion:
    """What the check says, as the runner asks it: an unread fact that it cannot do without is unknown."""
    cause, values = catalogue.cause(case.cause), {**values_of(case), **changed}
    for name in cause.facts:
        if isinstance(value := values.setdefault(name, FORBIDDEN), Unknown) and name not in cause.optional:
            return Opinion(Verdict.UNKNOWN, {}, value)
    return cause.check(**{name: values[name] for name in cause.facts})


def stop(at: datetime, word: str = "stopped", channel: str = "System") -> GuestEvent:
    return GuestEvent(at, channel, 7036, word)
