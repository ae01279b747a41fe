"""The copy to the vault was too slow or failed, so that the next backup met it.

https://learn.microsoft.com/azure/backup/backup-azure-vms-introduction#backup-performance
"""

from datetime import timedelta

from handlers.model import (
    Asserts,
    Job,
    Opinion,
    Reason,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(
    ("CopyingVHDsFromBackUpVaultTakingLongTime", "DiffCopyFailedToTransferData"),
    r"copying backed up data|transfer .{0,40}timed out",
)
MEDIUM = Asserts(("UserErrorBackupOperationInProgress",))
LONG = timedelta(hours=12)
"""A project threshold: half of the day between two nightly backups."""
IN_PROGRESS = ("UserErrorBackupOperationInProgress", "SystemBackupOperationInProgress")
OPEN = ("inprogress", "failed", "notstarted")


def check(window: Window, overlapping_backup_jobs: tuple[Job, ...] | Unknown) -> Opinion:
    others = () if isinstance(overlapping_backup_jobs, Unknown) else overlapping_backup_jobs
    moving = tuple(job for job in others if _moved_at(job, window))
    slow = tuple(job for job in moving if job.started_at and window.start - job.started_at > LONG)
    failed = claim(window.task("Transfer data to vault") in OPEN) & window.snapped
    silent = unread(overlapping_backup_jobs)
    return decide(
        confirmed("The code says so, and this job's transfer failed", window.states & failed, job=window.job),
        confirmed(
            "Another job had been in transfer for over 12 hours",
            silent | (window.is_code(*IN_PROGRESS) and bool(slow)),
            overlapping_backup_jobs=slow,
        ),
        possible("This job's snapshot was taken, and its transfer failed", failed, job=window.job),
        possible("Another job was in transfer", bool(moving), overlapping_backup_jobs=moving),
        ruled_out(
            "This job's snapshot failed, and no other was in transfer", ~(silent | window.snapped) & (not moving), job=window.job
        ),
        unknown("The job shows no tasks", Reason.NO_DATA, job=window.job),
    )


def _moved_at(job: Job, window: Window) -> bool:
    """Whether another job's snapshot was taken, and its transfer not over when this job began."""
    tasks = {task.name.lower(): task.status.lower() for task in job.tasks}
    open_then = job.running or (job.ended_at is not None and job.ended_at > window.start)
    return tasks.get("take snapshot") == "completed" and open_then
