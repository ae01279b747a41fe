"""The Recovery Services vaults of a subscription. https://learn.microsoft.com/rest/api/recoveryservices/vaults/list-by-subscription-id"""

from __future__ import annotations

from handlers.azure import Azure
from handlers.model import ResourceId

READ_VAULTS = "Microsoft.RecoveryServices/Vaults/read"
API = "2024-04-01"
KEPT_SECONDS = 3600


def vaults_of(subscription: str, azure: Azure) -> dict[str, str]:
    """The vaults' ids and their regions; read once an hour for all that ask. Raises what the read raises."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/vaults"

    def read() -> dict[str, str]:
        return {body["id"]: str(body.get("location") or "").lower() for body in azure.list_all(path, API)}

    return azure.shared.get(f"vaults {subscription.lower()}", read, seconds=KEPT_SECONDS)


def region_of(vault: ResourceId, azure: Azure) -> str:
    """The vault's region, which is that of the VMs in it; empty when it is not among the subscription's vaults."""
    found = vaults_of(vault.subscription, azure)
    return next((region for vault_id, region in found.items() if vault_id.lower() == vault.key), "")
