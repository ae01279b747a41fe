"""More backups run in a day than the snapshot retention can hold.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas#supported-backup-actions
Standard policy (V1): one scheduled and three on-demand backups a day. Enhanced policy (V2): one every four hours.
"""

from collections import Counter

from handlers.model import Job, Opinion, SnapshotPolicy, Unknown, confirmed, possible, ruled_out

LIMIT = 18
A_DAY = {"V1": 4, "V2": 9}


def check(recent_backup_jobs: tuple[Job, ...], snapshot_policy: SnapshotPolicy | Unknown) -> Opinion:
    days = Counter(job.started_at.date() for job in recent_backup_jobs if job.started_at)
    busiest = max(days.values(), default=0)
    policy = snapshot_policy if isinstance(snapshot_policy, SnapshotPolicy) else SnapshotPolicy("", "V1")
    evidence = {
        "recent_backup_jobs": [f"{day}: {count}" for day, count in sorted(days.items()) if count == busiest],
        "snapshot_policy": snapshot_policy,
    }
    if busiest <= 1:
        return ruled_out(**evidence)
    if busiest > A_DAY.get(policy.type, A_DAY["V1"]) or busiest * (policy.snapshot_retention_days or 0) >= LIMIT:
        return confirmed(**evidence)
    return possible(**evidence)
