"""What was changed between an incident's last failure and the backup that proves its recovery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from handlers.azure.arm import Azure
from handlers.diagnosis.changes import CHANGE_FACTS, changes_between
from handlers.facts import gather
from handlers.model import ChangeList, Failure, Job, Reading

KNOWN = ("key_vaults", "restore_point_collections")
"""What the last diagnosis had read of the VM's surroundings: it is not read again."""
DEADLINE_SECONDS = 10
"""What is not read by then is said to be unread: the ticket is closed in time."""


def changes_before_recovery(
    failure: Failure, job: Job, known: Mapping[str, Reading], azure: Azure, now: datetime
) -> ChangeList | None:
    """None for a failure without a VM. `known`: the readings of the last diagnosis."""
    until = job.started_at or job.ended_at
    if failure.vm is None or until is None:
        return None
    names = (*CHANGE_FACTS, "vm_activity")
    read = gather(names, failure, azure, message="", now=now, sharing=True, deadline=DEADLINE_SECONDS)
    near = {name: known[name] for name in KNOWN if name in known}
    return changes_between(failure.failed_at, until, failure, {**near, **read}, ())
