"""The backup jobs of all vaults that send their logs to the workspace: what the sweep goes through."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from handlers.azure.arm import Azure
from handlers.facts.jobs import logged_job
from handlers.facts.queries import query
from handlers.model import Job, ResourceId

ENDED = ("completed", "completedwithwarnings", "failed")


def jobs_in_log(since: datetime, until: datetime, azure: Azure) -> dict[str, list[Job]]:
    """Ended VM backup jobs by vault (its id in lower case), for the vaults that send their logs to the workspace.

    https://learn.microsoft.com/azure/azure-monitor/reference/tables/addonazurebackupjobs
    """
    found: dict[str, list[Job]] = defaultdict(list)
    for row in azure.query_logs(query("ended_jobs"), (since, until)):
        vault, job = ResourceId.parse(row.get("ResourceId")), logged_job(row)
        if vault and job.container and job.status.lower() in ENDED:
            found[vault.key].append(job)
    return found
