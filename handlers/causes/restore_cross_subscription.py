"""A restore into another subscription breaks one of its rules. The code names the rule.

https://learn.microsoft.com/azure/backup/backup-azure-arm-restore-vms#cross-subscription-restore
The target subscription is in no job and no point: what concerns it alone cannot be judged.
"""

from handlers.causes import explained, surely_then, then
from handlers.model import (
    Asserts,
    Claim,
    Opinion,
    Reason,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)
from handlers.model.restore import ChosenPoint

OPERATION = "restore"
RULES = "UserErrorCrossSubscriptionRestoreNotSuppported"
SNAPSHOT, ENCRYPTED, TRUSTED, UNMANAGED, REGION, DISKS = (
    f"{RULES}{rule}"
    for rule in ("FromSnapshot", "ForEncryptedAzureVM", "ForTrustedLaunchAzureVM", "ForUnManagedAzureVM", "ForCRR", "ForOLR")
)
"""With three p, as Azure spells them."""
OF_TARGET = ("UserErrorCrossSubscriptionRestoreInvalidTenant", "UserErrorCrossSubscriptionRestoreInvalidTargetSubscription")
STRONG = Asserts((SNAPSHOT, ENCRYPTED, TRUSTED, UNMANAGED, REGION, DISKS, *OF_TARGET))


def check(attempt: Window, chosen_point: ChosenPoint | Unknown | None) -> Opinion:
    broken = _breaks_rule(attempt, chosen_point)
    return decide(
        confirmed(
            "The job or its recovery point breaks the rule that the code names",
            broken & _holds_then(attempt) & explained(attempt),
            chosen_point=chosen_point,
        ),
        possible("The recovery point breaks the rule now", broken, chosen_point=chosen_point),
        ruled_out(
            "The recovery point keeps the rule that the code names", ~broken & surely_then(attempt), chosen_point=chosen_point
        ),
        unknown("The recovery point keeps the rule now", Reason.READ_LATE, ~broken, chosen_point=chosen_point),
    )


def _breaks_rule(attempt: Window, point: ChosenPoint | Unknown | None) -> Claim:
    """Undecided where only the request or the target subscription could tell."""
    if attempt.is_code(REGION):
        kind = attempt.job.operation if attempt.job else ""
        return claim(True) if kind.lower() == "crossregionrestore" else undecided(Reason.NO_DATA)
    if isinstance(point, Unknown):
        return unread(point)
    rules = {
        SNAPSHOT: point.only_snapshot, ENCRYPTED: point.encrypted, UNMANAGED: None if point.managed is None else not point.managed,
        TRUSTED: "trustedlaunch" in point.security.lower() if point.security else None,
    } if point else {}  # fmt: skip
    broken = next((broken for code, broken in rules.items() if attempt.is_code(code)), None)
    return undecided(Reason.NO_DATA) if broken is None else claim(broken)


def _holds_then(attempt: Window) -> Claim:
    """A point's tiers change in time, what it was made of does not."""
    return then(attempt) if attempt.is_code(SNAPSHOT) else claim(True)
