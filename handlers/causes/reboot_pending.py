"""An update in the guest waits for a restart; that alone explains no failure.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#step-1-check-azure-vm-health
https://learn.microsoft.com/javascript/api/@azure/arm-compute/availablepatchsummary (rebootPending)
"""

from datetime import timedelta

from handlers.model import (
    Asserts,
    Opinion,
    PatchAssessment,
    Reason,
    Unknown,
    Window,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

MEDIUM = Asserts(("UserErrorVmProvisioningStateFailed", "UserErrorJobCancelledOnMachineReboot"))
FRESH = timedelta(days=1)
"""Azure assesses updates once a day: https://learn.microsoft.com/azure/update-manager/assessment-options"""


def check(window: Window, patch_assessment: PatchAssessment | Unknown) -> Opinion:
    silent = unread(patch_assessment)
    known = PatchAssessment(None) if isinstance(patch_assessment, Unknown) else patch_assessment
    pending, at = known.reboot_pending, known.at
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        possible(
            "An update waited for a restart before the job ended",
            silent | (pending is True and at is not None and at <= window.end),
            patch_assessment=patch_assessment,
        ),
        ruled_out(
            "None waited when updates were assessed in the day before the job",
            silent | (pending is False and at is not None and window.start - FRESH <= at <= window.start),
            patch_assessment=patch_assessment,
        ),
        unknown(
            "Updates were assessed after the job, or long before it", Reason.READ_LATE, ~silent, patch_assessment=patch_assessment
        ),
    )
