"""The VM size that the restored VM needs is not offered, or restricted, in the region or zone.

https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available
"""

from handlers.causes import explained, surely_then, then
from handlers.model import Asserts, Opinion, Reason, Window, claim, confirmed, decide, possible, ruled_out, unknown
from handlers.model.restore import TargetSize

OPERATION = "restore"
STRONG = Asserts(("UserErrorSkuNotAvailable",), r"VM size selected is not available")


def check(attempt: Window, target_size: TargetSize) -> Opinion:
    barred = claim(_is_barred(target_size))
    return decide(
        confirmed(
            "The region or zone did not offer the size when the restore ran",
            barred & then(attempt) & explained(attempt),
            target_size=target_size,
        ),
        possible("The region or zone does not offer the size now", barred, target_size=target_size),
        ruled_out("The size was free of restrictions when the restore ran", surely_then(attempt), target_size=target_size),
        unknown("The size is free of restrictions now", Reason.READ_LATE, target_size=target_size),
    )


def _is_barred(size: TargetSize) -> bool:
    """A VM without a zone may go to any zone; one of a zone needs it in that zone."""
    return not size.offered or size.barred or bool(set(size.zones) & set(size.barred_zones))
