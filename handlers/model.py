"""The nouns of the program: frozen values without I/O and without Azure types.

Times are timezone-aware UTC. Sizes carry their unit in the name. A value that could not be read is `Unknown`, never empty.
`str()` of a fact's value is its short form for a responder's eyes; it holds Azure's own words and ids only, no language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What the evidence says about a cause. The order of the members is the order on the runbook."""

    CONFIRMED = "confirmed"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    RULED_OUT = "ruled_out"


class Os(StrEnum):
    WINDOWS = "Windows"
    LINUX = "Linux"


class Reason(StrEnum):
    """Why something is unknown. Each has its sentence in `templates/<language>/words.toml`."""

    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    THROTTLED = "throttled"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    NO_WORKSPACE = "no_workspace"
    NO_DATA = "no_data"
    NOT_NAMED = "not_named"
    GUEST_ONLY = "guest_only"
    NEVER_READ = "never_read"
    VM_NOT_RUNNING = "vm_not_running"
    AGENT_NOT_READY = "agent_not_ready"
    CHECK_BROKE = "check_broke"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read, and why. `detail` is a missing RBAC action, a status or a short message."""

    why: Reason
    detail: str = ""


# ---------------------------------------------------------------------------------------------- ids and times


@dataclass(frozen=True, slots=True)
class ResourceId:
    """An Azure resource id, as received in `id`, its parts beside it. Two ids are equal when `key` is equal.

    Ids come in mixed case: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """

    id: str
    subscription: str
    group: str
    provider_type: str
    """`Microsoft.Compute/virtualMachines`, for a child `Microsoft.Compute/virtualMachines/extensions`."""
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
            provider_type="/".join([match["provider"], *parts[0::2]]),
            name=parts[-1],
        )


_RESOURCE_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<provider>[^/]+)/(?P<rest>.+)",
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


# --------------------------------------------------------------------------------------- alert, job, error, failure


@dataclass(frozen=True, slots=True)
class Alert:
    """What a source sent, parsed. Every field may be empty: alerts differ in what they carry."""

    source: str
    """`azure_backup`, `log_search`, `metric`, `activity_log` or `event_grid`."""
    id: str = ""
    fired: bool = True
    """False for `Resolved`."""
    fired_at: datetime | None = None
    rule: str = ""
    severity: str = ""
    """`Sev0` … `Sev4`; empty when the alert does not say."""
    message: str = ""
    """The error as Azure said it, in the alert."""
    error_code: str = ""
    """As spelled in the alert (link, dimension, status); not yet looked up in the catalogue."""
    job_id: str = ""
    item_id: str = ""
    """Full id of the protected item, when the alert names it."""
    item_name: str = ""
    vault_id: str = ""
    vm_id: str = ""
    workload: str = ""
    """`AzureIaasVM`, `SQLDataBase`, `SAPHanaDatabase`, `AzureFileShare` …; empty when unknown."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed alert about something else, and why it is none of ours."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """JSON that no source claims: it becomes a ticket for a person. `body` is the JSON as received."""

    body: Any


