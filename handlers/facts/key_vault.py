"""Key vaults behind disk encryption, and who may back up what is in them.

https://learn.microsoft.com/azure/backup/backup-azure-vms-encryption#provide-permissions
https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get
Only Azure Resource Manager is asked, never the vault's data: no key or secret value can come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.activity import READ_ACTIVITY, of_group
from handlers.facts.compute import READ_DISK, READ_VIEW, READ_VM, disk_keys, disks, read_vm
from handlers.model import Activity, DiskKey, EncryptionSet, Failure, KeyState, KeyVault, Reason, ResourceId, Unknown, parse_time

API = "2023-07-01"
ROLES_API = "2022-04-01"
SET_API = "2024-03-02"
POLICY_RIGHTS = {"get", "list", "backup"}
ABOVE_ALL = ("", "/", "/providers/microsoft.management/managementgroups/")
DATA_ACTIONS = {
    "secret": (
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/secrets/backup/action",
        "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    ),
    "key": ("Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/backup/action"),
}
READ_KEYS = (
    "Microsoft.KeyVault/vaults/keys/read",
    "Microsoft.KeyVault/vaults/keys/versions/read",
    "Microsoft.KeyVault/vaults/secrets/read",
)


@fact(
    READ_VM,
    READ_VIEW,
    READ_DISK,
    READ_ACTIVITY,
    *READ_KEYS,
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.KeyVault/locations/deletedVaults/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    source="Microsoft.KeyVault/vaults",
)
def key_vaults(failure: Failure, reads: Reads) -> tuple[KeyVault, ...]:
    """The vaults that the VM's disk encryption uses; empty when no disk is encrypted with Azure Disk Encryption."""
    by_vault: dict[str, list[DiskKey]] = {}
    for key in disk_keys(failure, reads):
        by_vault.setdefault(key.vault_id.lower(), []).append(key)
    return reads.each(by_vault.values(), lambda found: _vault(found, failure, reads))


def _vault(keys: list[DiskKey], failure: Failure, reads: Reads) -> KeyVault:
    vault = _without_holders(keys, failure, reads)
    if vault.unread or not vault.found:
        return vault
    read = _role_holders if vault.rbac else _policy_holders
    holders = reads.or_unknown(lambda: tuple(sorted(set(read(reads.get(vault.id, API), vault.needs, reads)))))
    vault = replace(vault, holders_unread=holders) if isinstance(holders, Unknown) else replace(vault, holders=holders)
    return vault if vault.holders or vault.holders_unread else _dated(vault, failure, reads)


def _without_holders(keys: list[DiskKey], failure: Failure, reads: Reads) -> KeyVault:
    """Whether a vault and its keys are there and can be reached; who holds rights on it is not asked."""
    vault_id, needs = keys[0].vault_id, tuple(sorted({key.kind for key in keys}))
    parsed = ResourceId.parse(vault_id)
    blank = KeyVault(vault_id, parsed.name if parsed else vault_id, found=True, needs=needs)
    body = reads.or_unknown(lambda: reads.get(vault_id, API))
    if isinstance(body, Unknown):
        return _gone(blank, parsed, failure, reads) if parsed and body.why is Reason.NOT_FOUND else replace(blank, unread=body)
    properties = body.get("properties") or {}
    vault = replace(
        blank,
        rbac=bool(properties.get("enableRbacAuthorization")),
        keys=reads.each(keys, lambda key: key_state(key, reads)),
        firewalled=_is_firewalled(properties),
    )
    return _dated(vault, failure, reads) if vault.firewalled else vault


def _dated(vault: KeyVault, failure: Failure, reads: Reads) -> KeyVault:
    """With what was done to the vault since the job began: it says whether what is wrong with it now was wrong then."""
    changes = reads.or_unknown(lambda: _changes(ResourceId.parse(vault.id), failure, reads))
    return replace(vault, changes_unread=changes) if isinstance(changes, Unknown) else replace(vault, changes=changes)


def _gone(vault: KeyVault, parsed: ResourceId, failure: Failure, reads: Reads) -> KeyVault:
    """A 404 means gone if the vault is among the deleted ones, or if its group's list can be read and does not hold it."""
    location = str(read_vm(failure, reads).get("location", "")).replace(" ", "").lower()
    path = f"/subscriptions/{parsed.subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{parsed.name}"
    deleted = reads.or_unknown(lambda: reads.get(path, API))
    if not isinstance(deleted, Unknown):
        at = parse_time((deleted.get("properties") or {}).get("deletionDate"))
        return replace(vault, found=False, soft_deleted=True, deleted_at=at)
    listed = reads.or_unknown(lambda: reads.list_all(f"{parsed.group_id}/providers/Microsoft.KeyVault/vaults", API))
    if isinstance(listed, Unknown) or any(str(found.get("id")).lower() == parsed.key for found in listed):
        return replace(vault, unread=Unknown(Reason.NOT_FOUND))
    return replace(vault, found=False)


