"""The tags of the VM, its resource group and its vault: they tell whose it is.

https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
Group and vault are read once an hour for all that ask; tags are not inherited.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.facts import Reads, Unread, fact
from handlers.facts.compute import READ_VM, read_vm
from handlers.facts.vaults import READ_VAULTS, tags_in, vaults_of
from handlers.model import Failure, Reason

READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"


@fact(READ_VM, source="Microsoft.Compute/virtualMachines")
def vm_tags(failure: Failure, reads: Reads) -> Mapping[str, str]:
    return tags_in(read_vm(failure, reads))


@fact(READ_GROUP, source="Microsoft.Resources/resourceGroups")
def group_tags(failure: Failure, reads: Reads) -> Mapping[str, str]:
    """https://learn.microsoft.com/rest/api/resources/resource-groups/get"""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    return reads.group_tags(failure.vm.group_id)


@fact(READ_VAULTS, source="Microsoft.RecoveryServices/vaults")
def vault_tags(failure: Failure, reads: Reads) -> Mapping[str, str]:
    if failure.vault is None:
        raise Unread(Reason.NOT_NAMED)
    key = failure.vault.key
    found = vaults_of(failure.vault.subscription, reads.azure)
    tags = next((vault.tags for vault_id, vault in found.items() if vault_id.lower() == key), None)
    if tags is None:
        raise Unread(Reason.NOT_FOUND)
    return tags
