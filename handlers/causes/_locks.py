"""What the causes that are locks have in common: since when a lock is there, and whether one was removed."""

from __future__ import annotations

from handlers.model import Activity, Lock, Seen, Unknown, configuration


def lock_seen(lock: Lock, changes: Activity | Unknown) -> Seen:
    if lock.created_at or isinstance(changes, Unknown):
        return configuration(lock.created_at, changes)
    own = tuple(entry for entry in changes.operations if entry.resource == lock.id.lower())
    return configuration(changes=Activity(changes.since, own))


def lock_deletions(changes: Activity | Unknown) -> Seen:
    if isinstance(changes, Unknown):
        return configuration(changes=changes)
    return configuration(changes=Activity(changes.since, changes.of("locks/delete")))
