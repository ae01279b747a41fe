"""The transfer to the vault takes so long that the next backup meets it.

https://learn.microsoft.com/azure/backup/backup-azure-vms-introduction#backup-performance
"""

from datetime import datetime, timedelta

from handlers.model import Job, Opinion, confirmed, possible, ruled_out

LONG = timedelta(hours=12)
"""A project threshold: half of the day between two nightly backups."""


def check(overlapping_backup_jobs: tuple[Job, ...], now: datetime) -> Opinion:
    slow = tuple(job for job in overlapping_backup_jobs if _transfers(job))
    if any(job.started_at and (job.ended_at or now) - job.started_at > LONG for job in slow):
        return confirmed(overlapping_backup_jobs=slow)
    return possible(overlapping_backup_jobs=slow) if slow else ruled_out(overlapping_backup_jobs=overlapping_backup_jobs)


def _transfers(job: Job) -> bool:
    """Whether the job's snapshot was taken and its transfer was still open or failed, or took its time."""
    tasks = {task.name.lower(): task.status.lower() for task in job.tasks}
    taken = tasks.get("take snapshot") == "completed"
    return taken and (job.running or tasks.get("transfer data to vault") in ("inprogress", "failed"))
