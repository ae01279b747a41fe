"""The snapshot of the chosen recovery point was deleted, and its data was not in the vault.

https://learn.microsoft.com/rest/api/backup/recovery-points/list (`recoveryPointTierDetails`): a tier is valid, deleted or disabled.
"""

from datetime import timedelta

from handlers.causes import explained, then
from handlers.model import (
    FALSE,
    Asserts,
    Claim,
    Opinion,
    Reason,
    RestorePointCollection,
    Unknown,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    undecided,
    unknown,
)
from handlers.model.restore import ChosenPoint

OPERATION = "restore"
STRONG = Asserts(("UserErrorInstantRpNotFound",), r"snapshot of the VM was not found")
SAME = timedelta(hours=1)
"""Between a restore point and the recovery point that is made from it. A project threshold."""


def check(
    attempt: Window,
    chosen_point: ChosenPoint | None,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
) -> Opinion:
    none = claim(chosen_point is None or not chosen_point.has_snapshot)
    there = _is_there(chosen_point, restore_point_collections)
    gone = ~none & ~there
    return decide(
        confirmed(
            "The vault had no valid snapshot of the point when the restore ran",
            none & then(attempt) & explained(attempt),
            chosen_point=chosen_point,
        ),
        ruled_out(
            "The vault lists its snapshot as valid, and the restore point is there", ~none & there, chosen_point=chosen_point
        ),
        confirmed(
            "The vault lists a snapshot whose restore point was gone when the restore ran",
            gone & then(attempt) & explained(attempt),
            chosen_point=chosen_point,
            restore_point_collections=restore_point_collections,
        ),
        possible("The snapshot is not there now", none | gone, chosen_point=chosen_point),
        unknown("The restore points could not be read", Reason.NO_DATA, chosen_point=chosen_point),
    )


def _is_there(point: ChosenPoint | None, collections: tuple[RestorePointCollection, ...] | Unknown) -> Claim:
    if isinstance(collections, Unknown):
        return undecided(collections)
    made = [each.created_at for found in collections for each in found.points if each.created_at]
    return claim(any(abs(at - point.at) <= SAME for at in made)) if point else FALSE
