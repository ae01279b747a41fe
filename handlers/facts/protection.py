"""Whether an item is still backed up. https://learn.microsoft.com/rest/api/backup/protected-items/get"""

from __future__ import annotations

import logging
import re

from handlers.azure.arm import Azure, NotRead
from handlers.facts import why_unread
from handlers.model import Failure

log = logging.getLogger(__name__)

READ_ITEMS = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read"
GONE_CODES = ("resourcenotfound", "resourcegroupnotfound", "parentresourcenotfound", "bmsusererrordatasourceobjectnotfound")
"""Error codes of a 404 that say that the item, its vault or their group is not there. Any other 404 proves nothing:
`SubscriptionNotFound` also means that the app may not see it."""
STOPPED = ("protectionstopped", "backupssuspended")
"""https://learn.microsoft.com/rest/api/backup/protected-items/get#protectionstate"""


def is_gone(failure: Failure, azure: Azure) -> bool:
    """Whether Azure says that the item is not protected in its vault, or that its protection was stopped. Unread: no."""
    from azure.core.exceptions import AzureError, ResourceNotFoundError

    vault, names = (
        failure.vault,
        re.search(r"(?i)/protectionContainers/([^/]+)/protectedItems/([^/]+)", failure.item.id if failure.item else ""),
    )
    if vault is None or names is None:
        return False
    try:
        item = azure.backup(vault.subscription).protected_items.get(vault.name, vault.group, "Azure", names[1], names[2])
    except ResourceNotFoundError as error:
        code = str(getattr(error.error, "code", "") or "").lower()
        return code in GONE_CODES
    except (AzureError, NotRead) as error:
        log.info("protected item unread: %s", why_unread(error, (READ_ITEMS,)).why)
        return False
    properties = item.get("properties") or {}
    return str(properties.get("protectionState") or "").lower() in STOPPED
