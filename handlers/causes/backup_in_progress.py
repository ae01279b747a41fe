"""Another backup of the same VM was running, in this vault or in another one.

One that has ended since explains the failure just as well: there is only nothing left to cancel.
https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout
"""

from handlers.model import (
    Asserts,
    Claim,
    Job,
    Opinion,
    Reason,
    RestorePointCollection,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(
    ("UserErrorBackupOperationInProgress", "SystemBackupOperationInProgress"),
    r"another backup operation|concurrent 'create restorepoint'",
)
MEDIUM = Asserts(("BMSUserErrorObjectLocked", "ExtensionOperationInProgress", "OperationNotAllowed"))


def check(
    window: Window,
    overlapping_backup_jobs: tuple[Job, ...] | Unknown,
    unread_vaults: tuple[str, ...] | Unknown,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
) -> Opinion:
    jobs = (
        ()
        if isinstance(overlapping_backup_jobs, Unknown)
        else tuple(job for job in overlapping_backup_jobs if _ran_then(job, window))
    )
    collections = () if isinstance(restore_point_collections, Unknown) else restore_point_collections
    creating = tuple(point for found in collections for point in found.points
                     if point.state.lower() == "creating" and point.created_at and point.created_at < window.start)  # fmt: skip
    silent = unread(overlapping_backup_jobs, unread_vaults)
    whole = ~(silent | bool(unread_vaults) & undecided(Reason.PARTIAL))
    return decide(
        confirmed(
            "Another job ran then, and the code speaks of one",
            any_of(*(claim(window.states) for _ in jobs)) | (~claim(bool(jobs)) & ~whole),
            overlapping_backup_jobs=jobs,
        ),
        confirmed(
            "Another job was taking its snapshot then",
            claim(window.listed) & any_of(*map(_was_snapping, jobs)),
            overlapping_backup_jobs=jobs,
        ),
        possible(
            "Another job ran then; a snapshot and a transfer may run side by side", bool(jobs), overlapping_backup_jobs=jobs
        ),
        possible(
            "A restore point was being made then",
            unread(restore_point_collections) | bool(creating),
            restore_point_collections=creating,
        ),
        ruled_out(
            "Every vault of the VM was read, and no other job ran then",
            whole & (not jobs),
            overlapping_backup_jobs=(),
            unread_vaults=unread_vaults,
        ),
        unknown(
            "The jobs of a vault that keeps the VM could not be read",
            Reason.PARTIAL,
            ~unread(overlapping_backup_jobs, unread_vaults),
            unread_vaults=unread_vaults,
        ),
    )


def _ran_then(job: Job, window: Window) -> bool:
    begun = job.started_at is not None and job.started_at < window.end
    return begun and (job.running or (job.ended_at is not None and job.ended_at > window.start))


def _was_snapping(job: Job) -> Claim:
    """Whether its snapshot step was not over; of one that is over now nobody says when it ended."""
    tasks = {task.name.lower(): task.status.lower() for task in job.tasks}
    status = tasks.get("take snapshot")
    return claim(status == "inprogress") if status and status != "completed" else undecided(Reason.NO_DATA)
