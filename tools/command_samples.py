"""Values to render every command template with: ordinary ones, hostile ones, and none at all.

Hostile is what Azure lets somebody choose (names of VMs, locks, extensions, keys) or write (notes of a lock). What Azure restricts
keeps to its rules, at their edge: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from handlers.diagnosis.catalogue import error_of
from handlers.model import (
    Alert,
    Command,
    Diagnosis,
    Disk,
    DiskKey,
    EncryptionSet,
    Failure,
    Job,
    KeyVault,
    Lock,
    Os,
    Reading,
    ResourceId,
    RestorePointCollection,
    SnapshotPolicy,
    StorageAccount,
    VirtualMachine,
)
from handlers.runbook.render import commands_of

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SUBSCRIPTION = "9eebc2e2-cdfa-58ea-8186-8785abbe84f7"
ELSEWHERE = "b04867c6-65e2-5c05-8073-42229bcf7cd4"
HOSTILE = "it's $(reboot) `id` \"; rm -rf ~ & #"
CURLY = "it’s ‘x‘ „y‚"
"""Quotes to PowerShell; to a shell letters, of which shellcheck warns."""
JOB_ID = "6f1b9d0e-3c63-4b6a-a4b4-0f6b1d6b6c11"
type Sample = Callable[[str], tuple[Command, ...]]
DISTRIBUTIONS = ("ubuntu", "debian", "rhel", "oracle", "sles", "azurelinux")


@cache
def samples() -> Mapping[str, Sample]:
    """By name: what gives the commands of an action with these values."""
    linux = {f"linux_{name}": _sample("vm-01", "rg-app", "keep", Os.LINUX, name) for name in DISTRIBUTIONS}
    return {
        "windows": _sample("vm-01", "rg-app", "keep", Os.WINDOWS),
        **{name: _guest_only(sample) for name, sample in linux.items()},
        "hostile": _sample(HOSTILE.replace(";", ""), "rg.app(prod)", HOSTILE, None),
        "curly": _powershell_only(_sample(CURLY, "rg.app(prod)", CURLY, None)),
        "none": _nothing,
    }


def _guest_only(sample: Sample) -> Sample:
    return lambda action: tuple(command for command in sample(action) if command.run == "guest")


def _powershell_only(sample: Sample) -> Sample:
    return lambda action: tuple(command for command in sample(action) if command.shell == "powershell")


def _sample(vm: str, group: str, text: str, os: Os | None, distribution: str = "") -> Sample:
    diagnosis = _diagnosis(vm, group, text, os, distribution)
    given = [{**_arguments(group, text), **more} for more in _variants(group, text)]

    def commands(action: str) -> tuple[Command, ...]:
        return tuple(dict.fromkeys(command for arguments in given for command in commands_of(diagnosis, action, arguments, "en")))

    return commands


def _nothing(action: str) -> tuple[Command, ...]:
    """With placeholders for all that a diagnosis may lack. What is only shown for a fact that was read has no such case."""
    failure = Failure(Alert("x"), None, NOW, None, None, "", None, "AzureIaasVM")
    bare = {**_arguments("rg-app", "keep"), "security_group": "", "route_table": "", "account": None, "other": {"id": "<job>"}}
    return commands_of(Diagnosis(failure, error_of("UserErrorX"), (), {}, None), action, bare, "en")


def _diagnosis(vm: str, group: str, text: str, os: Os | None, distribution: str) -> Diagnosis:
    vm_id = _id("Microsoft.Compute/virtualMachines", vm, group)
    job = Job(JOB_ID, "Failed", "Backup", started_at=NOW)
    vault_id = ResourceId.parse(_id("Microsoft.RecoveryServices/vaults", "vault-01", group, ELSEWHERE))
    failure = Failure(Alert("x"), job, NOW, vault_id, None, vm, ResourceId.parse(vm_id), "AzureIaasVM")
    facts: dict[str, Any] = {
        "vm": VirtualMachine(vm_id, vm, "westeurope", os, "Succeeded", distribution),
        "disks": (Disk(text, _id("Microsoft.Compute/disks", text, "rg-disks"), size_gib=40_000, state="ActiveSAS"),),
        "snapshot_policy": SnapshotPolicy(text, "V1", 2),
    }
    readings = {name: Reading(value, "x", NOW) for name, value in facts.items()}
    return Diagnosis(failure, error_of("UserErrorX"), (), readings, os)


def _arguments(group: str, text: str) -> dict[str, Any]:
    """The named arguments that cause templates pass to `run`."""
    points = _id("Microsoft.Compute/restorePointCollections", text, "AzureBackupRG_westeurope_1")
    return {
        "account": StorageAccount(
            "sashop", _id("Microsoft.Storage/storageAccounts", "sashop", group, ELSEWHERE), "Microsoft.Storage"
        ),
        "account_name": "saold",
        "lock": _lock(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}", text),
        "collection": RestorePointCollection(points, text, "AzureBackupRG_westeurope_1", "Succeeded"),
        "key_vault": KeyVault(_id("Microsoft.KeyVault/vaults", "kv-a", group, ELSEWHERE), "kv-a", True, needs=("key", "secret")),
        "disk_key": _disk_key("key", group),
        "encryption_set": EncryptionSet(_id("Microsoft.Compute/diskEncryptionSets", "des-shop", group, ELSEWHERE)),
        "extension": text,
        "service": "SQLWriter",
        "option": "MountsToSkip",
        "value": text,
        "other": Job(JOB_ID, "InProgress", "Backup"),
        "security_group": _id("Microsoft.Network/networkSecurityGroups", "nsg-shop", "rg-network"),
        "route_table": _id("Microsoft.Network/routeTables", "rt-hub", "rg-network"),
        "subscription": SUBSCRIPTION,
        "group": group,
        "verb": "policies/deny",
        "assignment": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/deny-tags",
        "scope": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}",
        "identity": JOB_ID,
    }


def _variants(group: str, text: str) -> tuple[dict[str, Any], ...]:
    """Other values of the arguments that make a template say something else."""
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    return (
        {},
        {"lock": _lock(subscription, text), "disk_key": _disk_key("secret", group)},
        {"lock": _lock(_id("Microsoft.Compute/restorePointCollections", "points", group), text, ""), "hangs": True},
    )


def _lock(scope: str, name: str, notes: str = HOSTILE) -> Lock:
    return Lock(f"{scope}/providers/Microsoft.Authorization/locks/{name}", name, "CanNotDelete", scope, notes)


def _disk_key(kind: str, group: str) -> DiskKey:
    vault = _id("Microsoft.KeyVault/vaults", "kv-a", group, ELSEWHERE)
    return DiskKey(kind, f"https://kv-a.vault.azure.net/{kind}s/kek-1/0123456789abcdef0123456789abcdef", vault)


def _id(kind: str, name: str, group: str, subscription: str = SUBSCRIPTION) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"
