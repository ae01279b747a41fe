"""The VM's restore points, their collection or its group were deleted by hand, or are being deleted.

https://learn.microsoft.com/rest/api/compute/restore-point-collections/delete
"""

from typing import Any

from handlers.causes import reaches, succeeded
from handlers.model import (
    Activity,
    Asserts,
    Claim,
    Operation,
    Opinion,
    Reason,
    RestorePointCollection,
    Unknown,
    Window,
    all_of,
    any_of,
    claim,
    confirmed,
    decide,
    event,
    possible,
    ruled_out,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("UserErrorRpCollectionDeleted", "UserErrorRpCollectionMarkedForDeletion"))
MEDIUM = Asserts(("UserErrorInstantRpNotFound", "UserErrorGenericResourceNotFound"))


def check(
    window: Window,
    restore_point_deletions: Activity | Unknown,
    restore_point_collections: tuple[RestorePointCollection, ...] | Unknown,
) -> Opinion:
    by_others, collections = _by_others(restore_point_deletions), _known(restore_point_collections)
    then = tuple(entry for entry in by_others if entry.at <= window.end)
    leaving = tuple(found for found in collections if found.state.lower() == "deleting")
    there = claim(bool(collections)) & all_of(*(found.state.lower() == "succeeded" for found in collections))
    log, silent = restore_point_deletions, unread(restore_point_deletions)
    shown: dict[str, Any] = {"restore_point_deletions": by_others}
    return decide(
        confirmed(
            "Somebody deleted them before the job's end, after the last good backup",
            silent | any_of(*(_after_good(entry, window) & window.fits(event(entry.at)) for entry in then)),
            **shown,
        ),
        possible(
            "Somebody deleted some at another time, or the collection is being deleted",
            bool(by_others or leaving),
            **shown,
            restore_point_collections=leaving,
        ),
        ruled_out(
            "The collection is there, and nobody deleted any since the last good backup",
            ~unread(restore_point_collections) & there & (silent if isinstance(log, Unknown) else reaches(log, window)),
            **shown,
            restore_point_collections=restore_point_collections,
        ),
        unknown(
            "No collection is there, or the log does not reach back far enough",
            Reason.NO_DATA,
            ~silent & ~unread(restore_point_collections),
            **shown,
        ),
    )


def _by_others(log: Activity | Unknown) -> tuple[Operation, ...]:
    """Azure Backup itself deletes restore points that are too old."""
    return (
        () if isinstance(log, Unknown) else tuple(entry for entry in log.operations if succeeded(entry) and not entry.by_backup)
    )


def _known(collections: tuple[RestorePointCollection, ...] | Unknown) -> tuple[RestorePointCollection, ...]:
    return () if isinstance(collections, Unknown) else collections


def _after_good(entry: Operation, window: Window) -> Claim:
    if isinstance(window.last_good, Unknown):
        return undecided(window.last_good)
    return claim(window.good_since is None or entry.at > window.good_since)
