"""Who the app is to Azure: its managed identity there, whoever is signed in on a developer's machine.

`azure.identity` is imported when the first token is needed: on loopback none is, and at start none is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def azure_credential(environment: Mapping[str, str]) -> TokenCredential:
    """For Azure's APIs and for ticket systems that take the app's own identity.

    https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """
    return _credential("IDENTITY_ENDPOINT" in environment, environment.get("AZURE_CLIENT_ID"))


def storage_credential(environment: Mapping[str, str]) -> TokenCredential:
    """For the app's own storage account, by the settings that the host itself reads.

    https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    """
    is_managed = environment.get("AzureWebJobsStorage__credential") == "managedidentity"
    return _credential(is_managed, environment.get("AzureWebJobsStorage__clientId"))


def _credential(is_managed: bool, client_id: str | None) -> TokenCredential:
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id) if is_managed else DefaultAzureCredential()


class NoCredential:
    """Stands where the SDK clients demand a credential. Never asked: on loopback no authentication policy is in the pipeline."""

    def get_token(self, *_: str, **__: Any) -> Any:
        raise RuntimeError("no token is sent to a loopback address")
