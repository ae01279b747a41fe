"""The Recovery Services vaults of a subscription. https://learn.microsoft.com/rest/api/recoveryservices/vaults/list-by-subscription-id"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct, field

from handlers.azure.arm import Azure, NotRead
from handlers.facts import why_unread
from handlers.model import Failure
from handlers.model.text import one_line

log = logging.getLogger(__name__)

READ_VAULTS = "Microsoft.RecoveryServices/Vaults/read"
API = "2024-04-01"
KEPT_SECONDS = 3600


class Vault(Struct, frozen=True):
    """What a list of vaults says of one. `is_silent`: its built-in alerts for failed jobs are off, so only the sweep tells its failures.

    A vault whose settings nobody ever wrote has no such block in the list, and alerts: that is the default.
    https://learn.microsoft.com/azure/backup/backup-azure-monitoring-alerts
    """

    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    is_silent: bool = False


def vaults_of(subscription: str, azure: Azure) -> dict[str, Vault]:
    """The vaults by id; read once an hour for all that ask. Raises what the read raises."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/vaults"

    def read() -> dict[str, Vault]:
        return {body["id"]: _vault(body) for body in azure.list_all(path, API)}

    return azure.shared.get(f"vaults {subscription.lower()}", read, seconds=KEPT_SECONDS)


def _vault(body: Mapping[str, Any]) -> Vault:
    monitoring = (body.get("properties") or {}).get("monitoringSettings") or {}
    failures = (monitoring.get("azureMonitorAlertSettings") or {}).get("alertsForAllJobFailures")
    return Vault(str(body.get("location") or "").lower(), tags_in(body), str(failures).lower() == "disabled")


def region_of(failure: Failure, azure: Azure) -> str:
    """The region of the failure's vault, which is that of the VMs in it; empty when it cannot be read."""
    vault = failure.vault
    found = _known_vaults(vault.subscription, azure) if vault else None
    return next((known.region for vault_id, known in (found or {}).items() if vault and vault_id.lower() == vault.key), "")


def tags_in(body: Mapping[str, Any]) -> dict[str, str]:
    """https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources"""
    return {str(name): str(value) for name, value in (body.get("tags") or {}).items()}


def readable_vaults(subscriptions: Collection[str], azure: Azure) -> str:
    """`ok` when the vaults of every subscription can be listed, else `unread`; `-` for none."""
    readable = all(_known_vaults(subscription, azure) is not None for subscription in subscriptions)
    return "-" if not subscriptions else "ok" if readable else "unread"


def log_silent_vaults(subscriptions: Collection[str], azure: Azure) -> None:
    """A line for each vault whose failure alerts are off; an alert rule looks for it."""
    for subscription in subscriptions:
        for vault_id, known in (_known_vaults(subscription, azure) or {}).items():
            if known.is_silent:
                log.warning(
                    "vault without failure alerts vault=%s subscription=%s", one_line(vault_id.split("/")[-1]), subscription
                )


def _known_vaults(subscription: str, azure: Azure) -> dict[str, Vault] | None:
    """None when they cannot be read."""
    from azure.core.exceptions import AzureError

    try:
        return vaults_of(subscription, azure)
    except (AzureError, NotRead, ValueError) as error:
        log.info("vaults unread: %s", why_unread(error, (READ_VAULTS,)).why)
        return None
