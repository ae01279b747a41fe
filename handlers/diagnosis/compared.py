"""A storm's members beside the items of the same region whose backups succeed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from copy import replace
from datetime import datetime

from handlers.azure.arm import Azure, NotRead
from handlers.diagnosis.common_cause import compare
from handlers.facts import why_unread
from handlers.facts.bulk.neighbours import changed_at, healthy_vms, scope_of, things_of
from handlers.model.comparison import Comparison, Things

log = logging.getLogger(__name__)

NOT_SHOWN: Things = {}


def comparison_of(region: str, vms: Collection[str], vault_ids: Iterable[str], since: datetime, azure: Azure) -> Comparison:
    """What the VMs that failed since then share (their ids in lower case). Nothing is claimed of what cannot be read."""
    from azure.core.exceptions import AzureError

    try:
        scope = scope_of(region, vault_ids, azure)
        shown, healthy = things_of(scope, azure), healthy_vms(scope, since, azure)
        if not shown.speaks_for(since):
            return Comparison(failed=len(vms), healthy=len(healthy), why_none="unread")
        failed, well = ({vm: shown.things.get(vm, NOT_SHOWN) for vm in named} for named in (vms, healthy))
        compared = compare(failed, well)
        if compared.shared is None:
            return compared
        return replace(compared, shared=replace(compared.shared, changed_at=changed_at(compared.shared, since, azure)))
    except (AzureError, NotRead) as error:
        log.info("a storm's members are not compared: %s", why_unread(error).why)
        return Comparison(failed=len(vms), why_none="unread")
