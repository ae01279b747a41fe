"""What was changed between the last good backup and the failure, and which causes each change makes likely.

A change is never a verdict: what was changed is a place to look at first. Two tables say what makes what likely, with a weight
from 1 to 3: `RECORDS` for the change records of resources, `ACTIONS` for entries of the activity log.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from handlers.model import (
    Activity,
    AzureChange,
    ChangeList,
    Diagnosis,
    Failure,
    Job,
    Operation,
    Reading,
    ResourceChange,
    ResourceChanges,
    Unknown,
    Verdict,
)

CHANGE_FACTS = ("resource_changes", "authorization_activity")
"""What the list is made of, besides `vm_activity`, which the window needs anyway."""
TWO_WEEKS = timedelta(days=14)
MOST_SHOWN = 12
SUCCEEDED = ("", "succeeded", "success", "ok")
COMPUTE, NETWORK = "microsoft.compute", "microsoft.network"


class Rule(Struct, frozen=True):
    """A change of a resource of a type whose name, properties or new values match, and what it makes likely."""

    type: str
    thing: str
    """With `_made`, `_changed` or `_deleted` the kind of the change."""
    pattern: str = ""
    causes: Mapping[str, int] = field(default_factory=dict)
    otherwise: Mapping[str, int] = field(default_factory=dict)
    """The causes of a resource that was made or deleted, where they are others."""


RECORDS = (
    Rule(f"{COMPUTE}/virtualmachines", "vm", r"allowExtensionOperations", {"extensions_not_allowed": 3}),
    Rule(f"{COMPUTE}/virtualmachines", "vm", r"storageProfile", {"disk_too_large": 2}),
    Rule(f"{COMPUTE}/virtualmachines", "vm", r"networkProfile", {"no_outbound_access": 2}),
    Rule(f"{COMPUTE}/virtualmachines", "vm", otherwise={"vm_deleted_or_moved": 3}),
    Rule(f"{COMPUTE}/virtualmachines/extensions", "extension", r"VMSnapshot", {"backup_extension_failed": 3}),
    Rule(f"{COMPUTE}/virtualmachines/extensions", "extension", r"MDE\.|Antimalware|Antivirus", {"antivirus_blocking": 2, "other_extension_failed": 2}),
    Rule(f"{COMPUTE}/virtualmachines/extensions", "extension", "", {"other_extension_failed": 2}),
    Rule(f"{COMPUTE}/disks", "disk", r"diskSize", {"disk_too_large": 3}),
    Rule(f"{COMPUTE}/disks", "disk", r"ActiveSAS", {"disk_sas_outstanding": 3}),
    Rule(f"{COMPUTE}/disks", "disk", otherwise={"disk_too_large": 2}),
    Rule(f"{COMPUTE}/diskencryptionsets", "encryption_set", "", {"encryption_key_unreachable": 3}),
    Rule(f"{NETWORK}/networkinterfaces", "interface", "", {"no_outbound_access": 2, "dhcp_disabled": 1}),
    Rule(f"{NETWORK}/networksecuritygroups", "security_group", r"168\.63\.129\.16|AzurePlatform", {"wireserver_blocked": 3, "no_outbound_access": 2}),
    Rule(f"{NETWORK}/networksecuritygroups", "security_group", "", {"no_outbound_access": 2, "wireserver_blocked": 1}),
    Rule(f"{NETWORK}/routetables", "route_table", "", {"no_outbound_access": 2}),
    Rule(f"{NETWORK}/virtualnetworks", "network", "", {"no_outbound_access": 2}),
    Rule("microsoft.keyvault/vaults", "key_vault", r"accessPolicies|networkAcls|publicNetworkAccess|Rbac",
         {"key_vault_permissions_missing": 3, "encryption_key_unreachable": 3}),
    Rule("microsoft.keyvault/vaults", "key_vault", otherwise={"encryption_key_unreachable": 3}),
)  # fmt: skip
"""The first that fits is taken."""
OPERATIONS = {"create": "made", "update": "changed", "delete": "deleted"}

ACTIONS: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "locks/write": ("lock_made", {"restore_point_group_locked": 3}),
    "locks/delete": ("lock_deleted", {}),
    "roleassignments/write": ("role_given", {}),
    "roleassignments/delete": ("role_removed", {"key_vault_permissions_missing": 3, "encryption_key_unreachable": 3}),
    "policyassignments/write": ("policy_assigned", {"extensions_not_allowed": 3}),
    "policyassignments/delete": ("policy_unassigned", {}),
    "policies/deny": ("policy_denied", {"extensions_not_allowed": 3}),
    "deallocate": ("vm_deallocated", {}),
    "poweroff": ("vm_powered_off", {}),
    "start": ("vm_started", {}),
    "restart": ("vm_restarted", {}),
    "redeploy": ("vm_redeployed", {}),
}
"""By operation of the activity log, without its provider: the kind of the change, and what it makes likely."""
WRITES: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "write": ("vm_changed", {}),
    "extensions/write": ("extension_changed", {"other_extension_failed": 2, "backup_extension_failed": 2}),
    "extensions/delete": ("extension_deleted", {"other_extension_failed": 2, "backup_extension_failed": 2}),
}
"""What stands in for change records where these could not be read."""


def changes_since_good(diagnosis: Diagnosis) -> ChangeList | None:
    """What was changed after the last good backup began and until the failed job ended; None where nothing was read of it."""
    failure, readings = diagnosis.failure, diagnosis.readings
    if failure.vm is None or not set(CHANGE_FACTS) & readings.keys():
        return None
    good = readings["last_good"].value if "last_good" in readings else None
    good_at = good.started_at if isinstance(good, Job) else None
    oldest = failure.began_at - TWO_WEEKS
    open_causes = [cause for cause, verdict in diagnosis.verdicts.items() if verdict is not Verdict.RULED_OUT]
    listed = changes_between(max(good_at or oldest, oldest), failure.failed_at, failure, readings, open_causes)
    return replace(listed, good_at=good_at, good_unread=good if isinstance(good, Unknown) else None)


def changes_between(
    since: datetime, until: datetime, failure: Failure, readings: Mapping[str, Reading], causes: Collection[str]
) -> ChangeList:
    """The changes of a time, the newest first; where there are too many, those that make one of the causes likely come first."""
    weighed = {change: weight for change, weight in _weighed(failure, readings, causes) if since < change.at <= until}
    ranked = sorted(weighed, key=lambda change: (-weighed[change] * _recency(until - change.at), until - change.at))
    shown = sorted(ranked[:MOST_SHOWN], key=lambda change: change.at, reverse=True)
    return ChangeList(since, until, tuple(shown), len(ranked) - len(shown), unread=tuple(_unread(readings)))


def is_news(earlier: Mapping[str, Reading], diagnosis: Diagnosis) -> bool:
    """Whether changes are listed now from a log that an earlier reading of the same failure could not read."""
    listed = changes_since_good(diagnosis)
    newly_read = (_is_unknown(earlier, name) and not _is_unknown(diagnosis.readings, name) for name in CHANGE_FACTS)
    return bool(listed and listed.changes) and any(newly_read)


def _is_unknown(readings: Mapping[str, Reading], name: str) -> bool:
    return name in readings and isinstance(readings[name].value, Unknown)


def _recency(age: timedelta) -> float:
    return 1.0 if age <= timedelta(days=1) else 0.6 if age <= timedelta(days=7) else 0.3


def _unread(readings: Mapping[str, Reading]) -> Iterator[tuple[str, Unknown]]:
    for name in (*CHANGE_FACTS, "vm_activity"):
        value = readings[name].value if name in readings else None
        if isinstance(value, Unknown):
            yield name, value
        elif isinstance(value, ResourceChanges) and value.network_unread:
            yield "outbound_access", value.network_unread


def _weighed(failure: Failure, readings: Mapping[str, Reading], causes: Collection[str]) -> Iterator[tuple[AzureChange, int]]:
    """Each change once, and the weight of the likeliest of the causes that it makes likely."""
    for change, weights in (*_of_records(readings), *_of_actions(failure, readings), *_of_locks(readings)):
        likely = sorted((cause for cause in weights if cause in causes), key=lambda cause: -weights[cause])
        yield replace(change, makes_likely=tuple(likely)), max((weights[cause] for cause in likely), default=0)


# ------------------------------------------------------------------------------------------------ change records


def _of_records(readings: Mapping[str, Reading]) -> Iterator[tuple[AzureChange, Mapping[str, int]]]:
    read = _value(readings, "resource_changes", ResourceChanges)
    for record in read.changes if read else ():
        if rule := rule_of(record):
            kind, name = f"{rule.thing}_{OPERATIONS[record.operation]}", record.resource_id.rpartition("/")[2]
            change = AzureChange(record.at, kind, record.resource_id, name, who=record.who, properties=record.properties)
            whole = record.operation != "update" and rule.otherwise
            yield change, rule.otherwise if whole else rule.causes


def rule_of(record: ResourceChange) -> Rule | None:
    """The first rule that fits."""
    said = " ".join((record.resource_id.rpartition("/")[2], *(f"{p.path} {p.before} {p.after}" for p in record.properties)))
    fitting = (rule for rule in RECORDS if rule.type == record.type and re.search(rule.pattern, said, re.IGNORECASE))
    return next(fitting, None) if record.operation in OPERATIONS else None


# ------------------------------------------------------------------------------------------------ the activity log


def _of_actions(failure: Failure, readings: Mapping[str, Reading]) -> Iterator[tuple[AzureChange, Mapping[str, int]]]:
    near = _near(failure, readings)
    table = {**ACTIONS, **({} if _value(readings, "resource_changes", ResourceChanges) else WRITES)}
    for entry in _entries(readings):
        if entry.operation in table and _is_done(entry):
            kind, causes = table[entry.operation]
            scope, name = _scope_and_name(entry)
            if near.concerns(entry.operation, scope.lower()):
                weights = causes if kind != "lock_made" or near.holds_points(scope.lower()) else {}
                yield AzureChange(entry.at, kind, entry.resource_id or entry.resource, name, scope, entry.caller), weights


def _of_locks(readings: Mapping[str, Reading]) -> Iterator[tuple[AzureChange, Mapping[str, int]]]:
    """The locks on the restore points, which say themselves when they were made: where the activity log could not be read."""
    if _is_unknown(readings, "authorization_activity"):
        kind, causes = ACTIONS["locks/write"]
        for lock in _value(readings, "restore_point_group_locks", list | tuple) or ():
            if lock.created_at:
                yield AzureChange(lock.created_at, kind, lock.id, lock.name, lock.scope, lock.created_by), causes


def _entries(readings: Mapping[str, Reading]) -> Iterable[Operation]:
    """Those of authorizations and of the VM; one that stands in both is the same value."""
    read = (_value(readings, name, Activity) for name in ("authorization_activity", "vm_activity"))
    return dict.fromkeys(entry for activity in read if activity for entry in activity.operations if not entry.by_backup)


def _is_done(entry: Operation) -> bool:
    """An action has an entry for each of its stages; what a policy denies has never succeeded."""
    return entry.status.lower() in SUCCEEDED or entry.operation == "policies/deny"


def _scope_and_name(entry: Operation) -> tuple[str, str]:
    """What a lock or an assignment applies to, and its name; the resource itself for anything else."""
    full = entry.resource_id or entry.resource
    scope = re.split("/providers/Microsoft.Authorization/", full, maxsplit=1, flags=re.IGNORECASE)[0]
    return scope, full.rpartition("/")[2]


class _Near(Struct, frozen=True):
    """The ids, in lower case, of what this backup needs: what is done to others is not listed."""

    own: frozenset[str]
    """VM and vault."""
    key_vaults: frozenset[str]
    points: frozenset[str] | None
    """Restore point collections; None when they were not read."""

    def concerns(self, operation: str, scope: str) -> bool:
        """Whether a scope is one of these or lies below one, or holds one. Rights given far above concern key vaults only."""
        ids = self.own | self.key_vaults | (self.points or frozenset())
        if any(scope == own or scope.startswith(f"{own}/") for own in ids):
            return True
        if operation.startswith("roleassignments/"):
            return _holds(scope, self.key_vaults)
        return _holds(scope, ids) or self.holds_points(scope)

    def holds_points(self, scope: str) -> bool:
        """Where the collections were not read, their groups are known by Azure Backup's own names for them.

        https://learn.microsoft.com/azure/backup/backup-during-vm-creation#azure-backup-resource-group-for-virtual-machines
        """
        named_so = self.points is None and ("/resourcegroups/azurebackuprg" in scope or scope.count("/") == 2)
        return named_so or _holds(scope, self.points or ())


def _near(failure: Failure, readings: Mapping[str, Reading]) -> _Near:
    vaults, collections = (_value(readings, name, list | tuple) for name in ("key_vaults", "restore_point_collections"))
    own = frozenset(place.key for place in (failure.vm, failure.vault) if place)
    points = None if collections is None else frozenset(found.id.lower() for found in collections)
    return _Near(own, frozenset(vault.id.lower() for vault in vaults or ()), points)


def _holds(scope: str, ids: Iterable[str]) -> bool:
    return any(own == scope or own.startswith(f"{scope.rstrip('/')}/") for own in ids)


def _value(readings: Mapping[str, Reading], name: str, kind: Any) -> Any:
    """The fact's value if it is of a kind, else None."""
    value = readings[name].value if name in readings else None
    return value if isinstance(value, kind) else None
