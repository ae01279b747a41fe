"""Another operation on the protected item was running: a restore, a change of its policy, the end of its protection.

https://learn.microsoft.com/rest/api/backup/backup-jobs/list shows them as jobs. Another backup: see `backup_in_progress`.
"""

from handlers.model import (
    Asserts,
    Job,
    Opinion,
    Reason,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    ruled_out,
    state,
    unknown,
)

STRONG = Asserts(
    (
        "BMSUserErrorObjectLocked",
        "UserErrorRestoreOperationInProgress",
        "OperationCancelledBecauseConflictingOperationRunningUserError",
        "UserErrorJobSuccessfullyCancelled",
    )
)


def check(window: Window, other_operations: tuple[Job, ...]) -> Opinion:
    others = tuple(job for job in other_operations if _ran_then(job, window) and job.id != (window.job.id if window.job else ""))
    return decide(
        confirmed(
            "Another operation ran when the job began",
            any_of(*(window.fits(state(job.started_at)) | window.listed for job in others)),
            other_operations=others,
        ),
        ruled_out("All jobs of the vault were read, and none of this item ran then", claim(not others), other_operations=()),
        unknown("Another operation ran then, and nothing ties it to this failure", Reason.NO_DATA, other_operations=others),
    )


def _ran_then(job: Job, window: Window) -> bool:
    """Whether it ran at the moment when the job began."""
    begun = job.started_at is not None and job.started_at <= window.start
    return begun and (job.running or (job.ended_at is not None and job.ended_at >= window.start))
