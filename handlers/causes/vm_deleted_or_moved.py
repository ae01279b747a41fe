"""The VM was deleted or moved, and its old id is still protected.

https://learn.microsoft.com/azure/backup/backup-azure-manage-vms#stop-protecting-a-vm
"""

from handlers.model import (
    Activity,
    Asserts,
    Opinion,
    Reason,
    Unknown,
    VirtualMachine,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("ResourceNotFound", "BCMV2VMNotFound", "UserErrorVmNotFoundV2"))
MEDIUM = Asserts(("UserErrorGenericResourceNotFound",))
DELETIONS = ("delete", "subscriptions/resourcegroups/delete")


def check(window: Window, vm_presence: str, vm: VirtualMachine | Unknown) -> Opinion:
    missing = claim(vm_presence == "missing")
    log = window.activity.of(*DELETIONS) if isinstance(window.activity, Activity) else ()
    deleted = tuple(entry for entry in log if entry.at <= window.end and entry.status.lower() in ("", "succeeded", "success"))
    created = vm.created_at if isinstance(vm, VirtualMachine) else None
    since_good = unread(window.last_good) | (
        window.good_since is not None and created is not None and created > window.good_since
    )
    recreated = claim(created is not None) & since_good
    return decide(
        confirmed("Azure does not find it, and the code says the same", missing & window.states, vm_presence=vm_presence),
        confirmed(
            "Azure does not find it, and it was deleted before the job's end",
            missing & (unread(window.activity) | bool(deleted)),
            vm_presence=vm_presence,
            vm_activity=deleted,
        ),
        possible(
            "Azure does not find it, since a time that is not known",
            missing,
            vm_presence=vm_presence,
            vm_activity=window.activity,
        ),
        possible("It was made anew after the last good backup", recreated, vm=vm, last_good=window.last_good),
        ruled_out(
            "It is there, and was before the job", created is not None and created < window.start, vm_presence=vm_presence, vm=vm
        ),
        unknown("It is there, since a time that is not known", Reason.NO_DATA, vm_presence=vm_presence),
    )
