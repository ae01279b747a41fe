"""The image of the VM has a Marketplace plan that cannot be bought for the restored VM: its terms are not accepted, or it is gone.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot: the disks are restored, the VM is not created.
"""

from handlers.causes import explained, surely_then, then
from handlers.model import Asserts, Opinion, Reason, Window, claim, confirmed, decide, possible, ruled_out, unknown
from handlers.model.restore import PlanTerms

OPERATION = "restore"
STRONG = Asserts(("UserErrorMarketPlaceVMNotSupported",), r"market ?place purchase request")


def check(attempt: Window, plan_terms: PlanTerms | None) -> Opinion:
    refused = claim(plan_terms is not None and not plan_terms.accepted)
    return decide(
        ruled_out("The VM has no Marketplace plan", plan_terms is None, plan_terms=plan_terms),
        confirmed(
            "The terms of its plan were not accepted when the restore ran",
            refused & then(attempt) & explained(attempt),
            plan_terms=plan_terms,
        ),
        possible("The terms of its plan are not accepted now", refused, plan_terms=plan_terms),
        ruled_out("The terms of its plan were accepted when the restore ran", surely_then(attempt), plan_terms=plan_terms),
        unknown("The terms of its plan are accepted now", Reason.READ_LATE, plan_terms=plan_terms),
    )
