"""What the resource ids in an alert tell: the vault, the protected item, the VM, the workload.

https://learn.microsoft.com/rest/api/backup/protected-items/get
A VM's container and item are named for it: `IaasVMContainer;iaasvmcontainerv2;<group>;<vm>`, `VM;iaasvmcontainerv2;…`.
"""

from __future__ import annotations

import re

from handlers.alerts.fields import fold

_GROUP = r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/[^/]+/providers/"
_VAULT = _GROUP + r"(?:Microsoft\.RecoveryServices/vaults|Microsoft\.DataProtection/backupVaults)/[^/?#]+"
_ITEM = rf"{_VAULT}/(?:backupFabrics/[^/]+/protectionContainers/[^/]+/protectedItems|backupInstances)/[^/?#]+"
_VM = _GROUP + r"Microsoft\.Compute/virtualMachines/[^/?#]+"
_VM_CONTAINER = r"(?:^|[;/])iaasvmcontainerv2;(?P<group>[^;/]+);(?P<vm>[^;/]+)"
_VM_WORDS = ("vm", "azurevm", "iaasvm", "azureiaasvm", "virtualmachine", "microsoft.compute/virtualmachines")


def vault_of(resource_id: str) -> str:
    """The vault that an id is or lies in, else empty."""
    return _start(_VAULT, resource_id)


def item_of(resource_id: str) -> str:
    """The protected item that an id is or lies in, else empty."""
    return _start(_ITEM, resource_id)


def vm_of(resource_id: str) -> str:
    """The VM that an id is or lies in, such as a database's datasource id, else empty."""
    return _start(_VM, resource_id)


def vm_guess(vault_id: str, container: str) -> str:
    """The VM that a VM's container or item is named for, taken to be in the vault's subscription.

    A guess of last resort: a vault may protect VMs of another subscription of its tenant, and names do not tell which.
    """
    vault = re.match(_GROUP, vault_id, re.IGNORECASE)
    if not vault or not (group_and_vm := _container(container)):
        return ""
    group, vm = group_and_vm
    scope = f"/subscriptions/{vault['subscription']}/resourceGroups/{group}"
    return f"{scope}/providers/Microsoft.Compute/virtualMachines/{vm}"


def vm_item(vault_id: str, container: str) -> str:
    """The protected item of the VM that a container's name tells, in the form of Azure Backup's own alerts."""
    vault, group_and_vm = vault_of(vault_id), _container(container)
    if not vault or not group_and_vm:
        return ""
    name = ";".join(("iaasvmcontainerv2", *group_and_vm))
    return f"{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{name}/protectedItems/VM;{name}"


def item_name(item_id: str, said: str = "") -> str:
    """The database of a database's item; else the name that was said, such as the VM's; else the end of the id."""
    parts = item_id.rpartition("/")[2].split(";")
    is_database = len(parts) > 2 and not _container(item_id)
    return parts[-1] if is_database else said or parts[-1]


def workload(item_id: str, said: str = "") -> str:
    """`AzureIaasVM` for a VM, else the type as sent, else what the item's name begins with (`SQLDataBase;…`)."""
    kind, found, _ = item_id.rpartition("/")[2].partition(";")
    kind = said or (kind if found else "")
    return "AzureIaasVM" if _container(item_id) or fold(kind) in _VM_WORDS else kind


def _container(name: str) -> tuple[str, str] | None:
    """The resource group and the name of the VM in a container's or item's name or id."""
    match = re.search(_VM_CONTAINER, name, re.IGNORECASE)
    return (match["group"], match["vm"]) if match else None


def _start(pattern: str, resource_id: str) -> str:
    match = re.match(pattern, resource_id, re.IGNORECASE)
    return match[0] if match else ""
