"""The storage accounts that hold a VM's unmanaged disks. https://learn.microsoft.com/azure/virtual-machines/unmanaged-disks-deprecation

A disk's address names its account, and not the group or the provider: Azure Resource Graph finds it by its name, which no other
account in the world has. https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name
"""

from __future__ import annotations

from handlers.facts import Reads, fact
from handlers.facts.backup import READ_GRAPH
from handlers.facts.compute import READ_VM
from handlers.facts.disks import attached_disks
from handlers.facts.queries import graph_query
from handlers.model import Failure, StorageAccount

READ_ACCOUNT = "Microsoft.Storage/storageAccounts/read"
"""The right for classic accounts is not asked for: their provider is retired, and a role with an action that Azure no longer knows cannot be
made. They show where the app's identity has a wider role, such as Reader. https://learn.microsoft.com/azure/storage/common/classic-account-migration-overview"""


@fact(READ_VM, READ_GRAPH, READ_ACCOUNT, source="Microsoft.ResourceGraph/resources")
def storage_accounts(failure: Failure, reads: Reads) -> tuple[StorageAccount, ...]:
    """Those of the VM's unmanaged disks; nothing is read for a VM that has none. One without a kind was not shown to the app."""
    names = sorted({disk.account for disk in attached_disks(failure, reads) if disk.account})
    if not names or failure.vm is None:
        return ()
    text = graph_query("storage_accounts", names=names)
    subscription = failure.vm.subscription
    rows = reads.of_all(f"accounts {subscription} {names}".lower(), lambda: reads.azure.query_graph(text, [subscription]))
    shown = {str(row.get("name")).lower(): row for row in rows}
    return tuple(_account(name, shown.get(name, {})) for name in names)


def _account(name: str, row: dict[str, str]) -> StorageAccount:
    kind = {"microsoft.storage": "Microsoft.Storage", "microsoft.classicstorage": "Microsoft.ClassicStorage"}
    return StorageAccount(name, str(row.get("id") or ""), kind.get(str(row.get("type") or "").partition("/")[0].lower(), ""))
