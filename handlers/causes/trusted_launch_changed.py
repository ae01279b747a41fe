"""The VM, or an earlier one of its name, was backed up with Trusted Launch, and is a standard VM now.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#usererrormigrationfromtrustedlaunchvm-tonontrustedvmnotallowed
"""

from handlers.model import (
    Asserts,
    Opinion,
    Reason,
    VirtualMachine,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
)
from handlers.model.recovery import RecoveryPoint

STRONG = Asserts(("UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed",))
TRUSTED = "trustedlaunch"


def check(window: Window, vm: VirtualMachine, recovery_points: tuple[RecoveryPoint, ...]) -> Opinion:
    before = tuple(point for point in recovery_points if point.at <= window.end)
    trusted = tuple(point for point in before if point.security_type.lower() == TRUSTED)
    standard = vm.security_type.lower() in ("", "standard")
    changed = bool(trusted) and standard
    alike = bool(before) and all(_kind(point.security_type) == _kind(vm.security_type) for point in before)
    return decide(
        confirmed(
            "An earlier recovery point has Trusted Launch, and the VM has not",
            claim(changed) & (window.states | window.listed),
            vm=vm,
            recovery_points=trusted,
        ),
        possible("So it is, but the error speaks of something else", changed, vm=vm, recovery_points=trusted),
        ruled_out("The recovery points are of VMs of the same security type", alike, vm=vm, recovery_points=before),
        unknown("There is no recovery point of the last 30 days to compare with", Reason.NO_DATA, vm=vm, recovery_points=before),
    )


def _kind(security_type: str) -> str:
    return security_type.lower().replace("standard", "")
