"""The VM cannot reach Azure Storage, Azure Backup or Entra ID on port 443, and something about it needs that.

A VM with managed disks and a supported agent needs no outbound access: its backup goes through the host.
https://learn.microsoft.com/azure/backup/backup-azure-arm-vms-prepare (2026-03-25)
"""

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    Opinion,
    OutboundAccess,
    Reason,
    Window,
    claim,
    configuration,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorVMInternetConnectivityIssue",), r"FailedRetryableSnapshotFailedRestrictedNetwork")
MEDIUM = Asserts(("ExtensionFailedTimeoutDelayInNetwork", "WorkloadExtensionNotReachable", "ExtensionSnapshotFailedNoNetwork"))


def check(window: Window, outbound_access: OutboundAccess) -> Opinion:
    access = outbound_access
    needed, rules = bool(access.needed_by), configuration(changes=access.changes or access.changes_unread)
    known, model = unread(access.needs_unread), model_of_vm(window)
    return decide(
        ruled_out("Nothing about the VM needed a way out", ~(known | needed) & window.held(model), outbound_access=access),
        confirmed(
            "Something needs it, and rules or routes denied it when the job ran",
            window.explains(needed and bool(access.denied_by), rules),
            outbound_access=access,
        ),
        possible(
            "Something needs it, and rules or routes deny it now, or did when backups succeeded",
            needed and bool(access.denied_by),
            outbound_access=access,
        ),
        unknown(
            "An appliance or gateway is in the path, whose rules Azure does not show",
            Reason.NO_DATA,
            needed and bool(access.hop),
            outbound_access=access,
        ),
        ruled_out(
            "It was allowed by every rule, with a known way out",
            claim(needed and bool(access.way_out)) & window.held(rules),
            outbound_access=access,
        ),
        unknown(
            "It is not known whether something needs it, or needed it then", Reason.READ_LATE, ~known, outbound_access=access
        ),
    )
