"""An Azure Policy denies what Azure Backup has to make: the group of the restore points, a collection, an extension.

https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny
"""

from handlers.causes import in_good
from handlers.model import (
    Activity,
    Asserts,
    Claim,
    Operation,
    Opinion,
    Reason,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    event,
    possible,
    ruled_out,
    unknown,
)

STRONG = Asserts(("UserErrorRequestDisallowedByPolicy",), r"RequestDisallowedByPolicy|disallowed by policy")
MEDIUM = Asserts(("UserErrorCrpReportedUserError",))


def check(window: Window, policy_denials: Activity) -> Opinion:
    denials = policy_denials.operations
    then = tuple(entry for entry in denials if window.holds(entry.at))
    return decide(
        confirmed(
            "A policy denied something while the job ran",
            any_of(*(_explained(entry, denials, window) for entry in then)),
            policy_denials=then,
        ),
        possible(
            "A policy denied something at another time, or as well when backups succeeded", bool(denials), policy_denials=denials
        ),
        ruled_out("The log shows no denial while the job ran", policy_denials.since <= window.start, policy_denials=denials),
        unknown("The log begins later than the job", Reason.PARTIAL, policy_denials=denials),
    )


def _explained(entry: Operation, denials: tuple[Operation, ...], window: Window) -> Claim:
    then_too = any_of(*(in_good(other.at, window) for other in denials))
    return window.fits(event(entry.at, then_too=then_too)) | claim(window.listed)