def _changes(vault: ResourceId | None, failure: Failure, reads: Reads) -> Activity:
    """What was done to the vault since the job began: rights given or taken, its firewall, its deletion."""
    if vault is None:
        raise Unread(Reason.NOT_NAMED)
    entries = of_group(vault.subscription, vault.group, failure.began_at, reads)
    own = tuple(entry for entry in entries if entry.resource == vault.key or entry.resource.startswith(f"{vault.key}/"))
    return Activity(failure.began_at, own)


def _is_firewalled(properties: dict[str, Any]) -> bool:
    """https://learn.microsoft.com/azure/key-vault/general/overview-vnet-service-endpoints#trusted-services"""
    rules = properties.get("networkAcls") or {}
    denies = (
        str(rules.get("defaultAction", "")).lower() == "deny"
        or str(properties.get("publicNetworkAccess", "")).lower() == "disabled"
    )
    return denies and "azureservices" not in str(rules.get("bypass", "AzureServices")).lower()


def _policy_holders(body: dict[str, Any], needs: tuple[str, ...], reads: Reads) -> Iterable[str]:
    for policy in (body.get("properties") or {}).get("accessPolicies") or ():
        rights = {kind: {str(r).lower() for r in (policy.get("permissions") or {}).get(f"{kind}s") or ()} for kind in needs}
        if all(held >= POLICY_RIGHTS or "all" in held for held in rights.values()):
            yield str(policy.get("objectId"))


def _role_holders(body: dict[str, Any], needs: tuple[str, ...], reads: Reads) -> Iterable[str]:
    """Principals whose role, at the vault or above it (management groups and the tenant included), holds every data action."""
    vault_id = str(body["id"])
    assignments = reads.list_all(f"{vault_id}/providers/Microsoft.Authorization/roleAssignments", ROLES_API)
    above = [found["properties"] for found in assignments if _is_above(_scope(found), vault_id.lower())]
    roles = sorted({found["roleDefinitionId"] for found in above})
    holds = reads.each(roles, lambda role: _holds(role, needs, reads))
    holding = {role for role, held in zip(roles, holds, strict=True) if held}
    return [str(found["principalId"]) for found in above if found["roleDefinitionId"] in holding]


def _is_above(scope: str, vault: str) -> bool:
    return scope in ABOVE_ALL[:2] or scope.startswith(ABOVE_ALL[2]) or vault == scope or vault.startswith(f"{scope}/")


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


def key_state(key: DiskKey, reads: Reads) -> KeyState:
    """The very version of a key; of a secret Azure Resource Manager shows the newest version only, which may be another."""
    blank = KeyState(key.name, key.kind, key.version)
    path = f"{key.vault_id}/{key.kind}s/{key.name}" + (f"/versions/{key.version}" if key.kind == "key" and key.version else "")
    body = reads.or_unknown(lambda: reads.get(path, API))
    if isinstance(body, Unknown):
        return replace(blank, found=False) if body.why is Reason.NOT_FOUND else replace(blank, unread=body)
    properties = body.get("properties") or {}
    newest = str(properties.get("secretUriWithVersion") or "").rstrip("/").rpartition("/")[2]
    if key.kind == "secret" and newest and key.version and newest.lower() != key.version.lower():
        return replace(blank, unread=Unknown(Reason.NO_DATA))
    attributes = properties.get("attributes") or {}
    return replace(
        blank, enabled=attributes.get("enabled") is not False, updated_at=_second(attributes.get("updated")),
        expires_at=_second(attributes.get("exp")),
    )  # fmt: skip


def _second(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None


@fact(
    READ_VM,
    READ_DISK,
    READ_ACTIVITY,
    *READ_KEYS,
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.KeyVault/locations/deletedVaults/read",
    "Microsoft.Compute/diskEncryptionSets/read",
    source="Microsoft.Compute/diskEncryptionSets",
)
def encryption_sets(failure: Failure, reads: Reads) -> tuple[EncryptionSet, ...]:
    """The disk encryption sets of the VM's disks, each with the key that it uses and the key's vault."""
    ids = dict.fromkeys(disk.encryption_set_id for disk in disks(failure, reads) if disk.encryption_set_id)
    return reads.each(ids, lambda set_id: _encryption_set(set_id, failure, reads))


def _encryption_set(set_id: str, failure: Failure, reads: Reads) -> EncryptionSet:
    """Of a key in another subscription the set names no vault: nobody knows how that key is.

    https://learn.microsoft.com/javascript/api/@azure/arm-compute/keyfordiskencryptionset
    """
    body = reads.or_unknown(lambda: reads.get(set_id, SET_API))
    if isinstance(body, Unknown):
        gone = body.why is Reason.NOT_FOUND
        return EncryptionSet(set_id, found=not gone, unread=None if gone else body)
    properties = body.get("properties") or {}
    active, failed = properties.get("activeKey") or {}, properties.get("autoKeyRotationError") or {}
    url, vault_id = str(active.get("keyUrl") or ""), str((active.get("sourceVault") or {}).get("id") or "")
    known = EncryptionSet(set_id, rotation_error=str(failed.get("code") or ""))
    if not (url and vault_id):
        return replace(known, unread=Unknown(Reason.NO_DATA))
    used = DiskKey("key", url, vault_id)
    vault = _without_holders([used], failure, reads)
    return replace(known, disk_key=used, vault=vault, key=next(iter(vault.keys), None))
