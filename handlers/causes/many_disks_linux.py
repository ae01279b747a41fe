"""The extension hangs while it takes the snapshots of many disks at the same time.

https://github.com/Azure/azure-linux-extensions/blob/master/VMBackup/README.md (`seqsnapshot`). That it is more than four disks stands in
Microsoft's self-help article on NoExtensionStatusButStatusBlobAvailable.
"""

from handlers.causes import model_of_vm
from handlers.model import Asserts, Disk, Opinion, Os, Reason, Window, claim, decide, possible, ruled_out, unknown

OS = Os.LINUX
NO_STATUS = "NoExtensionStatusButStatusBlobAvailable"
MEDIUM = Asserts((NO_STATUS,))
MANY = 4


def check(window: Window, attached_disks: tuple[Disk, ...]) -> Opinion:
    many = len(attached_disks) > MANY
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        possible(
            "The extension reported no result, and the VM has more than four disks",
            many and window.is_code(NO_STATUS),
            attached_disks=attached_disks,
        ),
        unknown("Only the guest can tell whether it hung at the disks", Reason.GUEST_ONLY, many, attached_disks=attached_disks),
        ruled_out(
            "The VM had four disks or fewer when the job ran",
            claim(not many) & window.held(model_of_vm(window)),
            attached_disks=attached_disks,
        ),
        unknown("They are few now, and the VM may have been changed since", Reason.READ_LATE, attached_disks=attached_disks),
    )
