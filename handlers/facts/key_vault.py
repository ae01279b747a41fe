"""Key vaults behind Azure Disk Encryption, and who may back up what is in them.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#provide-permissions
https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get
Only Azure Resource Manager is asked, never the vault's data: no key or secret value can come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from handlers.facts import Reads, fact
from handlers.facts.compute import READ_VIEW, READ_VM, disk_keys
from handlers.model import DiskKey, Failure, KeyVault, ResourceId

API = "2023-07-01"
ROLES_API = "2022-04-01"
POLICY_RIGHTS = {"get", "list", "backup"}
DATA_ACTIONS = {
    "secret": (
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/secrets/backup/action",
        "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    ),
    "key": ("Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/backup/action"),
}


@fact(
    READ_VM,
    READ_VIEW,
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.KeyVault/locations/deletedVaults/read",
    "Microsoft.KeyVault/vaults/keys/read",
    "Microsoft.KeyVault/vaults/secrets/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    source="Microsoft.KeyVault/vaults",
)
def key_vaults(failure: Failure, reads: Reads) -> tuple[KeyVault, ...]:
    """The vaults that the VM's disk encryption uses; empty when no disk is encrypted with Azure Disk Encryption."""
    keys = disk_keys(failure, reads)
    by_vault: dict[str, list[DiskKey]] = {}
    for key in keys:
        by_vault.setdefault(key.vault_id.lower(), []).append(key)
    return reads.each(by_vault.values(), lambda found: _vault(found, failure, reads))


def _vault(keys: list[DiskKey], failure: Failure, reads: Reads) -> KeyVault:
    from azure.core.exceptions import ResourceNotFoundError

    vault_id, needs = keys[0].vault_id, tuple(sorted({key.kind for key in keys}))
    parsed = ResourceId.parse(vault_id)
    name = parsed.name if parsed else vault_id
    try:
        body = reads.get(vault_id, API)
    except ResourceNotFoundError:
        return KeyVault(vault_id, name, found=False, soft_deleted=_soft_deleted(parsed, failure, reads), needs=needs)
    properties = body.get("properties") or {}
    rbac = bool(properties.get("enableRbacAuthorization"))
    holders = _role_holders(vault_id, needs, reads) if rbac else _policy_holders(properties, needs)
    return KeyVault(
        vault_id, name, found=True, rbac=rbac, needs=needs, holders=tuple(sorted(set(holders))),
        broken_keys=tuple(key.name for key in keys if _is_broken(key, reads)),
    )  # fmt: skip


def _policy_holders(properties: dict[str, Any], needs: tuple[str, ...]) -> Iterable[str]:
    for policy in properties.get("accessPolicies") or ():
        rights = {kind: {str(r).lower() for r in (policy.get("permissions") or {}).get(f"{kind}s") or ()} for kind in needs}
        if all(held >= POLICY_RIGHTS or "all" in held for held in rights.values()):
            yield str(policy.get("objectId"))


def _role_holders(vault_id: str, needs: tuple[str, ...], reads: Reads) -> Iterable[str]:
    """Principals whose role, at the vault or above it, holds every data action that is needed."""
    assignments = reads.list_all(f"{vault_id}/providers/Microsoft.Authorization/roleAssignments", ROLES_API)
    above = [found["properties"] for found in assignments if vault_id.lower().startswith(_scope(found))]
    roles = sorted({found["roleDefinitionId"] for found in above})
    holding = {
        role for role, holds in zip(roles, reads.each(roles, lambda role: _holds(role, needs, reads)), strict=True) if holds
    }
    return [str(found["principalId"]) for found in above if found["roleDefinitionId"] in holding]


def _scope(assignment: dict[str, Any]) -> str:
    return str((assignment.get("properties") or {}).get("scope", "-")).lower().rstrip("/")


def _holds(role_id: str, needs: tuple[str, ...], reads: Reads) -> bool:
    permissions = (reads.get(role_id, ROLES_API).get("properties") or {}).get("permissions") or ()
    wanted = [action for kind in needs for action in DATA_ACTIONS[kind]]
    return all(any(_grants(permission, action) for permission in permissions) for action in wanted)


def _grants(permission: dict[str, Any], action: str) -> bool:
    def listed(name: str) -> bool:
        return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in permission.get(name) or ())

    return listed("dataActions") and not listed("notDataActions")


def _is_broken(key: DiskKey, reads: Reads) -> bool:
    """Whether ARM says that the key or secret is gone or disabled. Not being allowed to look is not being broken."""
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    try:
        body = reads.get(f"{key.vault_id}/{key.kind}s/{key.name}", API)
    except ResourceNotFoundError:
        return True
    except HttpResponseError:
        return False
    return ((body.get("properties") or {}).get("attributes") or {}).get("enabled") is False


def _soft_deleted(vault: ResourceId | None, failure: Failure, reads: Reads) -> bool:
    from azure.core.exceptions import HttpResponseError

    from handlers.facts.compute import read_vm

    if vault is None:
        return False
    location = str(read_vm(failure, reads).get("location", "")).replace(" ", "").lower()
    path = f"/subscriptions/{vault.subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{vault.name}"
    try:
        return bool(reads.get(path, API))
    except HttpResponseError:
        return False
