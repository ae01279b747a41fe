"""Facts about the vault itself: its region, its key, how full it is, and the tenant that its subscription is in.

https://learn.microsoft.com/rest/api/recoveryservices/vaults/get
"""

from __future__ import annotations

from copy import replace
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.activity import READ_ACTIVITY
from handlers.facts.key_vault import API as KEY_VAULT_API
from handlers.facts.key_vault import READ_KEYS, with_holders, without_holders
from handlers.facts.vaults import API, READ_VAULTS, vaults_of
from handlers.model import (
    DiskKey,
    Failure,
    KeyVault,
    Reason,
    ResourceId,
    Unknown,
    VaultKey,
    VaultSettings,
    VaultUsage,
    parse_time,
)

SUBSCRIPTION_API = "2022-12-01"
VAULTS = "Microsoft.RecoveryServices/vaults"
ALL_ITEMS, ALL_VMS = "ProtectedItemCount", "IaaSVMProtectedItemCount"
"""What the counts are called: https://learn.microsoft.com/rest/api/recoveryservices/usages/list-by-vaults"""


@fact(READ_VAULTS, source=VAULTS)
def vault_region(failure: Failure, reads: Reads) -> str:
    """The region of the vault, from the list of vaults that all share."""
    vault = _vault_of(failure)
    region = next((v.region for found, v in vaults_of(vault.subscription, reads.azure).items() if found.lower() == vault.key), "")
    if not region:
        raise Unread(Reason.NOT_FOUND)
    return region


@fact(READ_VAULTS, source=VAULTS)
def vault_settings(failure: Failure, reads: Reads) -> VaultSettings:
    """The vault's key and identity."""
    body = reads.get(_vault_of(failure).id, API)
    encryption, identity = (body.get("properties") or {}).get("encryption") or {}, body.get("identity") or {}
    return VaultSettings(
        str((encryption.get("keyVaultProperties") or {}).get("keyUri") or ""),
        _object_id(identity, str((encryption.get("kekIdentity") or {}).get("userAssignedIdentity") or "")),
        str(identity.get("tenantId") or ""),
    )


def _object_id(identity: dict[str, Any], named: str) -> str:
    """The object id of the identity that uses the key: one of the user's where the vault names it, else the vault's own."""
    own = identity.get("userAssignedIdentities") or {}
    listed = {str(key).lower(): str((value or {}).get("principalId") or "") for key, value in own.items()}
    return listed.get(named.lower(), "") if named else str(identity.get("principalId") or "")


@fact(
    READ_VAULTS,
    READ_ACTIVITY,
    *READ_KEYS,
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.KeyVault/locations/deletedVaults/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    source="Microsoft.KeyVault/vaults",
)
def vault_key(failure: Failure, reads: Reads) -> VaultKey | None:
    """The customer's key that encrypts the vault, and who may wrap keys with it; None where Azure's own keys do.

    https://learn.microsoft.com/azure/backup/encryption-at-rest-with-cmk
    """
    settings = vault_settings(failure, reads)
    if not settings.key_url:
        return None
    used, found = _located(settings.key_url, failure, reads)
    if found.unread or not found.found:
        return VaultKey(used, found, identity=settings.identity)
    known = without_holders([used], failure, reads)
    held = with_holders(replace(known, needs=("wrap",)), failure, reads)
    return VaultKey(used, held, next(iter(held.keys), None), settings.identity)


def _located(url: str, failure: Failure, reads: Reads) -> tuple[DiskKey, KeyVault]:
    """The key with its key vault, which the address names and the subscriptions of vault and VM are searched for.

    https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list-by-subscription
    """
    name = url.partition("://")[2].partition(".")[0]
    for subscription in _subscriptions(failure):
        listed = reads.list_all(f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults", KEY_VAULT_API)
        if found := next((str(body["id"]) for body in listed if str(body.get("name") or "").lower() == name.lower()), ""):
            return DiskKey("key", url, found), KeyVault(found, name, found=True, needs=("wrap",))
    gone = _deleted(name, failure, reads)
    return DiskKey("key", url, gone.id), gone


def _deleted(name: str, failure: Failure, reads: Reads) -> KeyVault:
    """A key vault that is in no list: deleted, if Azure keeps it so; else nobody knows (it may lie in another subscription).

    https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get-deleted. It lies in the vault's region.
    """
    region = vault_region(failure, reads)
    for subscription in _subscriptions(failure):
        path = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{region}/deletedVaults/{name}"
        if properties := _properties_if_there(path, reads):
            vault_id, deleted_at = str(properties.get("vaultId") or name), parse_time(properties.get("deletionDate"))
            return KeyVault(vault_id, name, found=False, soft_deleted=True, deleted_at=deleted_at, needs=("wrap",))
    return KeyVault(name, name, found=True, needs=("wrap",), unread=Unknown(Reason.NOT_FOUND))


def _properties_if_there(path: str, reads: Reads) -> dict[str, Any]:
    body = reads.or_unknown(lambda: reads.get(path, KEY_VAULT_API))
    return {} if isinstance(body, Unknown) else body.get("properties") or {}


def _subscriptions(failure: Failure) -> list[str]:
    found = [part.subscription for part in (failure.vault, failure.vm) if part]
    return list(dict.fromkeys(found))


@fact("Microsoft.RecoveryServices/Vaults/usages/read", source="Microsoft.RecoveryServices/vaults/usages")
def vault_usage(failure: Failure, reads: Reads) -> VaultUsage:
    listed = reads.list_all(f"{_vault_of(failure).id}/usages", API)
    counts = {str((row.get("name") or {}).get("value")): row.get("currentValue") for row in listed}
    return VaultUsage(*(count if isinstance(count := counts.get(name), int) else None for name in (ALL_VMS, ALL_ITEMS)))


@fact("Microsoft.Resources/subscriptions/read", source="Microsoft.Resources/subscriptions")
def subscription_tenant(failure: Failure, reads: Reads) -> str:
    """The tenant that the vault's subscription is in. https://learn.microsoft.com/rest/api/resources/subscriptions/get"""
    tenant = str(reads.get(f"/subscriptions/{_vault_of(failure).subscription}", SUBSCRIPTION_API).get("tenantId") or "")
    if not tenant:
        raise Unread(Reason.NO_DATA)
    return tenant


def _vault_of(failure: Failure) -> ResourceId:
    if failure.vault is None:
        raise Unread(Reason.NOT_NAMED)
    return failure.vault
