"""What an alert and its job tell about one failed backup, restore or other operation on a protected item."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from handlers.model.ids import ResourceId, time_text
from handlers.model.words import Unknown

VM_WORKLOAD = "AzureIaasVM"
WITHOUT_JOB = timedelta(hours=2)
"""How long before its alert a failure is taken to have begun when no job could be read. A project threshold."""
BACKUP, RESTORE = "backup", "restore"
OPERATIONS = {
    "backup": BACKUP,
    "restore": RESTORE,
    "crossregionrestore": RESTORE,
    "configurebackup": "configure",
    "register": "register",
    "modifypolicy": "policy",
    "updatecustomermanagedkey": "vault",
}
"""What a job calls itself, folded, by what it is on a ticket: https://learn.microsoft.com/rest/api/backup/backup-jobs/list"""


def operation_named(word: str) -> str:
    """The operation that a job's word stands for; empty for one that no ticket tells of, such as `DisableBackup`."""
    return OPERATIONS.get("".join(word.split()).lower(), "")


class Alert(Struct, frozen=True):
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
    operation: str = ""
    """What failed, as a key of `[failed]` in words.toml: `restore`, `configure` …; empty when the alert does not say."""


class Ignored(Struct, frozen=True):
    """A well-formed alert about something else, and why it is none of ours."""

    reason: str


class Unreadable(Struct, frozen=True):
    """JSON that no source claims: it becomes a ticket for a person. `body` is the JSON as received."""

    body: Any


class JobError(Struct, frozen=True):
    """One entry of a job's `errorDetails`. `number` is Azure's integer code, 0 when absent."""

    number: int = 0
    title: str = ""
    message: str = ""
    recommendations: tuple[str, ...] = ()


class JobTask(Struct, frozen=True):
    """One entry of a job's task list, such as `Take Snapshot` or `Transfer data to vault`."""

    name: str
    status: str


class Job(Struct, frozen=True):
    """One run in the vault, a backup or another operation, from the job API or from Log Analytics."""

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
    details: tuple[tuple[str, str], ...] = ()
    """What the details of a restore say of it, by Azure's own names; empty for other jobs, and without their details."""
    vault_id: str = ""
    """The vault that ran it, where it is another than the failure's."""

    @property
    def running(self) -> bool:
        return self.status.lower() in ("inprogress", "cancelling")

    @property
    def completed(self) -> bool:
        return self.status.lower() in ("completed", "completedwithwarnings")

    def completed_after(self, moment: datetime | None) -> bool:
        """Whether it has completed (perhaps with warnings) and started after the moment."""
        return bool(self.completed and self.started_at and moment and self.started_at > moment)

    @property
    def is_restore(self) -> bool:
        return operation_named(self.operation) == RESTORE

    def __str__(self) -> str:
        ended = time_text(self.ended_at) or "…"
        vault = self.vault_id.rpartition("/")[2]
        return f"{self.id} {self.operation} {self.status} {time_text(self.started_at)} – {ended} {vault}".rstrip()


class Error(Struct, frozen=True):
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


class Failure(Struct, frozen=True):
    """One failed backup, or other operation, of one protected item: everything that the alert and the job told about it."""

    alert: Alert
    job: Job | None
    failed_at: datetime
    """The end of the job, or the time of the alert when no job could be read."""
    vault: ResourceId | None = None
    item: ResourceId | None = None
    item_name: str = ""
    vm: ResourceId | None = None
    workload: str = ""
    job_unread: Unknown | None = None
    """Why the job API could not tell about the job, if it could not."""
    operation: str = ""
    """What failed: as the job says, else the alert; empty until the error code is known when neither does."""

    @classmethod
    def of(cls, alert: Alert, job: Job | None, now: datetime, job_unread: Unknown | None = None) -> Failure:
        """What the alert and its job say together."""
        item, vault, vm = (ResourceId.parse(text) for text in (alert.item_id, alert.vault_id, alert.vm_id))
        if vault is None and item:
            vault = ResourceId.parse(re.split("/backupFabrics/", item.id, flags=re.IGNORECASE)[0])
        if item is None and vm is None and vault and job:
            item, vm = _named_by(job, vault)
        return cls(
            alert=alert,
            job=job,
            failed_at=(job and (job.ended_at or job.started_at)) or alert.fired_at or now,
            vault=vault,
            item=item,
            item_name=alert.item_name or (job.item_name if job else "") or (vm.name if vm else ""),
            vm=vm,
            workload=alert.workload or VM_WORKLOAD,
            job_unread=job_unread,
            operation=operation_named(job.operation if job else "") or alert.operation,
        )

    @property
    def is_restore(self) -> bool:
        return self.operation == RESTORE

    @property
    def began_at(self) -> datetime:
        """The start of the job."""
        return self.job.started_at if self.job and self.job.started_at else self.failed_at - WITHOUT_JOB

    @property
    def container(self) -> str:
        """`iaasvmcontainerv2;<group>;<vm>` in lower case; empty when neither item nor VM is known, or it is another workload."""
        if self.item and ";iaasvmcontainerv2;" in self.item.key:
            return self.item.key.rpartition("/")[2].partition(";")[2]
        is_vm = self.vm and self.workload == VM_WORKLOAD
        return f"iaasvmcontainerv2;{self.vm.group};{self.vm.name}".lower() if self.vm and is_vm else ""

    @property
    def key(self) -> str:
        """What makes two failures failures of the same thing: the item, and what was done with it. A failed restore is none of its backup's."""
        return self._item_key if self.operation in ("", BACKUP) else f"{self._item_key}#{self.operation}"

    @property
    def _item_key(self) -> str:
        """The VM in its vault, the protected item, else what the alert names."""
        if self.vault and self.container:
            return f"{self.vault.key}/{self.container}"
        if self.item:
            return self.item.key
        alert = self.alert
        return self.vm.key if self.vm else f"{alert.vault_id}|{alert.item_name}|{alert.job_id or alert.id}".lower()


def _named_by(job: Job, vault: ResourceId) -> tuple[ResourceId | None, ResourceId | None]:
    """The protected item and the VM that a VM's job is named for; the VM is taken to be in the vault's subscription."""
    kind, _, names = job.container.partition(";")
    group, _, name = names.partition(";")
    if kind != "iaasvmcontainerv2" or not group or not name or ";" in name:
        return None, None
    shown = job.item_name if job.item_name.lower() == name else name
    item = (
        f"{vault.id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{job.container}/protectedItems/VM;{job.container}"
    )
    vm = f"/subscriptions/{vault.subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{shown}"
    return ResourceId.parse(item), ResourceId.parse(vm)
