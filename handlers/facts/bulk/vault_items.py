"""The protected VMs of a vault in one list: policy, excluded disks, last recovery point.

https://learn.microsoft.com/rest/api/backup/backup-protected-items/list
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.azure.arm import Azure
from handlers.model import ResourceId

READ_ITEM_LIST = "Microsoft.RecoveryServices/Vaults/backupProtectedItems/read"
KEPT = ("policyId", "extendedProperties", "lastRecoveryPoint", "lastBackupStatus", "lastBackupTime", "protectionState",
        "sourceResourceId")  # fmt: skip
"""What is needed of an item: a list of a thousand is kept for minutes."""
VMS = "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
SHARED_SECONDS = 300.0

type Item = Mapping[str, Any]


def items_of_vault(vault: ResourceId, azure: Azure) -> dict[str, Item]:
    """The items' properties by their names in lower case (`vm;iaasvmcontainerv2;<group>;<vm>`)."""

    def read() -> dict[str, Item]:
        listed = azure.backup(vault.subscription).backup_protected_items.list(vault.name, vault.group, filter=VMS)
        return {str(item.name).lower(): _kept(item.properties or {}) for item in listed}

    return azure.shared.get(f"items {vault.key}", read, seconds=SHARED_SECONDS)


def _kept(properties: Any) -> Item:
    return {name: properties[name] for name in KEPT if properties.get(name) is not None}