@dataclass(frozen=True, slots=True)
class JobError:
    """One entry of a job's `errorDetails`. `number` is Azure's integer code, 0 when absent."""

    number: int = 0
    title: str = ""
    message: str = ""
    recommendations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobTask:
    """One entry of a job's task list, such as `Take Snapshot` or `Transfer data to vault`."""

    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Job:
    """One backup run in the vault, from the job API or from Log Analytics."""

    id: str
    status: str = ""
    operation: str = ""
    item_name: str = ""
    container: str = ""
    """`iaasvmcontainerv2;<group>;<vm>`, lower case; empty when the job does not say."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    activity_id: str = ""
    scheduled: bool | None = None
    error_code: str = ""
    """The string code (`JobFailureCode`), which only Log Analytics has."""
    errors: tuple[JobError, ...] = ()
    detailed_message: str = ""
    tasks: tuple[JobTask, ...] = ()

    @property
    def running(self) -> bool:
        return self.status.lower() in ("inprogress", "cancelling")

    def __str__(self) -> str:
        ended = time_text(self.ended_at) or "…"
        return f"{self.id} {self.operation} {self.status} {time_text(self.started_at)} – {ended}"


@dataclass(frozen=True, slots=True)
class Error:
    """The classified error of a failure. `code` is spelled as in the catalogue, or as Azure sent it when unknown."""

    code: str
    number: int = 0
    message: str = ""
    category: str = "unknown"
    transient: str = "maybe"
    """`yes` clears by itself, `no` needs a fix, `maybe`."""
    matched_by: str = "none"
    """`job`, `alert`, `log`, `message` or `none`."""
    in_catalogue: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed backup of one protected item: everything that the alert and the job told about it."""

    alert: Alert
    job: Job | None
    failed_at: datetime
    """The end of the job, or the time of the alert when no job could be read."""
    vault: ResourceId | None = None
    item: ResourceId | None = None
    item_name: str = ""
    vm: ResourceId | None = None
    workload: str = ""

    @classmethod
    def of(cls, alert: Alert, job: Job | None, now: datetime) -> Failure:
        """What the alert and its job say together."""
        item, vault, vm = (ResourceId.parse(text) for text in (alert.item_id, alert.vault_id, alert.vm_id))
        if vault is None and item:
            vault = ResourceId.parse(re.split("/backupFabrics/", item.id, flags=re.IGNORECASE)[0])
        return cls(
            alert=alert,
            job=job,
            failed_at=(job and (job.ended_at or job.started_at)) or alert.fired_at or now,
            vault=vault,
            item=item,
            item_name=alert.item_name or (job.item_name if job else "") or (vm.name if vm else ""),
            vm=vm,
            workload=alert.workload or "AzureIaasVM",
        )

    @property
    def key(self) -> str:
        """What makes two failures failures of the same thing: the protected item, else its VM, else what the alert names."""
        if self.item:
            return self.item.key
        alert = self.alert
        return self.vm.key if self.vm else f"{alert.vault_id}|{alert.item_name}|{alert.job_id or alert.id}".lower()


# ------------------------------------------------------------------------------------------------------- facts


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
        return self.decided_by or ", ".join(self.needed_by)


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


# -------------------------------------------------------------------------------------------- opinion and finding


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a check says: a verdict and the values that led to it, by the name of their fact."""

    verdict: Verdict
    evidence: Mapping[str, Any] = field(default_factory=dict)
    why: Unknown | None = None
    """Why it is unknown; None for the other verdicts."""


def confirmed(**evidence: Any) -> Opinion:
    return Opinion(Verdict.CONFIRMED, evidence)


def possible(**evidence: Any) -> Opinion:
    return Opinion(Verdict.POSSIBLE, evidence)


def ruled_out(**evidence: Any) -> Opinion:
    return Opinion(Verdict.RULED_OUT, evidence)


def unknown(why: Reason, detail: str = "", **evidence: Any) -> Opinion:
    return Opinion(Verdict.UNKNOWN, evidence, Unknown(why, detail))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One value behind a verdict: which fact, its value (text, number, bool, None or a list of these), where and when read."""

    fact: str
    value: Any
    source: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    cause: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    why: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings ordered by verdict, then by the order in which Microsoft documents the causes."""

    failure: Failure
    error: Error
    findings: tuple[Finding, ...]
    readings: Mapping[str, Reading]
    os: Os | None = None


# ------------------------------------------------------------------------------------------------------- runbook


@dataclass(frozen=True, slots=True)
class Command:
    """One command line, pre-filled. `role` is `look`, `act` or `undo`, `effect` is `reads`, `changes` or `deletes`."""

    action: str
    role: str
    shell: str
    """`bash` or `powershell`."""
    run: str
    """`operator` (the responder's own shell) or `guest` (inside the VM)."""
    effect: str
    line: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a remediation: its text without the commands, and the commands."""

    text: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Runbook:
    """The rendered page. `steps` and `titles` are by cause id; `markdown` is the source of `html`."""

    language: str
    title: str
    markdown: str
    html: str
    titles: Mapping[str, str]
    steps: Mapping[str, tuple[Step, ...]]
    error_title: str = ""


FRESH = timedelta(minutes=15)
"""How old an agent's report may be, and how far from the job's end a reading may lie to speak for it. A project threshold."""
